/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers as far as it takes: a message is a row of fields, each a number with
 * a kind, then a number of variable length, or bytes with their count before them.
 */
#ifndef TF_PROTO_H
#define TF_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct part - what is left of a message, or the bytes of a field */
struct part {
	const uint8_t *data;
	size_t size;
};

/**
 * struct field - a field of a message
 * @number: which
 * @value: of one that is a number of variable length
 * @bytes: of one that is bytes
 */
struct field {
	uint32_t number;
	uint64_t value;
	struct part bytes;
};

/** part_next() - the next field; false at the end and where it makes no sense: then something is
 * left */
bool part_next(struct part *part, struct field *field);

/** part_find() - the bytes of a message's last field of that number; none if it has none */
struct part part_find(struct part message, uint32_t number);

/** part_number() - the same of a number; 0 if it has none */
uint64_t part_number(struct part message, uint32_t number);

/** part_is() - whether it is that text */
bool part_is(struct part part, const char *text);

/** part_text() - it as a text, to be freed; NULL without memory */
char *part_text(struct part part);

#endif
