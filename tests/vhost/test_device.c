// SPDX-License-Identifier: Apache-2.0
/* The accelerator in a worker, with a front end that mostly does what it should. */
#include "stand.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/image.h>
#include <vaccel/ops/noop.h>

#include "agent/vhost/ring.h"
#include "base/util.h"
#include "call/call.h"

/* Messages */

static void test_echo(void **state)
{
	struct stand *stand = *state;
	struct front_request request = {
		.header = {.type = TYPE_ECHO, .flags = FLAG_BEGIN | FLAG_END, .request = 1},
	};

	front_send(&stand->front, &request, "hello", 5, 100);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	assert_int_equal(request.status.used, 5);
	assert_memory_equal(request.out + 1, "hello", 5);
	assert_int_equal(request.written, sizeof(struct status) + 5);
	front_send(&stand->front, &request, "hello", 5, 3);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	assert_int_equal(request.status.used, 3);
}

/* The work that a guest can ask for without a call has a bound, too. */
static void test_an_echo_that_is_too_large(void **state)
{
	struct stand *stand = *state;
	struct front_request request = {
		.header = {.type = TYPE_ECHO, .flags = FLAG_BEGIN | FLAG_END},
	};
	size_t most = 16 << 20;
	char *bytes = calloc(1, most + 1);

	stand_detach(stand);
	stand->bed.worker.setup.policy.payload = 0;
	stand_attach(stand, true);
	front_send(&stand->front, &request, bytes, most + 1, most + 1);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
	free(bytes);
}

static void test_calls(void **state)
{
	stand_call_often(*state);
}

static void test_indirect_calls(void **state)
{
	struct stand *stand = *state;

	stand->front.indirect = true;
	stand_call_often(stand);
}

static void copy_arrays(struct stand *stand, size_t room)
{
	static int32_t in[1 << 18], out[1 << 18];
	struct vaccel_fpga_arraycopy_args args = {{in, 1}, {out, 1}};
	struct program program;
	int64_t session;

	stand_connect(&program, stand, room);
	session = program_session(&program);
	for (size_t i = 1; i < ARRAY_SIZE(in); i++)
		in[i] = (int32_t)i;
	for (size_t count = 1; count <= ARRAY_SIZE(in); count *= 8) {
		memset(out, 0, sizeof(out));
		args.a.count = args.out.count = count;
		assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
				 VACCEL_OK);
		assert_memory_equal(in, out, count * sizeof(in[0]));
	}
	program_close(&program);
}

static void test_payloads_both_ways(void **state)
{
	copy_arrays(*state, 2 << 20);
}

static void test_answers_larger_than_the_room(void **state)
{
	copy_arrays(*state, 256);
}

static void test_pieces_that_are_spread(void **state)
{
	struct stand *stand = *state;

	stand->front.indirect = stand->front.spread = true;
	copy_arrays(stand, 300);
}

static void test_outputs_that_grow(void **state)
{
	static const uint8_t picture[] = "not looked at";
	struct vaccel_image_classify_top_args args = {{picture, sizeof(picture)}, 1};
	struct program program;

	stand_connect(&program, *state, 64);
	assert_int_equal(program_call(&program, program_session(&program),
				      &vaccel_op_image_classify_top, &args),
			 VACCEL_OK);
	assert_string_equal(args.top.data[0].label, "This is a dummy classification tag!");
	args_drop_outputs(&vaccel_op_image_classify_top, &args);
	program_close(&program);
}

static void test_two_files_at_once(void **state)
{
	struct program first, second;
	struct gate gate;
	uint64_t request;
	int64_t session;

	gate_init(&gate);
	stand_connect(&first, *state, 4096);
	stand_connect(&second, *state, 4096);
	request = gate_send(&gate, &first, program_session(&first));
	gate_wait(&gate);
	session = program_session(&second);
	assert_int_equal(program_noop(&second, session), VACCEL_OK);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &first, request), VACCEL_OK);
	gate_release(&gate);
	program_close(&first);
	program_close(&second);
}

static enum code say(struct stand *stand, uint64_t file, enum frame_kind kind, size_t size)
{
	struct front_request request = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.file = file,
				.request = ++stand->front.last_request,
				.readable = size,
				.writable = 1000,
			},
	};
	unsigned char bytes[256] = "";

	frame_put(&(struct frame){.kind = kind,
				  .request = 1,
				  .head_size = size == FRAME_SIZE ? 0 : 64},
		  bytes);
	front_send(&stand->front, &request, bytes, size, 1000);
	return front_answer(&stand->front, &request);
}

static void test_cancel_of_what_waits(void **state)
{
	struct stand *stand = *state;
	struct program program[5];
	struct gate gate[5];
	uint64_t request[5];

	cancel_patience.alone = FOREVER;
	/* Four run, the fifth waits. */
	for (int i = 0; i < 5; i++) {
		int64_t session;

		gate_init(&gate[i]);
		stand_connect(&program[i], stand, 4096);
		session = program_session(&program[i]);
		request[i] = gate_send(&gate[i], &program[i], session);
		if (i < 4)
			gate_wait(&gate[i]);
	}
	while (!queue_waiting(&stand->bed.worker.calls))
		usleep(1000);
	program_send_frame(&program[4], FRAME_CANCEL, request[4]);
	program_expect_end(&program[4]);
	for (int i = 0; i < 4; i++) {
		program_send_frame(&program[i], FRAME_CANCEL, request[i]);
		gate_open(&gate[i]);
		assert_int_equal(gate_reply(&gate[i], &program[i], request[i]), VACCEL_OK);
	}
	for (int i = 0; i < 5; i++) {
		gate_release(&gate[i]);
		program_close(&program[i]);
	}
}

/* A program of which a call runs, until the gate opens, and may be canceled at once. */
static uint64_t run_at_gate(struct stand *stand, struct program *program, struct gate *gate)
{
	uint64_t request;

	cancel_patience.alone = 0;
	gate_init(gate);
	stand_connect(program, stand, 4096);
	request = gate_send(gate, program, program_session(program));
	gate_wait(gate);
	return request;
}

static void test_cancel_of_what_runs(void **state)
{
	struct stand *stand = *state;
	struct program program, other;
	struct gate gate;
	uint64_t request;

	request = run_at_gate(stand, &program, &gate);
	program_send_frame(&program, FRAME_CANCEL, request);
	program_expect_end(&program);
	/* It still runs; its file and others live. */
	assert_int_equal(say(stand, stand->front.last_file, FRAME_PING, FRAME_SIZE), CODE_OK);
	stand_connect(&other, stand, 4096);
	assert_int_equal(program_noop(&other, program_session(&other)), VACCEL_OK);
	gate_open(&gate);
	program_close(&other);
	program_close(&program);
	while (stand->bed.worker.stats->sessions)
		usleep(1000);
	gate_release(&gate);
}

/* A file that has ended by another message is unknown, and what runs is given back all the same. */
static void test_cancel_of_what_runs_for_a_file_that_has_ended(void **state)
{
	struct stand *stand = *state;
	struct program program;
	struct gate gate;
	uint64_t request;

	request = run_at_gate(stand, &program, &gate);
	assert_int_equal(say(stand, stand->front.last_file, FRAME_GOAWAY, FRAME_SIZE), CODE_BAD);
	assert_int_equal(say(stand, stand->front.last_file, FRAME_PING, FRAME_SIZE), CODE_BUSY);
	program_send_frame(&program, FRAME_CANCEL, request);
	program_expect_end(&program);
	gate_open(&gate);
	program_close(&program);
	while (stand->bed.worker.stats->sessions)
		usleep(1000);
	gate_release(&gate);
}

/* Lent pages */

static void lend_arrays(struct stand *stand)
{
	static int32_t in[100000];
	struct front_request request;
	struct program program;
	struct frame frame;
	int64_t session;

	for (size_t i = 1; i < ARRAY_SIZE(in); i++)
		in[i] = (int32_t)(3 * i);
	stand_connect(&program, stand, 4096);
	session = program_session(&program);
	for (size_t count = 1; count <= ARRAY_SIZE(in); count *= 10) {
		stand_lend(stand, &program, session, in, count, &request);
		assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
		assert_int_equal(frame_get((unsigned char *)(request.out + 1),
					   &(struct frame_limits){4096, 4096}, &frame),
				 VACCEL_OK);
		assert_int_equal(frame.status, VACCEL_OK);
		assert_int_equal(frame.payload_size, 0);
		assert_memory_equal((char *)(request.out + 1) + STAND_LENT_AT, in,
				    count * sizeof(*in));
	}
	program_close(&program);
}

/* Only the worker's end could give back what such a call has, and that is asked for. */
static void test_cancel_of_what_is_lent(void **state)
{
	struct stand *stand = *state;
	struct pollfd poller = {.fd = stand->channel, .events = POLLIN};
	struct front_request request;
	struct program program;
	struct update update;
	struct gate gate;
	int fds[UPDATE_FDS];

	cancel_patience.alone = 0;
	cancel_patience.lent = 300 * MILLISECOND;
	gate_init(&gate);
	stand_connect(&program, stand, 4096);
	stand_lend(stand, &program, program_session(&program), gate.in, 2, &request);
	gate_wait(&gate);
	assert_int_equal(poll(&poller, 1, 0), 0);
	assert_int_equal(
		front_call(&stand->front, TYPE_CANCEL, request.header.file, request.header.request),
		CODE_OK);
	assert_int_equal(poll(&poller, 1, 60000), 1);
	assert_int_equal(update_receive(stand->channel, &update, fds), VACCEL_OK);
	assert_int_equal(update.kind, UPDATE_STUCK);
	assert_non_null(strstr(update.words, "canceled"));
	assert_false(front_is_done(&stand->front, 0, request.head));
	gate_open(&gate);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	gate_release(&gate);
	program_close(&program);
}

static void test_lent_pages(void **state)
{
	lend_arrays(*state);
}

static void test_lent_pages_in_pieces(void **state)
{
	struct stand *stand = *state;

	stand->front.indirect = stand->front.spread = true;
	lend_arrays(stand);
}

/* Nonsense */

static void test_files_that_are_not_known(void **state)
{
	struct stand *stand = *state;

	struct front_request last = {
		.header = {.type = TYPE_MESSAGE, .flags = FLAG_END, .file = 9, .request = 1},
	};

	assert_int_equal(say(stand, 9, FRAME_CALL, 128), CODE_BUSY);
	assert_int_equal(say(stand, 9, FRAME_PING, 128), CODE_BUSY);
	/* Whoever had its beginning has not begun with it. */
	last.header.readable = 100;
	last.header.offset = 50;
	front_send(&stand->front, &last, "the rest", 8, 0);
	assert_int_equal(front_answer(&stand->front, &last), CODE_BUSY);
	assert_int_equal(last.status.flags, STATUS_GOAWAY);
	/* Nobody knows that of one that was answered in part. */
	last.header.flags = FLAG_ROOM;
	front_send(&stand->front, &last, NULL, 0, 100);
	assert_int_equal(front_answer(&stand->front, &last), CODE_STALE);
	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
	assert_int_equal(front_call(&stand->front, TYPE_CLOSE, 9, 0), CODE_OK);
}

static void test_messages_that_are_none(void **state)
{
	struct stand *stand = *state;
	struct front_request request = {
		.header = {.type = 77, .file = 1, .request = 1},
	};

	assert_int_equal(say(stand, 1, FRAME_CALL, 63), CODE_BAD);
	assert_int_equal(say(stand, 1, FRAME_CALL, 127), CODE_BAD);
	assert_int_equal(say(stand, 1, FRAME_GOAWAY, 128), CODE_BAD);
	assert_int_equal(say(stand, 0, FRAME_HELLO, 128), CODE_BAD);
	/* No HELLO in the head: words, and the file ends. */
	assert_int_equal(say(stand, 1, FRAME_HELLO, 128), CODE_OK);
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
	request.header.type = TYPE_MESSAGE;
	request.header.flags = 0xffff;
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
	request.header.flags = FLAG_ROOM;
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_STALE);
	request.header.type = TYPE_ECHO;
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
}

/* So many bytes in the head of a message, with room for an answer; what became of it. */
static enum code send_large(struct stand *stand, enum frame_kind kind, size_t head,
			    struct front_request *ret_request)
{
	const struct frame frame = {.kind = kind, .request = 7, .head_size = head};
	unsigned char *bytes = calloc(1, FRAME_SIZE + head);

	*ret_request = (struct front_request){
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.file = stand->front.last_file,
				.request = ++stand->front.last_request,
				.readable = FRAME_SIZE + head,
				.writable = 1000,
			},
	};
	frame_put(&frame, bytes);
	front_send(&stand->front, ret_request, bytes, FRAME_SIZE + head, 1000);
	free(bytes);
	return front_answer(&stand->front, ret_request);
}

/* A program's is refused by its number before it has been read; a stranger is told nothing. */
static void test_messages_that_are_too_large(void **state)
{
	struct stand *stand = *state;
	struct front_request request;
	struct program program;
	struct frame frame;

	stand->front.last_file = 1;
	assert_int_equal(send_large(stand, FRAME_HELLO, 128 << 10, &request), CODE_BAD);
	stand_connect(&program, stand, 4096);
	assert_int_equal(send_large(stand, FRAME_CALL, 9 << 20, &request), CODE_OK);
	assert_int_equal(frame_get((unsigned char *)(request.out + 1),
				   &(struct frame_limits){1000, 1000}, &frame),
			 VACCEL_OK);
	assert_int_equal(frame.kind, FRAME_REPLY);
	assert_int_equal(frame.request, 7);
	assert_int_equal(frame.status, VACCEL_EDQUOT);
	program_close(&program);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_echo),
		TEST(test_an_echo_that_is_too_large),
		TEST(test_calls),
		TEST(test_indirect_calls),
		TEST(test_payloads_both_ways),
		TEST(test_answers_larger_than_the_room),
		TEST(test_pieces_that_are_spread),
		TEST(test_outputs_that_grow),
		TEST(test_two_files_at_once),
		TEST(test_cancel_of_what_waits),
		TEST(test_cancel_of_what_runs),
		TEST(test_cancel_of_what_runs_for_a_file_that_has_ended),
		TEST(test_cancel_of_what_is_lent),
		TEST(test_lent_pages),
		TEST(test_lent_pages_in_pieces),
		TEST(test_files_that_are_not_known),
		TEST(test_messages_that_are_none),
		TEST(test_messages_that_are_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
