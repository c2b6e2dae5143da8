// SPDX-License-Identifier: Apache-2.0
/* Cases to bytes and back, by the library's codec. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "wire.h"

#define FIRST_RESOURCE 100

static struct vaccel_resource resources[] = {
	{.type = VACCEL_RESOURCE_LIB},
	{.type = VACCEL_RESOURCE_DATA},
	{.type = VACCEL_RESOURCE_MODEL},
};
struct vaccel_resource *const wire_resources[VACCEL_RESOURCE_MAX] = {
	&resources[VACCEL_RESOURCE_LIB],
	&resources[VACCEL_RESOURCE_DATA],
	&resources[VACCEL_RESOURCE_MODEL],
};

unsigned char wire_region[WIRE_REGION_SIZE] __attribute__((aligned(CODEC_ALIGN)));

static int id_of(void *context, struct vaccel_resource *resource, int64_t *ret_id)
{
	*ret_id = FIRST_RESOURCE + (int64_t)resource->type;
	return VACCEL_OK;
}

static int resource_of(void *context, int64_t id, struct vaccel_resource **ret_resource)
{
	if (id < FIRST_RESOURCE || id >= FIRST_RESOURCE + VACCEL_RESOURCE_MAX)
		return vaccel_fail(VACCEL_EPERM, "there is no such resource");
	*ret_resource = wire_resources[id - FIRST_RESOURCE];
	return VACCEL_OK;
}

static bool place(void *context, const void *data, enum vaccel_dir dir, struct payload *payload)
{
	uintptr_t offset = (uintptr_t)data - (uintptr_t)wire_region;

	if (offset >= WIRE_REGION_SIZE)
		return false;
	payload->place = PAYLOAD_REGION;
	payload->region = WIRE_REGION;
	payload->offset = offset;
	return true;
}

static int at(void *context, const struct payload *payload, enum vaccel_dir dir, void **ret_data)
{
	if (payload->place != PAYLOAD_REGION || payload->region != WIRE_REGION ||
	    payload->offset > WIRE_REGION_SIZE ||
	    payload->size > WIRE_REGION_SIZE - payload->offset)
		return vaccel_fail(VACCEL_EINVAL, "outside of the regions");
	*ret_data = wire_region + payload->offset;
	return VACCEL_OK;
}

const struct codec_hooks wire_hooks = {
	.resource_id = id_of,
	.resource = resource_of,
	.place = place,
	.at = at,
};

static void put_id(FILE *to, const struct vaccel_resource *resource)
{
	fprintf(to, "%d", FIRST_RESOURCE + (int)resource->type);
}

static bool put_region(FILE *to, const void *data, size_t size)
{
	uintptr_t offset = (uintptr_t)data - (uintptr_t)wire_region;

	if (offset >= WIRE_REGION_SIZE)
		return false;
	fprintf(to, "{\"region\": %d, \"offset\": %zu, \"size\": %zu}", WIRE_REGION, (size_t)offset,
		size);
	return true;
}

const struct json_hooks wire_json = {.put_resource = put_id, .put_place = put_region};

const struct wire_case *wire_case_at(size_t index)
{
	static const struct wire_case *const tables[] = {frame_cases, control_cases, op_cases};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct wire_case *row = tables[i]; row->name; row++)
			if (!index--)
				return row;
	return NULL;
}

static int encode(struct encoder *encoder, const struct wire_case *of, enum form form)
{
	switch (form) {
	case FORM_REQUEST:
		return encode_request(encoder, of->op, of->args);
	case FORM_REPLY:
		return encode_reply(encoder, of->op, of->args);
	case FORM_FAILURE:
		return encode_failure(encoder, of->op, of->args, of->words);
	default:
		return VACCEL_OK;
	}
}

static struct wire_message encode_as(const struct wire_case *of, enum form form)
{
	struct encoder encoder = {.hooks = &wire_hooks};
	struct frame frame = of->frame;
	struct wire_message message;

	if (encode(&encoder, of, form))
		abort();
	frame.head_size = message.head_size = encoder.head_size;
	frame.payload_size = encoder.payload.size;
	message.payload_size = (size_t)encoder.payload.size;
	frame_put(&frame, message.frame);
	message.head = malloc(message.head_size ? message.head_size : 1);
	message.payload = malloc(message.payload_size ? message.payload_size : 1);
	if (!message.head || !message.payload)
		abort();
	if (encoder.head)
		memcpy(message.head, encoder.head, message.head_size);
	pieces_gather(&encoder.payload, message.payload);
	encoder_release(&encoder);
	return message;
}

struct wire_message wire_encode(const struct wire_case *of)
{
	return encode_as(of, of->form);
}

static int decode_as_request(const struct wire_case *of, const struct wire_message *message,
			     struct decoder *decoder, void **ret_args)
{
	const struct codec_message bytes = {message->head, message->head_size, message->payload,
					    message->payload_size};

	return decode_request(decoder, of->op, &bytes, ret_args);
}

void *wire_program_args(const struct wire_case *of, struct decoder *decoder,
			struct wire_message *request)
{
	void *args;

	*request = encode_as(of, FORM_REQUEST);
	if (decode_as_request(of, request, decoder, &args))
		abort();
	return args;
}

int wire_decode(const struct wire_case *of, const struct wire_message *message,
		struct decoder *decoder, void **args, char words[FRAME_TEXT_MAX + 1])
{
	int ret;

	if (of->form == FORM_REQUEST)
		return decode_as_request(of, message, decoder, args);
	if (of->form == FORM_FAILURE)
		ret = decode_failure(decoder, of->op, message->head, message->head_size,
				     message->payload_size, *args, words);
	else
		ret = decode_reply(decoder, of->op, message->head, message->head_size,
				   message->payload_size, *args);
	if (ret)
		return ret;
	pieces_fill(&decoder->payload, message->payload);
	return decode_reply_end(decoder);
}

void wire_message_release(struct wire_message *message)
{
	free(message->head);
	free(message->payload);
}
