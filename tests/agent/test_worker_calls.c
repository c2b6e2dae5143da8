// SPDX-License-Identifier: Apache-2.0
/* A worker's calls: several at once, those that wait, and the end of all. */
#include "bed.h"

#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/exec.h>
#include <vaccel/ops/noop.h>

#include "agent/worker/connection/words.h"
#include "base/util.h"
#include "call/call.h"

/* While a call runs */

static struct bed bed;

static void test_ping_during_a_call(void **state)
{
	struct program program;
	struct message message;
	struct gate gate;
	uint64_t request;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	program_send_frame(&program, FRAME_PING, 99);
	program_receive(&program, &message);
	assert_int_equal(message.frame.kind, FRAME_PONG);
	assert_int_equal(message.frame.request, 99);
	/* What runs goes on. */
	program_send_frame(&program, FRAME_CANCEL, request);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	gate_release(&gate);
	program_close(&program);
}

/* What nothing comes on stays with its thread, as often as the watcher looks. */
static void test_ping_late_in_a_call(void **state)
{
	struct program program;
	struct message message;
	struct gate gate;
	uint64_t request;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	for (uint64_t ping = 1; ping <= 2; ping++) {
		bed_watch(&bed);
		program_send_frame(&program, FRAME_PING, ping);
		program_receive(&program, &message);
		assert_int_equal(message.frame.kind, FRAME_PONG);
		assert_int_equal(message.frame.request, ping);
	}
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	gate_release(&gate);
	program_close(&program);
}

/* One call after another, in the thread that had the first. */
static void test_long_calls_in_turn(void **state)
{
	struct program program;
	struct gate gate;
	int64_t session;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	for (int i = 0; i < 3; i++) {
		uint64_t request = gate_send(&gate, &program, session);

		gate_wait(&gate);
		bed_watch(&bed);
		gate_open(&gate);
		assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	}
	gate_release(&gate);
	program_close(&program);
}

static void test_several_at_once_on_a_connection(void **state)
{
	struct vaccel_noop_args noop = {0};
	struct program program;
	struct gate gate;
	uint64_t request;
	int64_t session;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	request = gate_send(&gate, &program, session);
	gate_wait(&gate);
	program_send(&program, session, &vaccel_op_noop, &noop);
	assert_int_equal(program_reply(&program, program.request, &vaccel_op_noop, &noop),
			 VACCEL_OK);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	gate_release(&gate);
	program_close(&program);
}

static void test_peer_gone_during_a_call(void **state)
{
	struct program program;
	struct gate gate;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	program_close(&program);
	gate_open(&gate);
	while (bed.worker.stats->connections)
		usleep(1000);
	gate_release(&gate);
}

static void write_all(struct program *program, const void *bytes, size_t size)
{
	assert_int_equal(write(link_fd(program->link), bytes, size), size);
}

/* Of a message that was slow to come nothing is due any more when it is there. */
static void test_call_that_came_in_parts(void **state)
{
	unsigned char bytes[FRAME_SIZE];
	struct program program;
	struct message message;
	struct encoder *encoder = &program.encoder;
	struct gate gate;
	struct frame frame = {
		.kind = FRAME_CALL,
		.op = VACCEL_OP_FPGA_ARRAYCOPY,
		.epoch = EPOCH,
	};

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	frame.session = program_session(&program);
	frame.request = ++program.request;
	assert_int_equal(encode_request(encoder, &vaccel_op_fpga_arraycopy, &gate.args), VACCEL_OK);
	frame.head_size = encoder->head_size;
	frame.payload_size = encoder->payload.size;
	frame_put(&frame, bytes);
	write_all(&program, bytes, FRAME_SIZE / 2);
	while (!atomic_load(&bed.worker.owing))
		usleep(1000);
	write_all(&program, bytes + FRAME_SIZE / 2, FRAME_SIZE / 2);
	write_all(&program, encoder->head, encoder->head_size);
	for (size_t i = 0; i < encoder->payload.count; i++)
		write_all(&program, encoder->payload.at[i].iov_base,
			  encoder->payload.at[i].iov_len);
	gate_wait(&gate);
	assert_int_equal(atomic_load(&bed.worker.owing), 0);
	/* And so it can be told to go. */
	server_drain(bed.server);
	program_receive(&program, &message);
	assert_int_equal(message.frame.kind, FRAME_GOAWAY);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, frame.request), VACCEL_OK);
	gate_release(&gate);
	program_close(&program);
}

/* The queue */

static int setup_queue(void **state)
{
	bed_init(&bed);
	bed.setup.policy.calls = 1;
	bed.setup.policy.queue = 2;
	bed_start(&bed);
	return 0;
}

static void wait_for_queue(uint32_t nr)
{
	while (queue_waiting(&bed.worker.calls) != nr)
		usleep(1000);
}

static void test_queue(void **state)
{
	struct program program[4];
	struct gate gate[3];
	uint64_t request[3];
	int64_t session[4];
	int64_t begun = time_now(), all_wait, waited;

	for (int i = 0; i < 4; i++) {
		program_connect(&program[i], &bed, NULL);
		session[i] = program_session(&program[i]);
	}
	for (int i = 0; i < 3; i++) {
		gate_init(&gate[i]);
		request[i] = gate_send(&gate[i], &program[i], session[i]);
		if (!i)
			gate_wait(&gate[0]);
		else
			wait_for_queue((uint32_t)i);
	}
	all_wait = time_now();
	assert_int_equal(program_noop(&program[3], session[3]), VACCEL_EBUSY);
	assert_non_null(strstr(program[3].words, "policy 'default' lets 1"));
	assert_int_equal(bed_refused(&bed, REFUSED_BUSY), 1);
	/* Control operations do not wait. */
	program_session(&program[3]);
	waited = time_now() - all_wait;
	for (int i = 0; i < 3; i++) {
		if (i)
			gate_wait(&gate[i]);
		gate_open(&gate[i]);
		assert_int_equal(gate_reply(&gate[i], &program[i], request[i]), VACCEL_OK);
		gate_release(&gate[i]);
	}
	/* Two of them that long at least. */
	assert_in_range(bed.worker.stats->queue.sum_ns, 2 * waited, 2 * (time_now() - begun));
	assert_int_equal(program_noop(&program[3], session[3]), VACCEL_OK);
	for (int i = 0; i < 4; i++)
		program_close(&program[i]);
}

static void test_cancel_in_the_queue(void **state)
{
	struct program program, other;
	struct gate gate, waiting;
	uint64_t request, cancelled;
	int64_t session;

	gate_init(&gate);
	gate_init(&waiting);
	program_connect(&program, &bed, NULL);
	program_connect(&other, &bed, NULL);
	session = program_session(&program);
	request = gate_send(&gate, &program, session);
	gate_wait(&gate);
	cancelled = gate_send(&waiting, &program, session);
	wait_for_queue(1);
	/* Of another connection that number means nothing. */
	program_send_frame(&other, FRAME_CANCEL, cancelled);
	program_session(&other);
	assert_int_equal(queue_waiting(&bed.worker.calls), 1);
	program_send_frame(&program, FRAME_CANCEL, cancelled);
	assert_int_equal(gate_reply(&waiting, &program, cancelled), VACCEL_ECANCELED);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	gate_release(&gate);
	gate_release(&waiting);
	program_close(&program);
	program_close(&other);
}

static void test_what_waits_goes_with_its_connection(void **state)
{
	struct program program, other;
	struct gate gate, waiting;
	uint64_t request;

	gate_init(&gate);
	gate_init(&waiting);
	program_connect(&program, &bed, NULL);
	program_connect(&other, &bed, NULL);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	gate_send(&waiting, &other, program_session(&other));
	wait_for_queue(1);
	program_close(&other);
	wait_for_queue(0);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	gate_release(&gate);
	gate_release(&waiting);
	program_close(&program);
}

/* What the policy permits */

static int setup_ops(void **state)
{
	bed_init(&bed);
	bed_name(&bed.setup.policy.ops, "noop");
	bed_name(&bed.setup.policy.ops, "exec");
	bed_start(&bed);
	return 0;
}

/* And exec needs more than to be listed. */
static void test_operations_that_are_not_listed(void **state)
{
	struct vaccel_fpga_arraycopy_args copy = {0};
	struct vaccel_exec_args exec = {.library = "/any.so", .symbol = "any"};
	struct program program;
	int64_t session;

	program_connect(&program, &bed, NULL);
	session = program_session(&program);
	assert_int_equal(program_noop(&program, session), VACCEL_OK);
	assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &copy),
			 VACCEL_EPERM);
	assert_non_null(strstr(program.words, "policy 'default' does not permit fpga_arraycopy;"));
	assert_non_null(strstr(program.words, "its list ops"));
	assert_int_equal(program_call(&program, session, &vaccel_op_exec, &exec), VACCEL_EPERM);
	assert_non_null(strstr(program.words, "its list exec_libraries"));
	assert_int_equal(bed_refused(&bed, REFUSED_POLICY), 2);
	program_close(&program);
}

/* Words */

static void test_words_name_no_path(void **state)
{
	struct program program;
	struct gate gate;
	uint64_t request;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	close(gate.go[1]);
	gate.go[1] = dup(gate.go[0]);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_EBACKEND);
	assert_string_equal(program.words, "gate: nobody is there, says c.txt");
	gate_release(&gate);
	program_close(&program);
}

static void test_words_name_what_the_client_named(void **state)
{
	static const struct {
		const char *words, *named, *told;
	} cases[] = {
		{"no '/a/b.so', as '/c/b.so'", "/a/b.so", "no '/a/b.so', as 'b.so'"},
		{"no '/a/b.so'", "/a/b.s", "no 'b.so'"},
		{"no '/a/b.so'", "/a", "no 'b.so'"},
		{"no '/a/b c/d.so'", "/a/b c/d.so", "no '/a/b c/d.so'"},
		{"no '/a/b.so'", "b.so", "no 'b.so'"},
		{"no '/a/b.so'", "", "no 'b.so'"},
		{"no '/a/b.so'", NULL, "no 'b.so'"},
	};
	char told[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		words_without_paths(cases[i].words, cases[i].named, told, sizeof(told));
		assert_string_equal(told, cases[i].told);
	}
	words_without_paths("no '/a/b.so'", "/a/b.so", told, sizeof("no '/a"));
	assert_string_equal(told, "no '/a");
}

/* The end */

static void test_drain(void **state)
{
	struct program program, idle;
	struct message message;
	struct gate gate;
	uint64_t request;
	int64_t session;

	gate_init(&gate);
	program_connect(&program, &bed, NULL);
	program_connect(&idle, &bed, NULL);
	session = program_session(&program);
	request = gate_send(&gate, &program, session);
	gate_wait(&gate);
	atomic_store(&bed.worker.draining, true);
	assert_false(server_drain(bed.server));
	program_receive(&idle, &message);
	assert_int_equal(message.frame.kind, FRAME_GOAWAY);
	program_receive(&program, &message);
	assert_int_equal(message.frame.kind, FRAME_GOAWAY);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	/* One that was on its way as the agent said so. */
	assert_int_equal(program_noop(&program, session), VACCEL_OK);
	assert_false(server_drain(bed.server));
	program_close(&idle);
	program_close(&program);
	while (!server_drain(bed.server))
		usleep(1000);
	gate_release(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BED(&bed, test_ping_during_a_call),
		IN_BED(&bed, test_ping_late_in_a_call),
		IN_BED(&bed, test_long_calls_in_turn),
		IN_BED(&bed, test_several_at_once_on_a_connection),
		IN_BED(&bed, test_peer_gone_during_a_call),
		IN_BED(&bed, test_call_that_came_in_parts),
		cmocka_unit_test_prestate_setup_teardown(test_queue, setup_queue, bed_teardown,
							 &bed),
		cmocka_unit_test_prestate_setup_teardown(test_cancel_in_the_queue, setup_queue,
							 bed_teardown, &bed),
		cmocka_unit_test_prestate_setup_teardown(test_what_waits_goes_with_its_connection,
							 setup_queue, bed_teardown, &bed),
		cmocka_unit_test_prestate_setup_teardown(test_operations_that_are_not_listed,
							 setup_ops, bed_teardown, &bed),
		IN_BED(&bed, test_words_name_no_path),
		cmocka_unit_test(test_words_name_what_the_client_named),
		IN_BED(&bed, test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
