// SPDX-License-Identifier: Apache-2.0
/* A worker's connections: who may say what, and what is answered. */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/image.h>
#include <vaccel/ops/noop.h>

#include "call/call.h"
#include "codec/frame.h"

static struct bed bed;

static void test_calls(void **state)
{
	struct program program;
	int64_t session;

	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(program_noop(&program, session), VACCEL_OK);
	assert_int_equal(bed.worker.stats->calls[VACCEL_OP_NOOP][0], 1000);
	assert_int_equal(histogram_count(&bed.worker.stats->compute[VACCEL_OP_NOOP]), 1000);
	assert_int_equal(bed.worker.stats->sessions, 1);
	program_close(&program);
}

static void test_payloads_both_ways(void **state)
{
	static int32_t in[1 << 20], out[1 << 20];
	struct vaccel_fpga_arraycopy_args args = {{in, 1}, {out, 1}};
	struct program program;
	int64_t session;

	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	for (size_t i = 1; i < sizeof(in) / sizeof(in[0]); i++)
		in[i] = (int32_t)i;
	for (size_t count = 1; count <= 1 << 20; count *= 16) {
		memset(out, 0, sizeof(out));
		args.a.count = args.out.count = count;
		assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
				 VACCEL_OK);
		assert_memory_equal(in, out, count * sizeof(in[0]));
	}
	assert_true(bed.worker.stats->bytes_in > sizeof(in));
	assert_true(bed.worker.stats->bytes_out > sizeof(out));
	program_close(&program);
}

static void test_outputs_that_grow(void **state)
{
	static const uint8_t picture[] = "not looked at";
	struct vaccel_image_classify_top_args args = {{picture, sizeof(picture)}, 1};
	struct program program;

	program_connect(&program, &bed, NULL);
	assert_int_equal(program_call(&program, program_session(&program),
				      &vaccel_op_image_classify_top, &args),
			 VACCEL_OK);
	assert_int_equal(args.top.count, 1);
	assert_string_equal(args.top.data[0].label, "This is a dummy classification tag!");
	args_drop_outputs(&vaccel_op_image_classify_top, &args);
	program_close(&program);
}

/* Whose sessions those are. */

static void test_another_connection_of_the_client(void **state)
{
	struct program first, second;
	int64_t session;

	program_connect(&first, &bed, NULL);
	session = program_session(&first);
	program_connect(&second, &bed, &first);
	assert_memory_equal(first.token, second.token, TOKEN_SIZE);
	program_close(&first);
	assert_int_equal(program_noop(&second, session), VACCEL_OK);
	program_close(&second);
}

static void test_foreign_sessions(void **state)
{
	struct program owner, other;
	int64_t session;
	struct vaccel_session_close_args close_args;
	struct vaccel_session_update_args update_args;

	program_connect(&owner, &bed, NULL);
	program_connect(&other, &bed, NULL);
	session = program_session(&owner);
	close_args = (struct vaccel_session_close_args){session};
	update_args = (struct vaccel_session_update_args){session, 0};
	assert_memory_not_equal(owner.token, other.token, TOKEN_SIZE);
	assert_int_equal(program_noop(&other, session), VACCEL_ESESS);
	assert_int_equal(program_call(&other, 0, &vaccel_op_session_close, &close_args),
			 VACCEL_ESESS);
	assert_int_equal(program_call(&other, 0, &vaccel_op_session_update, &update_args),
			 VACCEL_ESESS);
	assert_int_equal(bed_refused(&bed, REFUSED_FOREIGN), 3);
	assert_int_equal(program_noop(&owner, session), VACCEL_OK);
	program_close(&owner);
	program_close(&other);
}

static void test_tokens(void **state)
{
	struct program program, liar, late;
	unsigned char token[TOKEN_SIZE];

	program_connect(&program, &bed, NULL);
	memcpy(token, program.token, TOKEN_SIZE);
	token[TOKEN_SIZE - 1] ^= 1;
	program_open(&liar, &bed);
	assert_int_equal(program_hello(&liar, NULL, token, 0, NULL), VACCEL_EACCES);
	program_expect_end(&liar);
	assert_int_equal(bed_refused(&bed, REFUSED_FOREIGN), 1);
	program_close(&liar);
	/* Who was with a worker before this one has done nothing wrong. */
	program_open(&late, &bed);
	assert_int_equal(program_hello(&late, NULL, program.token, EPOCH + 1, NULL), VACCEL_EACCES);
	program_expect_end(&late);
	assert_int_equal(bed_refused(&bed, REFUSED_FOREIGN), 1);
	assert_int_equal(bed_refused(&bed, REFUSED_STALE), 1);
	program_close(&late);
	program_close(&program);
}

static void test_sessions_end_with_their_client(void **state)
{
	struct program program, watcher;

	program_connect(&watcher, &bed, NULL);
	program_connect(&program, &bed, NULL);
	for (int i = 0; i < 10; i++)
		program_session(&program);
	assert_int_equal(bed.worker.stats->sessions, 10);
	program_close(&program);
	while (bed.worker.stats->sessions)
		usleep(1000);
	program_close(&watcher);
}

static void test_closed_sessions(void **state)
{
	struct vaccel_session own;
	struct program program;
	struct vaccel_session_close_args args;
	int64_t session, second;

	program_connect(&program, &bed, NULL);
	/* As libvaccel's log has it, beside sessions of the worker's own. */
	assert_int_equal(vaccel_session_init(&own, 0), VACCEL_OK);
	session = program_session(&program);
	assert_int_equal(session, own.id + 1);
	assert_int_equal(vaccel_session_release(&own), VACCEL_OK);
	second = program_session(&program);
	assert_true(second > session);
	assert_int_equal(program_noop(&program, session), VACCEL_OK);
	args.session = session;
	assert_int_equal(program_call(&program, 0, &vaccel_op_session_close, &args), VACCEL_OK);
	assert_int_equal(program_call(&program, 0, &vaccel_op_session_close, &args), VACCEL_ESESS);
	assert_int_equal(program_noop(&program, session), VACCEL_ESESS);
	assert_int_equal(program_noop(&program, second), VACCEL_OK);
	assert_int_equal(bed.worker.stats->sessions, 1);
	program_close(&program);
}

static void test_session_closed_while_in_use(void **state)
{
	struct vaccel_session_close_args args;
	struct program program, other;
	struct gate gate;
	uint64_t request;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	program_connect(&other, &bed, &program);
	args.session = program_session(&program);
	request = gate_send(&gate, &program, args.session);
	gate_wait(&gate);
	assert_int_equal(program_call(&other, 0, &vaccel_op_session_close, &args), VACCEL_OK);
	assert_int_equal(program_noop(&other, args.session), VACCEL_ESESS);
	assert_int_equal(bed.worker.stats->sessions, 1);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	while (bed.worker.stats->sessions)
		usleep(1000);
	gate_release(&gate);
	program_close(&program);
	program_close(&other);
}

static void test_session_quota(void **state)
{
	int64_t session;
	struct vaccel_session_open_args args = {.session = &session};
	struct vaccel_session_close_args close_args;
	struct program program, other;

	bed_stop(&bed);
	bed_init(&bed);
	bed.setup.policy.sessions = 2;
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	program_connect(&other, &bed, NULL);
	close_args.session = program_session(&program);
	program_session(&other);
	assert_int_equal(program_call(&program, 0, &vaccel_op_session_open, &args), VACCEL_EDQUOT);
	assert_non_null(strstr(program.words, "policy 'default' permits 2 sessions"));
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 1);
	assert_int_equal(program_call(&program, 0, &vaccel_op_session_close, &close_args),
			 VACCEL_OK);
	program_session(&other);
	program_close(&program);
	program_close(&other);
}

/* HELLO */

static void test_bearer(void **state)
{
	struct program program;

	bed.listener.token = (char *)"0123456789abcdef";
	program_open(&program, &bed);
	assert_int_equal(program_hello(&program, NULL, NULL, 0, NULL), VACCEL_EACCES);
	assert_non_null(strstr(program.words, "VACCEL_TOKEN_FILE"));
	program_expect_end(&program);
	program_close(&program);
	program_open(&program, &bed);
	assert_int_equal(program_hello(&program, "0123456789abcdeF", NULL, 0, NULL), VACCEL_EACCES);
	program_expect_end(&program);
	program_close(&program);
	assert_int_equal(bed_refused(&bed, REFUSED_AUTH), 2);
	program_connect(&program, &bed, NULL);
	program_close(&program);
}

static void test_fates(void **state)
{
	struct program program;
	uint32_t fate;

	program_open(&program, &bed);
	assert_int_equal(program_hello(&program, NULL, NULL, EPOCH - 1, &fate), VACCEL_OK);
	assert_int_equal(status_from_wire(fate), VACCEL_EBACKEND);
	assert_string_equal(program.words, "the worker was ended by signal 6 while it ran exec");
	program_close(&program);
	program_open(&program, &bed);
	assert_int_equal(program_hello(&program, NULL, NULL, EPOCH - 2, &fate), VACCEL_OK);
	assert_int_equal(fate, 0);
	assert_string_equal(program.words, "");
	program_close(&program);
}

static int setup_fate(void **state)
{
	bed_init(&bed);
	bed.setup.fates[3] = (struct fate){EPOCH - 1, VACCEL_EBACKEND,
					   "the worker was ended by signal 6 while it ran exec"};
	bed_start(&bed);
	return 0;
}

static void test_connection_quota(void **state)
{
	struct program first, second;

	bed.worker.setup.policy.connections = 1;
	program_connect(&first, &bed, NULL);
	program_open(&second, &bed);
	assert_int_equal(program_hello(&second, NULL, NULL, 0, NULL), VACCEL_EDQUOT);
	assert_non_null(strstr(second.words, "permits 1 connections"));
	program_expect_end(&second);
	program_close(&second);
	program_close(&first);
}

static void test_nothing_before_hello(void **state)
{
	static const enum frame_kind kinds[] = {FRAME_CALL, FRAME_PING, FRAME_CANCEL, FRAME_PONG,
						FRAME_WELCOME};
	struct program program;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		program_open(&program, &bed);
		program_send_frame(&program, kinds[i], 1);
		program_expect_end(&program);
		program_close(&program);
	}
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), sizeof(kinds) / sizeof(kinds[0]));
}

/* Nor is it told how large a message may be, or that there is no memory. */
static void test_no_answers_before_hello(void **state)
{
	static const struct frame large[] = {
		{.kind = FRAME_CALL, .request = 5, .head_size = 8200},
		{.kind = FRAME_HELLO, .request = 5, .head_size = 8200},
		{.kind = FRAME_HELLO, .request = 5, .payload_size = 4104},
	};
	unsigned char bytes[FRAME_SIZE + 8] = {0};
	struct program program;

	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		program_open(&program, &bed);
		frame_put(&large[i], bytes);
		assert_int_equal(write(link_fd(program.link), bytes, FRAME_SIZE), FRAME_SIZE);
		program_expect_end(&program);
		program_close(&program);
	}
	frame_put(&(struct frame){.kind = FRAME_CALL, .request = 5, .payload_size = 8}, bytes);
	bed.worker.memory.limit = 0;
	program_open(&program, &bed);
	assert_int_equal(write(link_fd(program.link), bytes, sizeof(bytes)), sizeof(bytes));
	program_expect_end(&program);
	program_close(&program);
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 4);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 0);
	/* Who may come comes in. */
	program_connect(&program, &bed, NULL);
	program_close(&program);
}

/* A client that is killed has sent no nonsense. */
static void test_half_a_message(void **state)
{
	struct program program;
	unsigned char half[FRAME_SIZE];
	const struct frame frame = {.kind = FRAME_CALL, .op = VACCEL_OP_NOOP, .payload_size = 4096};

	frame_put(&frame, half);
	for (int part = 1; part <= 2; part++) {
		program_connect(&program, &bed, NULL);
		assert_true(write(link_fd(program.link), half, FRAME_SIZE * part / 2) > 0);
		program_close(&program);
		while (atomic_load(&bed.worker.stats->connections))
			usleep(1000);
	}
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 0);
	program_open(&program, &bed);
	assert_true(write(link_fd(program.link), "GET / HTTP/1.0\r\n", 16) == 16);
	memset(half, 'x', sizeof(half));
	assert_true(write(link_fd(program.link), half, sizeof(half)) == sizeof(half));
	program_expect_end(&program);
	program_close(&program);
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 1);
}

static void test_what_no_client_sends(void **state)
{
	static const enum frame_kind kinds[] = {FRAME_HELLO, FRAME_WELCOME, FRAME_REPLY,
						FRAME_GOAWAY};
	struct program program;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		program_connect(&program, &bed, NULL);
		program_send_frame(&program, kinds[i], 1);
		program_expect_end(&program);
		program_close(&program);
	}
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), sizeof(kinds) / sizeof(kinds[0]));
}

static void test_malformed_hello(void **state)
{
	struct frame frame = {.kind = FRAME_HELLO, .request = 9, .head_size = 16};
	uint64_t head[2] = {1, 2};
	struct message message;
	struct program program;

	program_open(&program, &bed);
	assert_int_equal(link_send(program.link, &frame, head, NULL, -1, FOREVER), VACCEL_OK);
	program_receive(&program, &message);
	assert_int_equal(message.frame.kind, FRAME_WELCOME);
	assert_int_equal(message.frame.request, 9);
	assert_int_equal(message.frame.status, VACCEL_EINVAL);
	program_expect_end(&program);
	program_close(&program);
}

/* Requests that cannot be */

static void test_stale_epoch(void **state)
{
	struct program program;
	int64_t session;

	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	program.epoch = EPOCH + 1;
	assert_int_equal(program_noop(&program, session), VACCEL_ESESS);
	assert_int_equal(bed_refused(&bed, REFUSED_STALE), 1);
	program.epoch = EPOCH;
	assert_int_equal(program_noop(&program, session), VACCEL_OK);
	program_close(&program);
}

static int ask_number(struct program *program, uint32_t number)
{
	struct frame frame = {
		.kind = FRAME_CALL, .op = number, .request = ++program->request, .epoch = EPOCH};
	struct message message;

	assert_int_equal(link_send(program->link, &frame, NULL, NULL, -1, FOREVER), VACCEL_OK);
	program_receive(program, &message);
	assert_int_equal(message.frame.kind, FRAME_REPLY);
	assert_int_equal(message.frame.request, frame.request);
	assert_int_equal(message.frame.op, number);
	return message.frame.status;
}

static void test_unknown_operations(void **state)
{
	struct program program;

	program_connect(&program, &bed, NULL);
	assert_int_equal(ask_number(&program, 60), VACCEL_ENOTSUP);
	assert_int_equal(ask_number(&program, 128), VACCEL_ENOTSUP);
	assert_int_equal(ask_number(&program, 255), VACCEL_ENOTSUP);
	assert_int_equal(ask_number(&program, VACCEL_OP_HELLO), VACCEL_ENOSYS);
	assert_int_equal(ask_number(&program, CONTROL_FIRST + CONTROL_COUNT), VACCEL_ENOSYS);
	assert_int_equal(ask_number(&program, UINT32_MAX), VACCEL_ENOSYS);
	assert_int_equal(ask_number(&program, VACCEL_OP_SESSION_OPEN), VACCEL_EINVAL);
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 1);
	program_close(&program);
}

static void test_too_large(void **state)
{
	struct program program;
	struct frame frame = {.kind = FRAME_CALL, .request = 5, .epoch = EPOCH};
	static char bytes[1 << 20];
	struct iovec piece = {bytes, sizeof(bytes)};
	struct pieces pieces = {&piece, 1, 1, sizeof(bytes)};
	struct message message;

	bed_stop(&bed);
	bed_init(&bed);
	bed.setup.policy.payload = 65536;
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	/* It is refused before it has come, so that not all of it can be sent. */
	link_send(program.link, &frame, NULL, &pieces, -1, time_now() + SECOND);
	program_receive(&program, &message);
	assert_int_equal(message.frame.kind, FRAME_REPLY);
	assert_int_equal(message.frame.request, 5);
	assert_int_equal(message.frame.status, VACCEL_EDQUOT);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 1);
	assert_int_equal(bed.worker.stats->calls[VACCEL_OP_NOOP][status_to_wire(VACCEL_EDQUOT)], 1);
	program_close(&program);
}

/* On 32 bits, what a policy permits may be more than a size can say. */
static void test_more_than_memory_can_be(void **state)
{
	struct program program;

	bed_stop(&bed);
	bed_init(&bed);
	bed.setup.policy.memory = bed.setup.policy.payload = UINT64_MAX;
	bed_start(&bed);
	assert_int_equal(bed.worker.setup.policy.payload, PTRDIFF_MAX);
	assert_int_equal(bed.worker.memory.limit, SIZE_MAX);
	program_connect(&program, &bed, NULL);
	assert_int_equal(program_noop(&program, program_session(&program)), VACCEL_OK);
	program_close(&program);
}

static void test_no_memory_left(void **state)
{
	static int32_t values[1 << 18];
	struct vaccel_fpga_arraycopy_args args = {{values, 1 << 18}, {values, 1 << 18}};
	struct program program;
	int64_t session;

	bed_stop(&bed);
	bed_init(&bed);
	bed.setup.policy.memory = 1 << 19;
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	/* A payload beyond it; then one whose output is. The connection lives on. */
	assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
			 VACCEL_EDQUOT);
	assert_non_null(strstr(program.words, "policy 'default' permits 524288"));
	args.a.count = args.out.count = 1 << 15;
	assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
			 VACCEL_OK);
	args.a.count = args.out.count = 5 << 14;
	assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
			 VACCEL_EDQUOT);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 2);
	assert_int_equal(program_noop(&program, session), VACCEL_OK);
	program_close(&program);
}

/* While there is none for a payload. */
static atomic_bool no_memory;

void *__real_spare_take(struct spare *spare, size_t size);
void *__wrap_spare_take(struct spare *spare, size_t size);

void *__wrap_spare_take(struct spare *spare, size_t size)
{
	return atomic_load(&no_memory) ? NULL : __real_spare_take(spare, size);
}

/* What was counted for a payload that could not be had is given back. */
static void test_no_memory_for_a_payload(void **state)
{
	int32_t values[2] = {1, 2};
	struct vaccel_fpga_arraycopy_args args = {{values, 2}, {values, 2}};
	struct program program;
	int64_t session;

	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	atomic_store(&no_memory, true);
	assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
			 VACCEL_ENOMEM);
	assert_string_equal(program.words, "no memory for a payload of 8 bytes");
	assert_int_equal(bed.worker.memory.used, 0);
	atomic_store(&no_memory, false);
	assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
			 VACCEL_OK);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 0);
	program_close(&program);
}

/* A message in pieces takes as long as it takes; no thread waits for it. */
static void test_trickle(void **state)
{
	struct program slow[64], quick;
	unsigned char bytes[FRAME_SIZE];
	struct frame frame = {.kind = FRAME_PING, .request = 3};
	struct message message;
	int64_t session;

	program_connect(&quick, &bed, NULL);
	session = program_session(&quick);
	for (int i = 0; i < 64; i++)
		program_connect(&slow[i], &bed, NULL);
	frame_put(&frame, bytes);
	for (size_t at = 0; at < FRAME_SIZE; at++) {
		for (int i = 0; i < 64; i++)
			assert_int_equal(write(link_fd(slow[i].link), bytes + at, 1), 1);
		assert_int_equal(program_noop(&quick, session), VACCEL_OK);
	}
	for (int i = 0; i < 64; i++) {
		program_receive(&slow[i], &message);
		assert_int_equal(message.frame.kind, FRAME_PONG);
		assert_int_equal(message.frame.request, 3);
		program_close(&slow[i]);
	}
	program_close(&quick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BED(&bed, test_calls),
		IN_BED(&bed, test_payloads_both_ways),
		IN_BED(&bed, test_outputs_that_grow),
		IN_BED(&bed, test_another_connection_of_the_client),
		IN_BED(&bed, test_foreign_sessions),
		IN_BED(&bed, test_tokens),
		IN_BED(&bed, test_sessions_end_with_their_client),
		IN_BED(&bed, test_closed_sessions),
		IN_BED(&bed, test_session_closed_while_in_use),
		IN_BED(&bed, test_session_quota),
		IN_BED(&bed, test_bearer),
		cmocka_unit_test_prestate_setup_teardown(test_fates, setup_fate, bed_teardown,
							 &bed),
		IN_BED(&bed, test_connection_quota),
		IN_BED(&bed, test_nothing_before_hello),
		IN_BED(&bed, test_no_answers_before_hello),
		IN_BED(&bed, test_half_a_message),
		IN_BED(&bed, test_what_no_client_sends),
		IN_BED(&bed, test_malformed_hello),
		IN_BED(&bed, test_stale_epoch),
		IN_BED(&bed, test_unknown_operations),
		IN_BED(&bed, test_too_large),
		IN_BED(&bed, test_more_than_memory_can_be),
		IN_BED(&bed, test_no_memory_left),
		IN_BED(&bed, test_no_memory_for_a_payload),
		IN_BED(&bed, test_trickle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
