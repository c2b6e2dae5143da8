// SPDX-License-Identifier: Apache-2.0
/* The accelerator's requests that are larger than one chain. */
#include "stand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

static void test_several_chains(void **state)
{
	size_t cuts[] = {0, 10, 64, 1000, 3000, 0};
	struct stand *stand = *state;
	struct front_request whole, part;
	struct program program;
	int32_t in[1000];
	int64_t session;
	char *message;
	uint64_t used;
	size_t sent;

	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		in[i] = i ? (int32_t)(7 * i) : 1;
	stand_connect(&program, stand, 4096);
	session = program_session(&program);
	/* What one chain says is taken apart. */
	stand_lend(stand, &program, session, in, ARRAY_SIZE(in), &whole);
	assert_int_equal(front_answer(&stand->front, &whole), CODE_OK);
	message = (char *)(whole.in + 1);
	cuts[ARRAY_SIZE(cuts) - 1] = whole.in_size;
	whole.header.request = ++stand->front.last_request;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(cuts); i++) {
		bool last = i + 2 == ARRAY_SIZE(cuts);

		part = (struct front_request){.header = whole.header};
		part.header.flags = (uint16_t)((i ? 0 : FLAG_BEGIN) | (last ? FLAG_END : 0));
		part.header.offset = cuts[i];
		front_send(&stand->front, &part, message + cuts[i], cuts[i + 1] - cuts[i],
			   last ? 100 : 0);
		assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
		assert_int_equal(part.status.flags, last ? STATUS_MORE : 0);
	}
	assert_int_equal(part.written, sizeof(struct status) + 100);
	used = part.status.used;
	message = calloc(1, whole.room);
	memcpy(message, part.out + 1, 100);
	for (sent = 100; part.status.flags & STATUS_MORE; sent += 3000) {
		size_t room = MIN_OF((size_t)3000, whole.room - sent);

		part.header.flags = FLAG_ROOM;
		part.header.offset = sent;
		front_send(&stand->front, &part, NULL, 0, room);
		assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
		memcpy(message + sent, part.out + 1, part.written - sizeof(struct status));
	}
	assert_memory_equal(message + STAND_LENT_AT, in, sizeof(in));
	/* Nothing else of the worker's memory came along. */
	for (size_t i = (size_t)used; i < STAND_LENT_AT; i++)
		assert_int_equal(message[i], 0);
	free(message);
	program_close(&program);
}

/* The same message once more, cut in two, with so much room in the second chain. */
static void send_in_two(struct stand *stand, const struct front_request *whole, size_t room,
			struct front_request *ret_request)
{
	struct front_request first = {.header = whole->header};
	const char *message = (const char *)(whole->in + 1);

	first.header.request = ++stand->front.last_request;
	first.header.flags = FLAG_BEGIN;
	front_send(&stand->front, &first, message, FRAME_SIZE, 0);
	assert_int_equal(front_answer(&stand->front, &first), CODE_OK);
	*ret_request = (struct front_request){.header = first.header};
	ret_request->header.flags = FLAG_END;
	ret_request->header.offset = FRAME_SIZE;
	front_send(&stand->front, ret_request, message + FRAME_SIZE, whole->in_size - FRAME_SIZE,
		   room);
}

/* What is not wanted has no more to come, however little room there was for the refusal. */
static void test_cancel_of_what_waits_with_little_room(void **state)
{
	static const int32_t in[2] = {1, 2};
	struct stand *stand = *state;
	struct front_request whole, request;
	struct program program[4];
	struct gate gate[4];
	uint64_t calls[4];

	cancel_patience.alone = FOREVER;
	for (int i = 0; i < 4; i++) {
		gate_init(&gate[i]);
		stand_connect(&program[i], stand, 4096);
	}
	/* Of the last one's file. */
	stand_lend(stand, &program[3], program_session(&program[3]), in, 2, &whole);
	assert_int_equal(front_answer(&stand->front, &whole), CODE_OK);
	for (int i = 0; i < 4; i++) {
		calls[i] = gate_send(&gate[i], &program[i], program_session(&program[i]));
		gate_wait(&gate[i]);
	}
	send_in_two(stand, &whole, 10, &request);
	while (!queue_waiting(&stand->bed.worker.calls))
		usleep(1000);
	assert_int_equal(
		front_call(&stand->front, TYPE_CANCEL, request.header.file, request.header.request),
		CODE_OK);
	front_answer(&stand->front, &request);
	for (int i = 0; i < 4; i++) {
		gate_open(&gate[i]);
		assert_int_equal(gate_reply(&gate[i], &program[i], calls[i]), VACCEL_OK);
		gate_release(&gate[i]);
		program_close(&program[i]);
	}
	assert_int_equal(request.status.code, CODE_CANCELED);
	assert_int_equal(request.status.flags, 0);
}

static enum code fetch(struct stand *stand, const struct front_request *request)
{
	struct front_request again = {.header = request->header};

	again.header.flags = FLAG_BEGIN | FLAG_END | FLAG_FETCH;
	again.header.offset = again.header.readable = 0;
	again.header.writable = 1000;
	front_send(&stand->front, &again, NULL, 0, 1000);
	return front_answer(&stand->front, &again);
}

/* No answer names outputs of which the rest would never come. */
static void test_no_room_in_several_chains(void **state)
{
	struct stand *stand = *state;
	struct front_request whole, request;
	struct program program;
	int32_t in[1000] = {1, 2};

	stand->lent_at = 8;
	stand_connect(&program, stand, 4096);
	stand_lend(stand, &program, program_session(&program), in, ARRAY_SIZE(in), &whole);
	assert_int_equal(front_answer(&stand->front, &whole), CODE_NOSPACE);
	assert_memory_equal((char *)(whole.out + 1) + 8, in, sizeof(in));
	assert_int_equal(fetch(stand, &whole), CODE_OK);
	send_in_two(stand, &whole, 100, &request);
	assert_int_equal(front_answer(&stand->front, &request), CODE_STALE);
	assert_int_equal(request.status.flags, 0);
	assert_int_equal(request.status.wanted, 0);
	assert_int_equal(fetch(stand, &request), CODE_STALE);
	program_close(&program);
}

static void test_chains_out_of_order(void **state)
{
	struct stand *stand = *state;
	struct front_request part = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN,
				.request = 1001,
				.readable = 1000,
			},
	};
	struct program program;
	char bytes[1000] = "";

	stand_connect(&program, stand, 4096);
	part.header.file = stand->front.last_file;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
	part.header.flags = 0;
	part.header.offset = 200;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	/* What still comes of it is answered alike. */
	part.header.flags = FLAG_END;
	part.header.offset = 100;
	front_send(&stand->front, &part, bytes, 900, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	/* Larger than may be. */
	part.header.flags = FLAG_BEGIN;
	part.header.offset = 0;
	part.header.readable = UINT64_MAX;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	part.header.readable = 1000;
	part.header.request = 1002;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, part.header.file, 1002), CODE_OK);
	part.header.flags = FLAG_END;
	part.header.offset = 100;
	front_send(&stand->front, &part, bytes, 900, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	program_close(&program);
}

static enum code send_piece(struct stand *stand, uint64_t number, uint16_t flags, uint64_t offset)
{
	struct front_request part = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = flags,
				.file = stand->front.last_file,
				.request = number,
				.offset = offset,
				.readable = 1000,
			},
	};

	front_send(&stand->front, &part, (char[100]){0}, 100, 0);
	return front_answer(&stand->front, &part);
}

/* One in a chain of its own, of another size than it says, changes nothing for one in several. */
static void test_a_refusal_between_chains(void **state)
{
	struct stand *stand = *state;
	struct meter *memory = &stand->bed.worker.memory;
	struct program program;

	stand_connect(&program, stand, 4096);
	assert_int_equal(send_piece(stand, 1001, FLAG_BEGIN, 0), CODE_OK);
	assert_int_equal(send_piece(stand, 1002, FLAG_BEGIN | FLAG_END, 0), CODE_BAD);
	assert_int_equal(send_piece(stand, 1001, 0, 100), CODE_OK);
	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, stand->front.last_file, 1001),
			 CODE_OK);
	memory->limit = 0;
	assert_int_equal(send_piece(stand, 1003, FLAG_BEGIN, 0), CODE_BUSY);
	assert_int_equal(send_piece(stand, 1004, FLAG_BEGIN | FLAG_END, 0), CODE_BAD);
	assert_int_equal(send_piece(stand, 1003, 0, 100), CODE_BUSY);
	memory->limit = UINT64_MAX;
	program_close(&program);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_several_chains),
		TEST(test_cancel_of_what_waits_with_little_room),
		TEST(test_no_room_in_several_chains),
		TEST(test_chains_out_of_order),
		TEST(test_a_refusal_between_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
