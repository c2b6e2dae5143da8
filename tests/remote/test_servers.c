// SPDX-License-Identifier: Apache-2.0
/* Several agents, and agents that make no sense. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bed.h"

/* Enough for a machine that does other things. */
#define SLACK (15 * SECOND)

static struct fake *second;

static int begin_two(void **state)
{
	char addresses[512];

	bed_begin(state);
	second = fake_start();
	snprintf(addresses, sizeof(addresses), "%s,%s", fake_address(fake), fake_address(second));
	bed_set("VACCEL_RPC_ADDRESS", addresses);
	return 0;
}

static int end_two(void **state)
{
	int ret = bed_end(state);

	fake_await_connections(second, 0);
	fake_stop(second);
	return ret;
}

static void reopen(void)
{
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(UNHURRIED(vaccel_session_init(&sess, 0)), VACCEL_OK);
}

/*
 * Where a call has only a part of the time for each: plays it with ever longer times while a call
 * that should succeed comes too late for them. The scene returns what became of that call.
 */
static void play(void **state, int ms, int (*scene)(void))
{
	char limit[16];
	int ret;

	for (int tries = 1;; tries++, ms *= 2) {
		snprintf(limit, sizeof(limit), "%d", ms);
		bed_set("VACCEL_TIMEOUT_MS", limit);
		ret = scene();
		fake_script(fake, NULL, NULL);
		if (ret != VACCEL_ETIMEDOUT || tries == TRIES)
			break;
		end_two(state);
		begin_two(state);
	}
	assert_int_equal(ret, VACCEL_OK);
}

static void test_least_loaded_is_asked(void **state)
{
	fake_set_load(fake, 900);
	fake_set_load(second, 100);
	reopen();
	assert_int_equal(fake_sessions(second), 1);
	fake_set_load(fake, 100);
	fake_set_load(second, 900);
	reopen();
	assert_int_equal(fake_sessions(fake), 1);
}

static void test_next_one_where_one_fails(void **state)
{
	fake_set_load(second, 900);
	reopen();
	assert_int_equal(fake_sessions(fake), 1);
	fake_listen(fake, false);
	fake_disconnect(fake);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(second, &vaccel_op_noop), 1);
	assert_int_equal(fake_sessions(second), 1);
	fake_listen(fake, true);
}

/* Takes connections, and says nothing more. */
static enum verdict be_frozen(struct turn *turn, void *context)
{
	return DONE;
}

static int next_one_where_one_is_frozen(void)
{
	int ret;

	fake_set_load(second, 900);
	reopen();
	assert_int_equal(fake_sessions(fake), 1);
	fake_script(fake, be_frozen, NULL);
	/* One call is lost by that. The next one has time for the other. */
	assert_int_equal(vaccel_noop(&sess), VACCEL_ETIMEDOUT);
	ret = vaccel_noop(&sess);
	if (ret)
		return ret;
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
	assert_int_equal(fake_calls(second, &vaccel_op_noop), 2);
	assert_int_equal(fake_sessions(second), 1);
	return ret;
}

static void test_next_one_where_one_is_frozen(void **state)
{
	play(state, 2000, next_one_where_one_is_frozen);
}

/* What it has changed there is lost, and the session moves. */
static int changes_at_one_that_is_frozen(void)
{
	struct vaccel_resource res;
	int ret;

	fake_set_load(second, 900);
	reopen();
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, "abc", 3, VACCEL_RESOURCE_DATA, "d", true),
		VACCEL_OK);
	assert_int_equal(UNHURRIED(vaccel_resource_register(&res, &sess)), VACCEL_OK);
	assert_int_equal(UNHURRIED(vaccel_exec(&sess, "lib", "f", NULL, 0, NULL, 0)), VACCEL_OK);
	fake_script(fake, be_frozen, NULL);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ETIMEDOUT);
	ret = vaccel_noop(&sess);
	if (ret == VACCEL_ESESS) {
		ret = VACCEL_OK;
		assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
		assert_int_equal(fake_calls(second, &vaccel_op_noop), 1);
	}
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	return ret;
}

static void test_changes_at_one_that_is_frozen(void **state)
{
	play(state, 2000, changes_at_one_that_is_frozen);
}

/* A session that may be out of time is opened in the end, for whoever closes it. */
static int open_session(void)
{
	int ret = vaccel_session_init(&sess, 0);

	fake_script(fake, NULL, NULL);
	if (ret)
		assert_int_equal(UNHURRIED(vaccel_session_init(&sess, 0)), VACCEL_OK);
	return ret;
}

static int session_where_one_is_frozen(void)
{
	int ret;

	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	fake_script(fake, be_frozen, NULL);
	ret = open_session();
	if (ret)
		return ret;
	assert_int_equal(fake_sessions(second), 1);
	assert_int_equal(UNHURRIED(vaccel_noop(&sess)), VACCEL_OK);
	return ret;
}

static void test_session_where_one_is_frozen(void **state)
{
	play(state, 1000, session_where_one_is_frozen);
}

static int64_t time_to_open(struct vaccel_session *session)
{
	int64_t began = time_now();

	assert_int_equal(vaccel_session_init(session, 0), VACCEL_OK);
	return time_now() - began;
}

/* Whoever opens a session a moment later finds that loads have to be asked for again. */
static void let_loads_age(void)
{
	const struct timespec a_while = {.tv_sec = 1, .tv_nsec = (long)(50 * MILLISECOND)};

	nanosleep(&a_while, NULL);
}

static void test_one_that_is_dead_is_not_waited_for(void **state)
{
	struct vaccel_session other;
	int64_t least = INT64_MAX;

	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	fake_script(fake, be_frozen, NULL);
	fake_set_load(second, 900);
	time_to_open(&sess);
	assert_int_equal(fake_sessions(second), 1);
	for (int i = 0; i < 4; i++) {
		int64_t time;

		let_loads_age();
		time = time_to_open(&other);
		least = time < least ? time : least;
		assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	}
	/* Of 1 s for which an agent is asked how busy it is. */
	assert_true(least < 900 * MILLISECOND);
	/* It is noticed when it lives again. */
	fake_script(fake, NULL, NULL);
	for (int64_t until = time_now() + SLACK; !fake_sessions(fake) && time_now() < until;) {
		assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
		assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	}
	assert_int_equal(fake_sessions(fake), 1);
}

/* To ask how busy an agent is takes a connection, but leaves no more of them. */
static void test_connections_do_not_pile_up(void **state)
{
	struct vaccel_session other;
	unsigned int greetings = fake_messages(fake, FRAME_HELLO);

	for (int i = 0; i < 4; i++) {
		let_loads_age();
		time_to_open(&other);
		assert_int_equal(vaccel_noop(&other), VACCEL_OK);
		assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	}
	assert_int_equal(fake_messages(fake, FRAME_HELLO), greetings + 4);
	fake_await_connections(fake, 1);
	fake_await_connections(second, 1);
	assert_int_equal(fake_sessions(fake), 1);
}

static enum verdict greet_late(struct turn *turn, void *context)
{
	atomic_int *ignored = context;

	return turn->message.frame.kind == FRAME_HELLO && --*ignored >= 0 ? DONE : GO_ON;
}

static int session_where_one_is_slow(void)
{
	static atomic_int ignored;
	int ret;

	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	fake_listen(second, false);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	ignored = 2;
	fake_script(fake, greet_late, &ignored);
	ret = open_session();
	fake_listen(second, true);
	if (ret)
		return ret;
	assert_true(ignored < 0);
	assert_int_equal(fake_sessions(fake), 1);
	return ret;
}

/* Where the other one fails at once, it has not only half of the time. */
static void test_session_where_one_is_slow(void **state)
{
	play(state, 2000, session_where_one_is_slow);
}

static enum verdict lose_and_freeze(struct turn *turn, void *context)
{
	bool *is_frozen = context;

	if (*is_frozen || turn_op(turn) != &vaccel_op_noop)
		return *is_frozen ? DONE : GO_ON;
	*is_frozen = true;
	return HANG_UP;
}

static int next_one_where_one_freezes_in_a_call(void)
{
	static bool is_frozen;
	int ret;

	fake_set_load(second, 900);
	reopen();
	assert_int_equal(fake_sessions(fake), 1);
	is_frozen = false;
	fake_script(fake, lose_and_freeze, &is_frozen);
	ret = vaccel_noop(&sess);
	if (!ret)
		assert_int_equal(fake_calls(second, &vaccel_op_noop), 1);
	return ret;
}

static void test_next_one_where_one_freezes_in_a_call(void **state)
{
	play(state, 2000, next_one_where_one_freezes_in_a_call);
}

static enum verdict write_nonsense(struct turn *turn, struct trick *trick)
{
	static const unsigned char nonsense[512] = {0xff, 0xff, 0xff, 0xff};

	turn_write(turn, nonsense, sizeof(nonsense));
	return HANG_UP;
}

static void test_nonsense_is_an_error(void **state)
{
	struct trick trick = {&vaccel_op_noop, 2, write_nonsense};

	fake_script(fake, bed_trick, &trick);
	assert_int_equal(vaccel_noop(&sess), VACCEL_EREMOTEIO);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
}

int main(void)
{
#define TEST(name)	  cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)
#define TEST_OF_TWO(name) cmocka_unit_test_setup_teardown(name, begin_two, end_two)
	const struct CMUnitTest tests[] = {
		TEST_OF_TWO(test_least_loaded_is_asked),
		TEST_OF_TWO(test_next_one_where_one_fails),
		TEST_OF_TWO(test_next_one_where_one_is_frozen),
		TEST_OF_TWO(test_changes_at_one_that_is_frozen),
		TEST_OF_TWO(test_session_where_one_is_frozen),
		TEST_OF_TWO(test_one_that_is_dead_is_not_waited_for),
		TEST_OF_TWO(test_connections_do_not_pile_up),
		TEST_OF_TWO(test_session_where_one_is_slow),
		TEST_OF_TWO(test_next_one_where_one_freezes_in_a_call),
		TEST(test_nonsense_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
