// SPDX-License-Identifier: Apache-2.0
/*
 * The messages of vectors.json, decoded: as they are they give what was encoded;
 * cut short anywhere they are refused; with a byte changed they are refused, or
 * they are another message in its one form. Nothing else happens, which the
 * sanitizers see best: every part is in memory of its exact size.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "call/call.h"
#include "wire.h"

#define MEMORY (1u << 20)
#define COUNT  1000

/* A message on its way into a program or an agent. */
struct arrival {
	const struct wire_case *of;
	struct decoder asked_by; /* holds the program's arguments */
	struct wire_message request;
	struct decoder decoder;
	void *args;
	char words[FRAME_TEXT_MAX + 1];
};

static void arrival_init(struct arrival *arrival, const struct wire_case *of)
{
	const struct codec_limits limits = {MEMORY, COUNT};

	*arrival = (struct arrival){
		.of = of,
		.asked_by = {.hooks = &wire_hooks, .limits = limits},
		.decoder = {.hooks = &wire_hooks, .limits = limits},
	};
	if (of->form != FORM_REQUEST && of->args)
		arrival->args = wire_program_args(of, &arrival->asked_by, &arrival->request);
}

static void arrival_release(struct arrival *arrival)
{
	if (arrival->of->form == FORM_REPLY)
		args_drop_outputs(arrival->of->op, arrival->args);
	decoder_release(&arrival->decoder);
	decoder_release(&arrival->asked_by);
	wire_message_release(&arrival->request);
}

static char *arguments(const struct vaccel_op *op, const void *args, enum form form)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	put_arguments(to, &wire_json, op, args, form);
	fclose(to);
	return text;
}

static void check_meaning(const struct wire_case *of, const struct arrival *arrival)
{
	char *meant, *understood;

	if (of->form == FORM_FAILURE)
		assert_string_equal(arrival->words, of->words);
	if (!of->args)
		return;
	meant = arguments(of->op, of->args, of->form);
	understood = arguments(of->op, arrival->args, of->form);
	if (strcmp(meant, understood) != 0)
		fail_msg("%s: %s became %s", of->name, meant, understood);
	free(meant);
	free(understood);
}

static void test_meaning(void **state)
{
	const struct wire_case *of;

	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		struct wire_message message;
		struct arrival arrival;
		int ret;

		if (of->form == FORM_NONE)
			continue;
		message = wire_encode(of);
		arrival_init(&arrival, of);
		ret = wire_decode(of, &message, &arrival.decoder, &arrival.args, arrival.words);
		if (ret)
			fail_msg("%s: %s", of->name, vaccel_error_text());
		check_meaning(of, &arrival);
		arrival_release(&arrival);
		wire_message_release(&message);
	}
}

static void test_every_kind_and_control(void **state)
{
	bool kinds[FRAME_KIND_END] = {false}, requests[CONTROL_COUNT] = {false},
	     replies[CONTROL_COUNT] = {false};
	const struct wire_case *of;

	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		kinds[of->frame.kind] = true;
		if (!of->op || !control_by_number(of->op->number))
			continue;
		if (of->form == FORM_REQUEST)
			requests[of->op->index] = true;
		else if (of->form == FORM_REPLY)
			replies[of->op->index] = true;
	}
	for (int kind = FRAME_HELLO; kind < FRAME_KIND_END; kind++)
		assert_true(kinds[kind]);
	for (size_t i = 0; i < CONTROL_COUNT; i++)
		assert_true(requests[i] && replies[i]);
}

static void test_frames(void **state)
{
	static const struct frame_limits limits = {UINT64_MAX, UINT64_MAX};
	const struct wire_case *of;

	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		struct wire_message message = wire_encode(of);
		struct frame frame;

		assert_int_equal(frame_get(message.frame, &limits, &frame), VACCEL_OK);
		assert_int_equal(frame.kind, of->frame.kind);
		assert_int_equal(frame.op, of->frame.op);
		assert_true(frame.request == of->frame.request);
		assert_true(frame.session == of->frame.session);
		assert_true(frame.epoch == of->frame.epoch);
		assert_int_equal(frame.status, of->frame.status);
		assert_true(frame.head_size == message.head_size);
		assert_true(frame.payload_size == message.payload_size);
		wire_message_release(&message);
	}
}

static unsigned char *copy(const unsigned char *bytes, size_t size)
{
	unsigned char *to = malloc(size ? size : 1);

	assert_non_null(to);
	memcpy(to, bytes, size);
	return to;
}

/* Decodes @message as @of; what it is accepted as has its one form. */
static int arrive(const struct wire_case *of, const struct wire_message *message)
{
	struct arrival arrival;
	int ret;

	arrival_init(&arrival, of);
	ret = wire_decode(of, message, &arrival.decoder, &arrival.args, arrival.words);
	if (!ret && of->form != FORM_FAILURE) {
		struct wire_case again = *of;
		struct wire_message bytes;

		again.args = arrival.args;
		bytes = wire_encode(&again);
		assert_int_equal(bytes.head_size, message->head_size);
		assert_int_equal(bytes.payload_size, message->payload_size);
		if (of->form == FORM_REQUEST)
			assert_memory_equal(bytes.head, message->head, message->head_size);
		wire_message_release(&bytes);
	}
	arrival_release(&arrival);
	return ret;
}

static bool is_malformed(int code)
{
	return code == VACCEL_EINVAL || code == VACCEL_EREMOTEIO;
}

static void cut_everywhere(const struct wire_case *of, const struct wire_message *whole)
{
	struct wire_message cut = {0};

	for (cut.head_size = 0; cut.head_size < whole->head_size; cut.head_size++) {
		int ret;

		cut.head = copy(whole->head, cut.head_size);
		cut.payload = copy(whole->payload, whole->payload_size);
		cut.payload_size = whole->payload_size;
		ret = arrive(of, &cut);
		if (of->form != FORM_FAILURE)
			assert_true(is_malformed(ret));
		wire_message_release(&cut);
	}
	for (cut.payload_size = 0; cut.payload_size < whole->payload_size; cut.payload_size++) {
		cut.head = copy(whole->head, whole->head_size);
		cut.head_size = whole->head_size;
		cut.payload = copy(whole->payload, cut.payload_size);
		assert_true(is_malformed(arrive(of, &cut)));
		wire_message_release(&cut);
	}
}

static void test_cut_short(void **state)
{
	const struct wire_case *of;

	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		struct wire_message whole;

		if (of->form == FORM_NONE)
			continue;
		whole = wire_encode(of);
		cut_everywhere(of, &whole);
		wire_message_release(&whole);
	}
}

static void change_everywhere(const struct wire_case *of, struct wire_message *message)
{
	for (size_t i = 0; i < message->head_size + message->payload_size; i++) {
		unsigned char *at = i < message->head_size
					    ? &message->head[i]
					    : &message->payload[i - message->head_size];
		unsigned char was = *at;

		for (unsigned int change = 1; change <= UCHAR_MAX; change++) {
			*at = (unsigned char)(was ^ change);
			arrive(of, message);
		}
		*at = was;
	}
}

static void test_changed(void **state)
{
	const struct wire_case *of;

	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		struct wire_message message;

		if (of->form == FORM_NONE)
			continue;
		message = wire_encode(of);
		change_everywhere(of, &message);
		wire_message_release(&message);
	}
}

/* A frame is refused, or it is another one whose bytes are these. */
static void test_changed_frames(void **state)
{
	static const struct frame_limits limits = {UINT64_MAX, UINT64_MAX};
	const struct wire_case *of;

	for (size_t i = 0; (of = wire_case_at(i)); i++) {
		struct wire_message message = wire_encode(of);

		for (size_t at = 0; at < FRAME_SIZE; at++) {
			unsigned char was = message.frame[at], again[FRAME_SIZE];
			struct frame frame;

			for (unsigned int change = 1; change <= UCHAR_MAX; change++) {
				message.frame[at] = (unsigned char)(was ^ change);
				if (frame_get(message.frame, &limits, &frame))
					continue;
				frame_put(&frame, again);
				/* Statuses of a later version read as EIO. */
				if (at < 40 || at >= 44)
					assert_memory_equal(again, message.frame, FRAME_SIZE);
			}
			message.frame[at] = was;
		}
		wire_message_release(&message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_and_control),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
