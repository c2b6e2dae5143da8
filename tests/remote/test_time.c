// SPDX-License-Identifier: Apache-2.0
/* Time: how often an agent that is gone is asked, and what becomes of calls whose time is over. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bed.h"

/* Enough for a machine that does other things. */
#define SLACK (5 * SECOND)

/* As the plugin's. */
#define BACKOFF_LEAST (10 * MILLISECOND)
#define BACKOFF_MOST  SECOND

/* Connecting */

#define KNOCKS_MAX 256

struct knocks {
	int refused; /* of HELLOs that are still to be refused */
	int nr;
	int64_t at[KNOCKS_MAX];
};

static struct knocks knocks;

static enum verdict refuse(struct turn *turn, void *context)
{
	if (turn->message.frame.kind != FRAME_HELLO || !knocks.refused)
		return GO_ON;
	knocks.refused--;
	knocks.at[knocks.nr++] = time_now();
	return HANG_UP;
}

/* A call to an agent that refuses so many first; what it gives, and how long it took. */
static int knock(int refused, int64_t *ret_took)
{
	int64_t began;
	int ret;

	knocks = (struct knocks){.refused = refused};
	fake_script(fake, refuse, NULL);
	fake_disconnect(fake);
	began = time_now();
	ret = vaccel_noop(&sess);
	*ret_took = time_now() - began;
	if (ret)
		fake_await_connections(fake, 0);
	fake_script(fake, NULL, NULL);
	return ret;
}

/* It has been there then, so that all begins anew. */
static void find_it(void)
{
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
}

/* Each attempt knocks twice at once; the next one comes after twice the time, up to a second. */
static void check_schedule(void)
{
	int64_t backoff = BACKOFF_LEAST;

	for (int i = 2; i < knocks.nr; i += 2) {
		assert_true(knocks.at[i] - knocks.at[i - 1] >= backoff);
		backoff = 2 * backoff < BACKOFF_MOST ? 2 * backoff : BACKOFF_MOST;
	}
}

static void test_agent_that_is_gone_is_asked_ever_more_rarely(void **state)
{
	int64_t took;
	int tries = 0;

	bed_set("VACCEL_TIMEOUT_MS", "1000");
	do {
		assert_true(tries++ < TRIES);
		assert_int_not_equal(knock(KNOCKS_MAX, &took), VACCEL_OK);
		/* At 0, 10, 30, 70, 150, 310 and 630 ms; fewer on a busy machine. */
		assert_true(knocks.nr <= 14);
		check_schedule();
		find_it();
	} while (knocks.nr < 8 || took > SECOND + SLACK);
}

static void test_agent_that_comes_back_is_found(void **state)
{
	int64_t took;
	int ret, tries = 0, rounds = 0;

	/* From the beginning again, since it has been there: 310 ms. */
	while (rounds < 2) {
		assert_true(tries++ < 2 * TRIES);
		ret = knock(11, &took);
		check_schedule();
		if (ret) {
			/* It was too slow for the plugin's patience. */
			assert_true(took >= 5 * SECOND);
			find_it();
		} else {
			assert_int_equal(knocks.nr, 11);
			assert_int_equal(fake_sessions(fake), 1);
			rounds += took < 3310 * MILLISECOND;
		}
	}
}

/* Without a bound, and with an agent that has been there. */
static void test_patience_has_an_end(void **state)
{
	int64_t took;
	int tries = 0;

	do {
		assert_true(tries++ < 2 * TRIES);
		assert_int_equal(knock(KNOCKS_MAX, &took), VACCEL_EREMOTEIO);
		assert_true(took >= 5 * SECOND);
		/* At 1270 ms, and then each second to 5270 ms; or less. */
		assert_true(knocks.nr <= 24);
		check_schedule();
		find_it();
	} while (knocks.nr < 21 || took > 6 * SECOND + SLACK);
}

/* Deadlines */

struct silence {
	const struct vaccel_op *on; /* an answer to it is not given */
	bool greets;
};

static enum verdict lose_then_hush(struct turn *turn, void *context)
{
	struct silence *silence = context;

	if (turn->message.frame.kind == FRAME_HELLO)
		return silence->greets ? GO_ON : DONE;
	if (turn_op(turn) == &vaccel_op_noop) {
		silence->greets = false;
		return HANG_UP;
	}
	return turn_op(turn) == silence->on ? DONE : GO_ON;
}

static void takes_no_longer(const struct vaccel_op *on, bool greets)
{
	static struct silence silence;
	int64_t began, took;
	int tries = 0;

	do {
		assert_true(tries++ < TRIES);
		silence = (struct silence){.on = on, .greets = greets};
		if (greets)
			fake_disconnect(fake);
		fake_script(fake, lose_then_hush, &silence);
		began = time_now();
		assert_int_equal(vaccel_noop(&sess), VACCEL_ETIMEDOUT);
		took = time_now() - began;
		assert_true(took >= 500 * MILLISECOND);
		fake_script(fake, NULL, NULL);
		find_it();
		assert_int_equal(fake_sessions(fake), 1);
	} while (took > 500 * MILLISECOND + SLACK);
}

/* One deadline for the call that was lost, its connection and its session anew. */
static void test_deadline_covers_what_is_done_again(void **state)
{
	bed_set("VACCEL_TIMEOUT_MS", "500");
	takes_no_longer(NULL, false);
	takes_no_longer(&vaccel_op_session_open, true);
}

/* Loses its first message when most of the time is over, and then takes as long to answer. */
static enum verdict sync_slowly(struct turn *turn, void *context)
{
	const struct timespec most = {.tv_nsec = (long)(700 * MILLISECOND)};

	if (turn_op(turn) != &vaccel_op_resource_sync)
		return GO_ON;
	nanosleep(&most, NULL);
	return fake_calls(turn->fake, &vaccel_op_resource_sync) == 1 ? HANG_UP : GO_ON;
}

static void test_deadline_covers_a_sync_that_is_done_again(void **state)
{
	struct vaccel_resource res;
	char text[] = "abc";

	bed_set("VACCEL_TIMEOUT_MS", "1000");
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, text, 3, VACCEL_RESOURCE_DATA, "d", true),
		VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake_script(fake, sync_slowly, NULL);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_ETIMEDOUT);
	fake_script(fake, NULL, NULL);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

/* A registration, which has no deadline, is not answered until it may be. */
struct upload {
	struct vaccel_resource res;
	sem_t go_on;
};

static enum verdict take_long(struct turn *turn, void *context)
{
	struct upload *upload = context;

	if (turn_op(turn) == &vaccel_op_resource_offer)
		sem_wait(&upload->go_on);
	return GO_ON;
}

static void *register_it(void *context)
{
	struct upload *upload = context;

	assert_int_equal(vaccel_resource_register(&upload->res, &sess), VACCEL_OK);
	return NULL;
}

/* While another thread sends the resource for its own session. */
static void test_deadline_covers_a_resource_that_others_send(void **state)
{
	struct vaccel_session other;
	struct upload upload;
	char text[] = "abc";
	pthread_t thread;
	int tries = 0;

	sem_init(&upload.go_on, 0, 0);
	bed_set("VACCEL_TIMEOUT_MS", "500");
	assert_int_equal(vaccel_resource_init_from_buf(&upload.res, text, 3, VACCEL_RESOURCE_DATA,
						       "d", true),
			 VACCEL_OK);
	assert_int_equal(UNHURRIED(vaccel_session_init(&other, 0)), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&upload.res, &other), VACCEL_OK);
	fake_restart(fake, 0, "");
	fake_script(fake, take_long, &upload);
	assert_int_equal(pthread_create(&thread, NULL, register_it, &upload), 0);
	fake_await_calls(fake, &vaccel_op_resource_offer, 2);
	/* Its time may be over before it gets there. */
	do {
		assert_true(tries++ < TRIES);
		assert_int_equal(vaccel_noop(&other), VACCEL_ETIMEDOUT);
	} while (!strstr(vaccel_error_text(), "is being sent, and takes long"));
	sem_post(&upload.go_on);
	pthread_join(thread, NULL);
	assert_int_equal(UNHURRIED(vaccel_noop(&other)), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_resource_offer), 2);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&upload.res), VACCEL_OK);
	sem_destroy(&upload.go_on);
}

/* An answer in two halves: the second when the call has returned. */
struct halves {
	sem_t returned, sent;
};

#define SAMPLES 4096

static enum verdict answer_in_halves(struct turn *turn, void *context)
{
	static const double answer[SAMPLES] = {1};
	const uint64_t head[] = {sizeof(answer), PAYLOAD_INLINE, 0, 0, 0};
	const struct frame frame = {.kind = FRAME_REPLY,
				    .op = VACCEL_OP_MINMAX,
				    .request = turn->message.frame.request,
				    .head_size = sizeof(head),
				    .payload_size = sizeof(answer)};
	struct halves *halves = context;
	size_t half = sizeof(answer) / 2;

	if (turn_op(turn) != &vaccel_op_minmax)
		return GO_ON;
	turn_frame(turn, &frame, head, NULL);
	turn_write(turn, answer, half);
	sem_wait(&halves->returned);
	turn_write(turn, (const char *)answer + half, half);
	sem_post(&halves->sent);
	return DONE;
}

static void test_rest_of_a_late_answer_is_skipped(void **state)
{
	static double samples[SAMPLES], out[SAMPLES];
	struct halves halves;
	unsigned int before;
	double min = 7, max = 7;

	bed_set("VACCEL_TIMEOUT_MS", "500");
	sem_init(&halves.returned, 0, 0);
	sem_init(&halves.sent, 0, 0);
	before = fake_messages(fake, FRAME_HELLO);
	fake_script(fake, answer_in_halves, &halves);
	assert_int_equal(vaccel_minmax(&sess, samples, SAMPLES, 0, 9, out, &min, &max),
			 VACCEL_ETIMEDOUT);
	memset(out, 0x55, sizeof(out));
	sem_post(&halves.returned);
	sem_wait(&halves.sent);
	/* All has come by now: the next call skips it and takes the connection again. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
	assert_int_equal(fake_messages(fake, FRAME_HELLO), before);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(((unsigned char *)out)[i], 0x55);
	sem_destroy(&halves.returned);
	sem_destroy(&halves.sent);
}

/* Answers for a region when it hears that nobody waits for that. */
struct late_region {
	struct frame asked;
	sem_t answered;
};

static enum verdict take_a_region_late(struct turn *turn, void *context)
{
	struct late_region *late = context;

	if (turn_op(turn) == &vaccel_op_region_expect) {
		late->asked = turn->message.frame;
		return DONE;
	}
	if (turn->message.frame.kind != FRAME_CANCEL)
		return GO_ON;
	assert_int_equal(turn->message.frame.request, late->asked.request);
	turn->message.frame = late->asked;
	turn_reply(turn, &(struct vaccel_region_expect_args){0});
	sem_post(&late->answered);
	return DONE;
}

static void test_region_that_is_not_taken_in_time(void **state)
{
	size_t size = 1 << 20;
	struct vaccel_arg read = {.buf = calloc(1, size), .size = size};
	struct late_region late = {0};
	unsigned int before;

	sem_init(&late.answered, 0, 0);
	fake_set_region_max(fake, 1 << 30);
	bed_set("VACCEL_TIMEOUT_MS", "500");
	before = fake_messages(fake, FRAME_HELLO);
	fake_script(fake, take_a_region_late, &late);
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, NULL, 0), VACCEL_ETIMEDOUT);
	sem_wait(&late.answered);
	/* The call was not sent when its time was over, and the connection is as good as before. */
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
	assert_int_equal(fake_messages(fake, FRAME_HELLO), before);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), 0);
	assert_int_equal(fake_messages(fake, FRAME_CANCEL), 1);
	sem_destroy(&late.answered);
	free(read.buf);
}

/* Greets, and then reads nothing more until it is let. */
static enum verdict read_no_more(struct turn *turn, void *context)
{
	sem_t *go_on = context;

	if (turn_op(turn) != &vaccel_op_noop)
		return GO_ON;
	turn_go_on(turn);
	sem_wait(go_on);
	return DONE;
}

static void test_request_that_cannot_be_sent_in_time(void **state)
{
	size_t size = 16 << 20;
	struct vaccel_arg read = {.buf = calloc(1, size), .size = size};
	int64_t began, took;
	int tries = 0;
	sem_t go_on;

	bed_set("VACCEL_TIMEOUT_MS", "500");
	sem_init(&go_on, 0, 0);
	do {
		assert_true(tries++ < TRIES);
		fake_script(fake, read_no_more, &go_on);
		find_it();
		began = time_now();
		assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, NULL, 0),
				 VACCEL_ETIMEDOUT);
		took = time_now() - began;
		assert_true(took >= 500 * MILLISECOND);
		fake_script(fake, NULL, NULL);
		sem_post(&go_on);
		fake_await_connections(fake, 0);
		assert_int_equal(fake_calls(fake, &vaccel_op_exec), 0);
		find_it();
	} while (took > 500 * MILLISECOND + SLACK);
	sem_destroy(&go_on);
	free(read.buf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)
	const struct CMUnitTest tests[] = {
		TEST(test_agent_that_is_gone_is_asked_ever_more_rarely),
		TEST(test_agent_that_comes_back_is_found),
		TEST(test_patience_has_an_end),
		TEST(test_deadline_covers_what_is_done_again),
		TEST(test_deadline_covers_a_sync_that_is_done_again),
		TEST(test_deadline_covers_a_resource_that_others_send),
		TEST(test_rest_of_a_late_answer_is_skipped),
		TEST(test_region_that_is_not_taken_in_time),
		TEST(test_request_that_cannot_be_sent_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
