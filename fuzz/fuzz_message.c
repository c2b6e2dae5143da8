// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as messages, one after the other: frames, requests and replies of all
 * operations and control operations, failures. A reply is read into the arguments
 * that the last call of its operation made, or into a program's at random.
 * References to region 7 are to a region that is there.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "call/call.h"
#include "codec/codec.h"
#include "codec/frame.h"
#include "messages.h"
#include "probe.h"
#include "random_args.h"
#include "transport/control.h"

#define MEMORY (1u << 20)
#define COUNT  1000
#define SEED   7 /* of a program's arguments */
#define REGION 7 /* which the vectors use, too */

static _Alignas(CODEC_ALIGN) unsigned char region[4096];
static bool used_region;
static struct vaccel_resource resource = {.id = 1};
static struct vaccel_resource *const resources[] = {&resource, &resource, &resource};

/* The last call: what a reply may be to. */
struct last_call {
	const struct vaccel_op *op;
	struct decoder decoder;
	struct codec_message message;
	void *args;
};

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
	if (payload->region != REGION || payload->offset > sizeof(region) ||
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

static const struct vaccel_op *op_of(const struct frame *frame)
{
	const struct vaccel_op *op;

	if (frame->kind == FRAME_HELLO || frame->kind == FRAME_WELCOME)
		return &vaccel_op_hello;
	op = control_by_number(frame->op);
	if (!op)
		op = vaccel_op_by_number(frame->op);
	return op || frame->op != VACCEL_OP_PROBE ? op : &vaccel_op_probe;
}

static void forget(struct last_call *last)
{
	decoder_release(&last->decoder);
	free((void *)last->message.head);
	free(last->message.payload);
	*last = (struct last_call){0};
}

/* What is accepted is the one form of these arguments. */
static void check_form(const struct last_call *call)
{
	struct encoder encoder = {.hooks = &hooks};
	const struct codec_message *message = &call->message;

	require(!encode_request(&encoder, call->op, call->args));
	if (!used_region) {
		require(encoder.head_size == message->head_size);
		require(!message->head_size ||
			!memcmp(encoder.head, message->head, message->head_size));
		require(encoder.payload.size == message->payload_size);
	}
	encoder_release(&encoder);
}

/* As vaccel_call() does for operations, and a worker for control operations. */
static void check_arguments(const struct vaccel_op *op, const void *args)
{
	bool control = op->number >= CONTROL_FIRST;

	/* Which resources a session may use is none of the message's. */
	for (size_t i = 0; !control && i < op->nr_fields; i++)
		if (op->fields[i].kind != VACCEL_KIND_RESOURCE &&
		    field_check(op, &op->fields[i], NULL, args))
			return;
	if (op->check)
		op->check(args);
}

/* It can be answered, whatever it asks for, and refused. */
static void check_answers(const struct last_call *call)
{
	struct encoder encoder = {.hooks = &hooks};
	struct random random = {1};

	check_arguments(call->op, call->args);
	random_args_answer(call->op, call->args, &random);
	require(!encode_reply(&encoder, call->op, call->args));
	require(!encode_failure(&encoder, call->op, call->args, "words"));
	args_drop_outputs(call->op, call->args);
	encoder_release(&encoder);
}

static void request(struct last_call *last, const struct vaccel_op *op, const struct piece *piece)
{
	forget(last);
	last->op = op;
	last->decoder = (struct decoder){.hooks = &hooks, .limits = {MEMORY, COUNT}};
	last->message = (struct codec_message){
		.head = exact_copy(piece->head, piece->head_size),
		.head_size = piece->head_size,
		.payload = exact_copy(piece->payload, piece->payload_size),
		.payload_size = piece->payload_size,
	};
	used_region = false;
	if (decode_request(&last->decoder, op, &last->message, &last->args)) {
		forget(last);
		return;
	}
	check_form(last);
	check_answers(last);
}

static void read_reply(const struct vaccel_op *op, const struct frame *frame,
		       const struct piece *piece, void *args)
{
	struct decoder decoder = {.hooks = &hooks, .limits = {MEMORY, COUNT}};
	void *head = exact_copy(piece->head, piece->head_size);
	void *payload = exact_copy(piece->payload, piece->payload_size);
	char words[FRAME_TEXT_MAX + 1] = "";
	int ret;

	if (frame->status)
		ret = decode_failure(&decoder, op, head, piece->head_size, piece->payload_size,
				     args, words);
	else
		ret = decode_reply(&decoder, op, head, piece->head_size, piece->payload_size, args);
	if (!ret) {
		require(memchr(words, '\0', sizeof(words)) != NULL);
		require(decoder.payload.size == piece->payload_size);
		pieces_fill(&decoder.payload, payload);
		decode_reply_end(&decoder);
	}
	decoder_release(&decoder);
	free(head);
	free(payload);
}

static void reply(struct last_call *last, const struct vaccel_op *op, const struct frame *frame,
		  const struct piece *piece)
{
	struct random_args *program;

	if (last->op == op) {
		read_reply(op, frame, piece, last->args);
		args_drop_outputs(op, last->args);
		return;
	}
	/* Only a failure can be read without. */
	if (control_by_number(op->number)) {
		if (frame->status)
			read_reply(op, frame, piece, NULL);
		return;
	}
	program = random_args_new(op, SEED, resources);
	read_reply(op, frame, piece, program->args);
	require(random_args_intact(program));
	random_args_delete(program);
}

/* What is accepted is the one form of this frame. */
static void check_frame(const struct frame *frame, const uint8_t *bytes)
{
	unsigned char again[FRAME_SIZE], known[FRAME_SIZE];

	frame_put(frame, again);
	/* But for statuses of a later version, which read as EIO. */
	memcpy(known, bytes, FRAME_SIZE);
	memcpy(known + 40, again + 40, 4);
	require(!memcmp(again, known, FRAME_SIZE));
}

static void take(struct last_call *last, const struct piece *piece)
{
	static const struct frame_limits limits = {MEMORY, MEMORY};
	const struct vaccel_op *op;
	struct frame frame;
	int ret = frame_get(piece->frame, &limits, &frame);

	messages_taken++;
	if (ret && ret != VACCEL_EDQUOT)
		return;
	check_frame(&frame, piece->frame);
	op = op_of(&frame);
	if (!op)
		return;
	if (frame.kind == FRAME_HELLO || frame.kind == FRAME_CALL)
		request(last, op, piece);
	else if (frame.kind == FRAME_WELCOME || frame.kind == FRAME_REPLY)
		reply(last, op, &frame, piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct last_call last = {0};
	struct piece piece;
	size_t offset = 0;

	while (piece_next(data, size, &offset, &piece))
		take(&last, &piece);
	forget(&last);
	return 0;
}
