// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "codec_support.h"
#include "probe.h"

static struct vaccel_resource resources[] = {
	{.id = 1, .type = VACCEL_RESOURCE_LIB},
	{.id = 2, .type = VACCEL_RESOURCE_DATA},
	{.id = 3, .type = VACCEL_RESOURCE_MODEL},
};
struct vaccel_resource *const codec_resources[VACCEL_RESOURCE_MAX] = {
	&resources[VACCEL_RESOURCE_LIB],
	&resources[VACCEL_RESOURCE_DATA],
	&resources[VACCEL_RESOURCE_MODEL],
};

static int id_of(void *context, struct vaccel_resource *resource, int64_t *ret_id)
{
	*ret_id = 100 + resource->id;
	return VACCEL_OK;
}

static int resource_of(void *context, int64_t id, struct vaccel_resource **ret_resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		if (resources[i].id == id - 100) {
			*ret_resource = &resources[i];
			return VACCEL_OK;
		}
	}
	return vaccel_fail(VACCEL_EPERM, "there is no such resource");
}

const struct codec_hooks codec_hooks = {.resource_id = id_of, .resource = resource_of};

const struct vaccel_op *codec_op_at(size_t index)
{
	return !index ? &vaccel_op_probe : vaccel_op_at(index - 1);
}

struct message message_of(const struct encoder *encoder)
{
	struct message message = {.head_size = encoder->head_size,
				  .payload_size = (size_t)encoder->payload.size};

	message.head = malloc(message.head_size ? message.head_size : 1);
	message.payload = malloc(message.payload_size ? message.payload_size : 1);
	if (!message.head || !message.payload)
		abort();
	if (message.head_size)
		memcpy(message.head, encoder->head, message.head_size);
	pieces_gather(&encoder->payload, message.payload);
	return message;
}

static struct message encode(int (*how)(struct encoder *, const struct vaccel_op *, const void *),
			     const struct vaccel_op *op, const void *args)
{
	struct encoder encoder = {.hooks = &codec_hooks};
	struct message message;

	if (how(&encoder, op, args))
		abort();
	message = message_of(&encoder);
	encoder_release(&encoder);
	return message;
}

struct message message_request(const struct vaccel_op *op, const void *args)
{
	return encode(encode_request, op, args);
}

struct message message_reply(const struct vaccel_op *op, const void *args)
{
	return encode(encode_reply, op, args);
}

struct message message_copy(const struct message *message)
{
	struct message copy = *message;

	copy.head = malloc(message->head_size ? message->head_size : 1);
	copy.payload = malloc(message->payload_size ? message->payload_size : 1);
	if (!copy.head || !copy.payload)
		abort();
	memcpy(copy.head, message->head, message->head_size);
	memcpy(copy.payload, message->payload, message->payload_size);
	return copy;
}

void message_release(struct message *message)
{
	free(message->head);
	free(message->payload);
}

int message_decode_request(const struct message *message, struct decoder *decoder,
			   const struct vaccel_op *op, void **ret_args)
{
	const struct codec_message bytes = {message->head, message->head_size, message->payload,
					    message->payload_size};

	return decode_request(decoder, op, &bytes, ret_args);
}

int message_decode_reply(const struct message *message, struct decoder *decoder,
			 const struct vaccel_op *op, void *args)
{
	int ret = decode_reply(decoder, op, message->head, message->head_size,
			       message->payload_size, args);

	if (ret)
		return ret;
	pieces_fill(&decoder->payload, message->payload);
	return decode_reply_end(decoder);
}
