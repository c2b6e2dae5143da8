// SPDX-License-Identifier: Apache-2.0
/* Messages to the fake agent, and answers to them. */
#include <stdio.h>
#include <sys/socket.h>

#include <vaccel.h>

#include "call/call.h"
#include "fake.h"

const struct vaccel_op *turn_op(const struct turn *turn)
{
	uint32_t number = turn->message.frame.op;

	if (turn->message.frame.kind == FRAME_HELLO)
		return &vaccel_op_hello;
	if (turn->message.frame.kind != FRAME_CALL)
		return NULL;
	return number < CONTROL_FIRST ? vaccel_op_by_number(number) : control_by_number(number);
}

/* Resources are passed on as their ids, which nothing looks into. */
static int as_id(void *context, int64_t id, struct vaccel_resource **ret_resource)
{
	*ret_resource = (struct vaccel_resource *)(intptr_t)id;
	return VACCEL_OK;
}

void *turn_args(struct turn *turn)
{
	static const struct codec_hooks hooks = {.resource = as_id};
	const struct codec_message message = {turn->message.head,
					      (size_t)turn->message.frame.head_size, turn->payload,
					      (size_t)turn->message.frame.payload_size};
	void *args = NULL;

	decoder_release(&turn->decoder);
	turn->decoder.hooks = &hooks;
	turn->decoder.limits = (struct codec_limits){SIZE_MAX / 2, 1 << 20};
	if (decode_request(&turn->decoder, turn_op(turn), &message, &args))
		fprintf(stderr, "fake agent: %s\n", vaccel_error_text());
	return args;
}

static struct frame answer_to(const struct turn *turn)
{
	const struct frame *asked = &turn->message.frame;

	return (struct frame){
		.kind = asked->kind == FRAME_HELLO ? FRAME_WELCOME : FRAME_REPLY,
		.op = asked->kind == FRAME_HELLO ? 0 : asked->op,
		.request = asked->request,
		.session = asked->session,
	};
}

static void send_encoded(struct turn *turn, struct frame *frame, struct encoder *encoder)
{
	frame->head_size = encoder->head_size;
	frame->payload_size = encoder->payload.size;
	link_send(turn->link, frame, encoder->head, &encoder->payload, -1, FOREVER);
	encoder_release(encoder);
}

void turn_reply(struct turn *turn, const void *args)
{
	struct frame frame = answer_to(turn);
	struct encoder encoder = {0};

	if (!encode_reply(&encoder, turn_op(turn), args))
		send_encoded(turn, &frame, &encoder);
}

void turn_fail(struct turn *turn, int code, const char *words, bool ran)
{
	struct frame frame = answer_to(turn);
	struct encoder encoder = {0};

	frame.status = code;
	if (!ran)
		frame.session = 0;
	if (!encode_failure(&encoder, turn_op(turn), NULL, words))
		send_encoded(turn, &frame, &encoder);
}

void turn_write(struct turn *turn, const void *bytes, size_t size)
{
	send(link_fd(turn->link), bytes, size, MSG_NOSIGNAL);
}

void turn_frame(struct turn *turn, const struct frame *frame, const void *head, const void *payload)
{
	unsigned char bytes[FRAME_SIZE];

	frame_put(frame, bytes);
	turn_write(turn, bytes, sizeof(bytes));
	if (head)
		turn_write(turn, head, (size_t)frame->head_size);
	if (payload)
		turn_write(turn, payload, (size_t)frame->payload_size);
}
