/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the arguments of any operation, in a request and in a reply. The
 * first byte chooses the operation, the second whether it is a reply, the next
 * two how much of the rest is head. References to region 1 are to a region that
 * is there.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "call/call.h"
#include "codec/codec.h"
#include "probe.h"
#include "random_args.h"

#define START  4
#define MEMORY (1u << 20)

static _Alignas(8) unsigned char region[1024];
static bool used_region;
static struct vaccel_resource resource = {.id = 1};
static struct vaccel_resource *const resources[] = {&resource, &resource, &resource};

static int id_of(void *context, struct vaccel_resource *of, int64_t *ret_id)
{
	*ret_id = of->id;
	return VACCEL_OK;
}

static int resource_of(void *context, int64_t id, struct vaccel_resource **ret_resource)
{
	resource.id = id;
	*ret_resource = &resource;
	return VACCEL_OK;
}

static int at(void *context, const struct payload *payload, enum vaccel_dir dir, void **ret_data)
{
	if (payload->region != 1 || payload->offset > sizeof(region) ||
	    payload->size > sizeof(region) - payload->offset)
		return vaccel_fail(VACCEL_EFAULT, "outside of the region");
	used_region = true;
	*ret_data = region + payload->offset;
	return VACCEL_OK;
}

static const struct codec_hooks hooks = {.resource_id = id_of, .resource = resource_of, .at = at};

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* What is accepted is the one form of these arguments, and can be answered. */
static void check_request(const struct vaccel_op *op, const struct codec_message *message,
			  void *args)
{
	struct encoder encoder = {.hooks = &hooks};
	struct random random = {1};

	require(!encode_request(&encoder, op, args));
	if (!used_region) {
		require(encoder.head_size == message->head_size);
		require(!message->head_size ||
			!memcmp(encoder.head, message->head, message->head_size));
		require(encoder.payload.size == message->payload_size);
	}
	random_args_answer(op, args, &random);
	require(!encode_reply(&encoder, op, args));
	args_drop_outputs(op, args);
	encoder_release(&encoder);
}

static void request(const struct vaccel_op *op, const struct codec_message *message)
{
	struct decoder decoder = {.hooks = &hooks, .limits = {MEMORY, 1000}};
	void *args;

	if (!decode_request(&decoder, op, message, &args))
		check_request(op, message, args);
	decoder_release(&decoder);
}

static void reply(const struct vaccel_op *op, const struct codec_message *message)
{
	struct random_args *program = random_args_new(op, 7, resources);
	struct decoder decoder = {.hooks = &hooks, .limits = {MEMORY, 1000}};

	if (!decode_reply(&decoder, op, message->head, message->head_size, message->payload_size,
			  program->args)) {
		require(decoder.payload.size == message->payload_size);
		pieces_fill(&decoder.payload, message->payload);
		decode_reply_end(&decoder);
	}
	require(random_args_intact(program));
	decoder_release(&decoder);
	random_args_delete(program);
}

static const struct vaccel_op *op_of(unsigned char number)
{
	size_t count = 0;

	while (vaccel_op_at(count))
		count++;
	return number % (count + 1) == count ? &vaccel_op_probe
					     : vaccel_op_at(number % (count + 1));
}

/* A copy of its exact size, so that a read beyond it is seen. */
static void *copy(const uint8_t *from, size_t size)
{
	void *to = malloc(size ? size : 1);

	require(to);
	memcpy(to, from, size);
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct codec_message message;
	size_t head_size;
	void *head;

	if (size < START)
		return 0;
	head_size = MIN_OF(data[2] | (size_t)data[3] << 8, size - START);
	head = copy(data + START, head_size);
	message = (struct codec_message){
		.head = head,
		.head_size = head_size,
		.payload = copy(data + START + head_size, size - START - head_size),
		.payload_size = size - START - head_size,
	};
	used_region = false;
	if (data[1] & 1)
		reply(op_of(data[0]), &message);
	else
		request(op_of(data[0]), &message);
	free(head);
	free(message.payload);
	return 0;
}
