/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that stand for the protocol: what they mean, as C has it, and as
 * vectors.json does for ends in other languages. docs/protocol.md, "Vectors",
 * has the form of that file.
 */
#ifndef TESTS_WIRE_WIRE_H
#define TESTS_WIRE_WIRE_H

#include <stdio.h>

#include "args_json.h"
#include "codec/codec.h"
#include "codec/frame.h"
#include "transport/control.h"

struct wire_case {
	const char *name;
	struct frame frame;
	enum form form; /* what follows the frame */
	const struct vaccel_op *op;
	void *args;
	const char *words; /* of a failure */
};

/* Rows that end in one without a name. */
extern const struct wire_case frame_cases[], control_cases[], op_cases[];

/* Walk them all; NULL past the last one. */
const struct wire_case *wire_case_at(size_t index);

/* Region 7 of every connection, of which some arguments are a part. */
#define WIRE_REGION	 7
#define WIRE_REGION_SIZE 4096
extern unsigned char wire_region[WIRE_REGION_SIZE];

/* Resources are known by their type: 100 and up. */
extern struct vaccel_resource *const wire_resources[VACCEL_RESOURCE_MAX];
extern const struct codec_hooks wire_hooks;
extern const struct json_hooks wire_json;

/* One message as it travels, in memory of its exact size. */
struct wire_message {
	unsigned char frame[FRAME_SIZE];
	unsigned char *head;
	size_t head_size;
	unsigned char *payload;
	size_t payload_size;
};

struct wire_message wire_encode(const struct wire_case *of);

/* The operation's arguments as the program has them before the call, from their request. */
void *wire_program_args(const struct wire_case *of, struct decoder *decoder,
			struct wire_message *request);

/*
 * Decodes what follows the frame. A request's arguments come out at *args; a reply's
 * go into it, and failure's, with its words.
 */
int wire_decode(const struct wire_case *of, const struct wire_message *message,
		struct decoder *decoder, void **args, char words[FRAME_TEXT_MAX + 1]);
void wire_message_release(struct wire_message *message);

#endif
