// SPDX-License-Identifier: Apache-2.0
/* Calls: what travels, and what becomes of one whose connection is lost. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"

static int minmax(double *ret_min)
{
	const double samples[] = {3, 1, 2};
	double out[3], max;

	return vaccel_minmax(&sess, samples, 3, 0, 9, out, ret_min, &max);
}

static int exec_copy(char *to)
{
	struct vaccel_arg read = {.buf = (char[]){"seven"}, .size = 6};
	struct vaccel_arg write = {.buf = to, .size = 6};

	return vaccel_exec(&sess, "lib", "f", &read, 1, &write, 1);
}

static void test_session_is_one_round_trip(void **state)
{
	struct vaccel_session other;

	assert_true(sess.is_virtio);
	assert_true(sess.remote_id > 1000);
	assert_int_equal(fake_messages(fake, FRAME_CALL), 1);
	assert_int_equal(vaccel_session_init(&other, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_GPU),
			 VACCEL_OK);
	assert_int_equal(fake_messages(fake, FRAME_CALL), 2);
	assert_int_equal(fake_hint(fake, other.remote_id), VACCEL_PLUGIN_GPU);
	assert_int_equal(vaccel_session_update(&other, VACCEL_PLUGIN_REMOTE | VACCEL_PLUGIN_CPU),
			 VACCEL_OK);
	assert_int_equal(fake_hint(fake, other.remote_id), VACCEL_PLUGIN_CPU);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(fake_messages(fake, FRAME_CALL), 4);
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 1);
	assert_int_equal(fake_sessions(fake), 1);
}

static void test_results_come_back(void **state)
{
	char copy[6] = "";
	double min = 0;

	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(minmax(&min), VACCEL_OK);
	assert_true(min == -1);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
	assert_string_equal(copy, "seven");
	assert_int_equal(fake_connections(fake), 1);
}

static void test_failure_has_the_words_of_the_agent(void **state)
{
	struct trick trick = {&vaccel_op_noop,		1,   bed_fail, VACCEL_EBUSY,
			      "too much\x1b[31m of it", true};

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_noop(&sess), VACCEL_EBUSY);
	assert_string_equal(vaccel_error_text(), "too much?[31m of it");
	trick.times = 1;
	trick.words = "";
	assert_int_equal(vaccel_noop(&sess), VACCEL_EBUSY);
	bed_said("noop: unix://");
	bed_said("gives no reason");
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_connections(fake), 1);
}

static void test_pure_is_repeated_once(void **state)
{
	struct trick trick = {&vaccel_op_noop, 1, bed_hang_up};

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_noop), 2);
	trick.times = 2;
	assert_int_equal(vaccel_noop(&sess), VACCEL_EREMOTEIO);
	bed_said("whether it ran is not known");
	assert_int_equal(fake_calls(fake, &vaccel_op_noop), 4);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_sessions(fake), 1);
}

static void test_effect_is_never_repeated(void **state)
{
	struct trick trick = {&vaccel_op_exec, 1, bed_hang_up};
	char copy[6] = "";

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(exec_copy(copy), VACCEL_EREMOTEIO);
	bed_said("exec: lost the agent in the middle of it");
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 1);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
	assert_string_equal(copy, "seven");
}

static void test_what_ended_a_worker_is_not_repeated(void **state)
{
	struct trick trick = {&vaccel_op_noop, 1, bed_restart, VACCEL_EBACKEND,
			      "worker was ended by signal 6 while it ran noop"};

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_noop(&sess), VACCEL_EBACKEND);
	assert_string_equal(vaccel_error_text(), trick.words);
	assert_int_equal(fake_calls(fake, &vaccel_op_noop), 1);
	/* One whose end has no words either. */
	trick.times = 1;
	trick.words = NULL;
	assert_int_equal(vaccel_noop(&sess), VACCEL_EBACKEND);
	bed_said("the agent's worker ended");
	/* An agent that was started anew knows nothing of the one before. */
	trick.times = 1;
	trick.code = 0;
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_sessions(fake), 1);
}

/* An agent's EAGAIN is an answer like any other, wherever it comes. */
static void test_again_is_the_programs_to_try(void **state)
{
	struct trick trick = {&vaccel_op_exec, 3, bed_fail, VACCEL_EAGAIN, "come back later", true};
	char copy[6] = "";

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(exec_copy(copy), VACCEL_EAGAIN);
	assert_string_equal(vaccel_error_text(), trick.words);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 1);
	/* As the end of a worker. */
	trick = (struct trick){&vaccel_op_exec, 3, bed_restart, VACCEL_EAGAIN, "it will be back"};
	assert_int_equal(exec_copy(copy), VACCEL_EAGAIN);
	assert_string_equal(vaccel_error_text(), trick.words);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 2);
	/* To the session, which is made anew before the call. */
	trick = (struct trick){&vaccel_op_session_open, 3,   bed_fail, VACCEL_EAGAIN,
			       "full for now",		true};
	assert_int_equal(exec_copy(copy), VACCEL_EAGAIN);
	assert_string_equal(vaccel_error_text(), trick.words);
	assert_int_equal(fake_calls(fake, &vaccel_op_session_open), 2);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 2);
	fake_script(fake, NULL, NULL);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
}

/* An idle connection that broke costs nothing: the agent never had the call. */
static void test_lost_while_idle(void **state)
{
	char copy[6] = "";

	for (int i = 0; i < 3; i++) {
		fake_restart(fake, VACCEL_EBACKEND, "it crashed");
		fake_await_connections(fake, 0);
		assert_int_equal(exec_copy(copy), VACCEL_OK);
		assert_int_equal(fake_calls(fake, &vaccel_op_exec), i + 1);
	}
}

/* Half of an answer that goes where the next request would be read from; or half of a failure. */
static enum verdict answer_half(struct turn *turn, struct trick *trick)
{
	struct vaccel_blas_sgemm_args *args = turn_args(turn);
	struct frame frame = {.kind = FRAME_REPLY,
			      .op = VACCEL_OP_BLAS_SGEMM,
			      .request = turn->message.frame.request,
			      .status = trick->code,
			      .head_size = trick->code ? 32 : 24,
			      .payload_size = args->c.count * sizeof(float)};
	const uint64_t head[] = {0, frame.payload_size, PAYLOAD_INLINE, 0};

	turn_frame(turn, &frame, trick->code ? head : head + 1, NULL);
	turn_write(turn, "12345678", 8);
	return HANG_UP;
}

static void test_inout_that_was_written_is_not_repeated(void **state)
{
	struct trick trick = {&vaccel_op_blas_sgemm, 1, answer_half};
	float a[4] = {1}, b[4] = {1}, c[4] = {1};

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_sgemm(&sess, 2, 2, 2, 1, a, 2, b, 2, 1, c, 2), VACCEL_EREMOTEIO);
	assert_int_equal(fake_calls(fake, &vaccel_op_blas_sgemm), 1);
	trick = (struct trick){&vaccel_op_blas_sgemm, 1, answer_half, VACCEL_EBACKEND};
	assert_int_equal(vaccel_sgemm(&sess, 2, 2, 2, 1, a, 2, b, 2, 1, c, 2), VACCEL_EREMOTEIO);
	assert_int_equal(fake_calls(fake, &vaccel_op_blas_sgemm), 2);
	/* It has none, and may be written twice. */
	trick = (struct trick){&vaccel_op_blas_sgemm, 1, bed_hang_up};
	assert_int_equal(vaccel_sgemm(&sess, 2, 2, 2, 1, a, 2, b, 2, 1, c, 2), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_blas_sgemm), 4);
}

static void test_unknown_session_is_made_anew(void **state)
{
	struct trick trick = {&vaccel_op_exec,	   1,	 bed_fail, VACCEL_ESESS,
			      "never heard of it", false};
	char copy[6] = "";
	vaccel_id_t id = sess.remote_id;

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 2);
	assert_int_not_equal(sess.remote_id, id);
	/* Once, and not if it ran. */
	trick.times = 2;
	assert_int_equal(exec_copy(copy), VACCEL_ESESS);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 4);
	trick.times = 1;
	trick.ran = true;
	assert_int_equal(exec_copy(copy), VACCEL_ESESS);
	assert_string_equal(vaccel_error_text(), "never heard of it");
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 5);
}

/* It knows no session, and has run the call all the same. */
static enum verdict rewrite_and_deny(struct turn *turn, struct trick *trick)
{
	struct vaccel_exec_args *args = turn_args(turn);
	struct encoder encoder = {0};
	struct frame frame = {.kind = FRAME_REPLY,
			      .op = VACCEL_OP_EXEC,
			      .request = turn->message.frame.request,
			      .status = trick->code};

	memcpy(args->write.data[0].buf, "other", 6);
	assert_int_equal(encode_failure(&encoder, turn_op(turn), args, trick->words), VACCEL_OK);
	frame.head_size = encoder.head_size;
	frame.payload_size = encoder.payload.size;
	link_send(turn->link, &frame, encoder.head, &encoder.payload, -1, FOREVER);
	encoder_release(&encoder);
	return DONE;
}

/* Else what one agent has written would be another's to read. */
static void test_what_was_written_is_not_sent_again(void **state)
{
	struct trick trick = {&vaccel_op_exec, 1, rewrite_and_deny, VACCEL_ESESS,
			      "never heard of it"};
	char copy[6] = "mine";

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(exec_copy(copy), VACCEL_ESESS);
	assert_string_equal(vaccel_error_text(), trick.words);
	assert_string_equal(copy, "other");
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 1);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
	assert_string_equal(copy, "seven");
}

static void test_operation_that_the_agent_lacks(void **state)
{
	double min;

	fake_hide_op(fake, &vaccel_op_minmax);
	fake_restart(fake, 0, "");
	assert_int_equal(minmax(&min), VACCEL_ENOTSUP);
	bed_said("minmax: ");
	bed_said("does not know this operation");
	assert_int_equal(fake_calls(fake, &vaccel_op_minmax), 0);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
}

static void test_more_than_the_agent_takes(void **state)
{
	size_t size = 1 << 20;
	struct vaccel_arg read = {.buf = calloc(1, size), .size = size};

	fake_set_payload_max(fake, 65536);
	fake_restart(fake, 0, "");
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, NULL, 0), VACCEL_EDQUOT);
	bed_said("takes at most");
	read.size = 60000;
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, NULL, 0), VACCEL_OK);
	free(read.buf);
}

/* Time */

static void test_late_answer_is_left_aside(void **state)
{
	struct trick trick = {&vaccel_op_exec, 1, bed_ignore};
	char copy[6] = "keep";

	bed_set("VACCEL_TIMEOUT_MS", "400");
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(exec_copy(copy), VACCEL_ETIMEDOUT);
	bed_said("has not answered in time; VACCEL_TIMEOUT_MS is 400");
	fake_await_messages(fake, FRAME_CANCEL, 1);
	assert_string_equal(copy, "keep");
	/* That connection owes an answer, so another one is taken. */
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
	assert_int_equal(fake_connections(fake), 2);
}

struct late {
	uint64_t request;
	sem_t answered;
};

/* Answers the cancelled call when it hears of the cancellation. */
static enum verdict answer_late(struct turn *turn, void *context)
{
	struct late *late = context;

	if (turn_op(turn) == &vaccel_op_exec && !late->request) {
		late->request = turn->message.frame.request;
		return DONE;
	}
	if (turn->message.frame.kind == FRAME_CANCEL) {
		struct frame frame = {.kind = FRAME_REPLY,
				      .op = VACCEL_OP_EXEC,
				      .request = late->request,
				      .head_size = 40,
				      .payload_size = 8};
		const uint64_t head[] = {1, 0, 6, PAYLOAD_INLINE, 0};

		assert_int_equal(turn->message.frame.request, late->request);
		turn_frame(turn, &frame, head, "LATE!!!!");
		sem_post(&late->answered);
		return DONE;
	}
	return GO_ON;
}

static void test_answer_that_came_late_frees_the_connection(void **state)
{
	struct late late = {0};
	char copy[6] = "keep", next[6] = "";
	unsigned int before;

	bed_set("VACCEL_TIMEOUT_MS", "400");
	sem_init(&late.answered, 0, 0);
	before = fake_messages(fake, FRAME_HELLO);
	fake_script(fake, answer_late, &late);
	assert_int_equal(exec_copy(copy), VACCEL_ETIMEDOUT);
	sem_wait(&late.answered);
	/* It is nobody's answer now. */
	fake_script(fake, NULL, NULL);
	assert_int_equal(UNHURRIED(exec_copy(next)), VACCEL_OK);
	assert_string_equal(next, "seven");
	assert_string_equal(copy, "keep");
	assert_int_equal(fake_messages(fake, FRAME_CANCEL), 1);
	assert_int_equal(fake_messages(fake, FRAME_HELLO), before);
	sem_destroy(&late.answered);
}

static enum verdict hush(struct turn *turn, void *context)
{
	return turn->message.frame.kind == FRAME_HELLO ? DONE : GO_ON;
}

static void test_deadline_covers_connecting(void **state)
{
	bed_set("VACCEL_TIMEOUT_MS", "400");
	fake_disconnect(fake);
	fake_script(fake, hush, NULL);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ETIMEDOUT);
	fake_script(fake, NULL, NULL);
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
	/* And waiting for one that has gone. */
	fake_listen(fake, false);
	fake_disconnect(fake);
	assert_int_not_equal(vaccel_noop(&sess), VACCEL_OK);
	fake_listen(fake, true);
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
}

static enum verdict say_goodbye(struct turn *turn, void *context)
{
	struct frame goodbye = {.kind = FRAME_GOAWAY};
	bool *said = context;

	if (turn_op(turn) == &vaccel_op_exec && !*said) {
		*said = true;
		turn_frame(turn, &goodbye, NULL, NULL);
	}
	return GO_ON;
}

static void test_agent_that_drains(void **state)
{
	bool said = false;
	char copy[6] = "";

	fake_script(fake, say_goodbye, &said);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
	assert_string_equal(copy, "seven");
	fake_await_connections(fake, 0);
	assert_int_equal(exec_copy(copy), VACCEL_OK);
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 2);
}

/* One thread hears that the agent drains when another has begun a call, and not sent it. */
struct draining {
	sem_t go_away, returned;
};

static enum verdict drain_in_between(struct turn *turn, void *context)
{
	const struct frame goodbye = {.kind = FRAME_GOAWAY};
	struct draining *draining = context;

	if (turn_op(turn) == &vaccel_op_noop) {
		sem_wait(&draining->go_away);
		turn_frame(turn, &goodbye, NULL, NULL);
	}
	if (turn_op(turn) == &vaccel_op_region_drop) {
		sem_post(&draining->go_away);
		sem_wait(&draining->returned);
	}
	if (turn_op(turn) != &vaccel_op_exec)
		return GO_ON;
	/* Its argument is in a region. */
	turn_reply(turn, &(struct vaccel_exec_args){0});
	return DONE;
}

static void *call_the_draining(void *context)
{
	struct draining *draining = context;

	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	sem_post(&draining->returned);
	return NULL;
}

static void test_agent_that_drains_between_calls(void **state)
{
	struct draining draining;
	/* More than is kept of memory that was freed. */
	struct vaccel_arg read = {.size = 512 << 20};
	struct vaccel_resource lib;
	pthread_t thread;

	sem_init(&draining.go_away, 0, 0);
	sem_init(&draining.returned, 0, 0);
	fake_set_region_max(fake, 1 << 30);
	bed_set("VACCEL_TIMEOUT_MS", NULL);
	assert_int_equal(
		vaccel_resource_init_from_buf(&lib, "code", 4, VACCEL_RESOURCE_LIB, "l.so", false),
		VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&lib, &sess), VACCEL_OK);
	fake_script(fake, drain_in_between, &draining);
	assert_int_equal(pthread_create(&thread, NULL, call_the_draining, &draining), 0);
	fake_await_calls(fake, &vaccel_op_noop, 1);
	read.buf = vaccel_alloc(read.size);
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, NULL, 0), VACCEL_OK);
	vaccel_free(read.buf);
	/* It takes the region back, and then looks for the resource's id. */
	assert_int_equal(vaccel_exec_with_resource(&sess, &lib, "f", NULL, 0, NULL, 0), VACCEL_OK);
	pthread_join(thread, NULL);
	assert_int_equal(fake_calls(fake, &vaccel_op_region_drop), 1);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec_with_resource), 1);
	assert_int_equal(vaccel_resource_release(&lib), VACCEL_OK);
	sem_destroy(&draining.go_away);
	sem_destroy(&draining.returned);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)
	const struct CMUnitTest tests[] = {
		TEST(test_session_is_one_round_trip),
		TEST(test_results_come_back),
		TEST(test_failure_has_the_words_of_the_agent),
		TEST(test_pure_is_repeated_once),
		TEST(test_effect_is_never_repeated),
		TEST(test_what_ended_a_worker_is_not_repeated),
		TEST(test_again_is_the_programs_to_try),
		TEST(test_lost_while_idle),
		TEST(test_inout_that_was_written_is_not_repeated),
		TEST(test_unknown_session_is_made_anew),
		TEST(test_what_was_written_is_not_sent_again),
		TEST(test_operation_that_the_agent_lacks),
		TEST(test_more_than_the_agent_takes),
		TEST(test_late_answer_is_left_aside),
		TEST(test_answer_that_came_late_frees_the_connection),
		TEST(test_deadline_covers_connecting),
		TEST(test_agent_that_drains),
		TEST(test_agent_that_drains_between_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
