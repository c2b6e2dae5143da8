/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading items off a head, for both decoders. After the first error, which
 * stays with the decoder, reading gives zeros; loops over what a peer sent end
 * at it, and each of their rounds takes bytes off the head.
 */
#ifndef VACCEL_CODEC_READ_H
#define VACCEL_CODEC_READ_H

#include "codec/codec.h"

/* What an item takes at least. */
#define NUMBER_WIRE_SIZE   8
#define PAYLOAD_WIRE_SIZE  sizeof(struct payload)
#define TENSOR_WIRE_SIZE   (NUMBER_WIRE_SIZE + PAYLOAD_WIRE_SIZE)
#define USER_ARG_WIRE_SIZE (NUMBER_WIRE_SIZE + PAYLOAD_WIRE_SIZE)

struct shape {
	uint32_t type;
	uint32_t nr_dims;
};

/* The error, naming operation and argument, if it is the first. */
__attribute__((format(printf, 3, 4), cold)) void read_fail(struct decoder *decoder, int code,
							   const char *format, ...);

/* The memory of a decoder ran out, or its limit did. */
void read_no_memory(struct decoder *decoder, int code, uint64_t size);

/* Zeroed, for as long as the decoder; NULL after an error. */
void *read_make(struct decoder *decoder, size_t size);

void read_start(struct decoder *decoder, const struct vaccel_op *op, const char *what,
		const struct codec_message *message);

/* EINVAL if something is left; else the first error. */
int read_end(struct decoder *decoder);

/* An item of @size bytes and its padding. */
void read_item(struct decoder *decoder, void *ret_item, size_t size);
uint64_t read_number(struct decoder *decoder);

/* Whether the argument is there. */
bool read_presence(struct decoder *decoder);

/* The count of a list whose elements take @wire_size bytes or more each. */
size_t read_count(struct decoder *decoder, size_t wire_size);
size_t read_item_wire_size(const struct vaccel_item *item);

/* Type and number of dimensions, which is at most VACCEL_TENSOR_DIMS_MAX. */
struct shape read_shape(struct decoder *decoder);

/*
 * A reference, made sure of: its size is one that memory can have, the parts of
 * the payload section follow each other and lie within it.
 */
struct payload read_payload(struct decoder *decoder);

/* The memory of a payload outside of the message. */
void *read_at(struct decoder *decoder, const struct payload *payload, enum vaccel_dir dir);

/* Elements in a span. */
size_t read_elements(struct decoder *decoder, const struct payload *payload,
		     const struct vaccel_field *field);

#endif
