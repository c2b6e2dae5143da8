/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the codec share: messages in memory of their exact size. */
#ifndef TESTS_UNIT_CODEC_SUPPORT_H
#define TESTS_UNIT_CODEC_SUPPORT_H

#include "codec/codec.h"
#include "random_args.h"

/* Every operation, and one with all that there can be. */
const struct vaccel_op *codec_op_at(size_t index);

/* One resource of each type, which the hooks know by its address. */
extern struct vaccel_resource *const codec_resources[VACCEL_RESOURCE_MAX];
extern const struct codec_hooks codec_hooks;

struct message {
	unsigned char *head;
	size_t head_size;
	unsigned char *payload;
	size_t payload_size;
};

/* What an encoder made, as it would arrive; to be released. */
struct message message_of(const struct encoder *encoder);
struct message message_request(const struct vaccel_op *op, const void *args);
struct message message_reply(const struct vaccel_op *op, const void *args);
struct message message_copy(const struct message *message);
void message_release(struct message *message);

int message_decode_request(const struct message *message, struct decoder *decoder,
			   const struct vaccel_op *op, void **ret_args);
int message_decode_reply(const struct message *message, struct decoder *decoder,
			 const struct vaccel_op *op, void *args);

#endif
