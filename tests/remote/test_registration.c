// SPDX-License-Identifier: Apache-2.0
/*
 * How long a registration may take, by the plugin's insides: as long as its agent lives, whatever
 * the deadline of a call, and no longer.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "fake.h"
#include "remote/session.h"
#include "remote/settings.h"
#include "remote/wait.h"

/* Enough for a machine that does other things. */
#define SLACK (10 * SECOND)

static struct fake *fake;
static struct vaccel_session sess;
static struct vaccel_resource res;
static void *session, *resource;

static int begin(void **state)
{
	fake = fake_start();
	setenv("VACCEL_PLUGINS", "noop", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, "abc", 3, VACCEL_RESOURCE_DATA, "d", true),
		VACCEL_OK);
	remote_changed_init();
	settings = (struct settings){.addresses = (char *)fake_address(fake)};
	assert_int_equal(servers_open(), VACCEL_OK);
	assert_int_equal(session_open(&sess, &session), VACCEL_OK);
	assert_int_equal(resource_open(&res, &resource), VACCEL_OK);
	settings.timeout_ns = MILLISECOND;
	patience =
		(struct patience){.ping_after = 50 * MILLISECOND, .lost_after = 400 * MILLISECOND};
	return 0;
}

static int end(void **state)
{
	fake_script(fake, NULL, NULL);
	settings.timeout_ns = 0;
	resource_close(&res, resource);
	session_close(&sess, session);
	servers_close();
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	fake_stop(fake);
	return 0;
}

/* An agent that registers nothing before it has been asked so often whether it lives; 0: is dead.
 */
struct habits {
	unsigned int pings;
	struct frame asked;
};

static enum verdict dawdle(struct turn *turn, void *context)
{
	const struct vaccel_resource_register_args args = {0};
	struct habits *habits = context;

	if (turn_op(turn) == &vaccel_op_resource_register) {
		habits->asked = turn->message.frame;
		return DONE;
	}
	if (turn->message.frame.kind != FRAME_PING)
		return GO_ON;
	if (!habits->pings)
		return DONE;
	turn_go_on(turn);
	if (fake_messages(turn->fake, FRAME_PING) == habits->pings) {
		turn->message.frame = habits->asked;
		turn_reply(turn, &args);
	}
	return DONE;
}

static void test_one_that_lives_may_take_its_time(void **state)
{
	struct habits habits = {.pings = 12};
	int64_t began = time_now();

	fake_script(fake, dawdle, &habits);
	assert_int_equal(session_register(&sess, session, &res, resource), VACCEL_OK);
	assert_true(time_now() - began >= 12 * patience.ping_after);
	assert_int_equal(fake_calls(fake, &vaccel_op_resource_register), 1);
}

/* It is connected to again some times, and given up for each of them. */
static void test_one_that_is_silent_is_given_up(void **state)
{
	struct habits habits = {0};
	int64_t began = time_now(), once = patience.ping_after + patience.lost_after;
	unsigned int times;

	fake_script(fake, dawdle, &habits);
	assert_int_equal(session_register(&sess, session, &res, resource), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "has not been heard of for"));
	times = fake_calls(fake, &vaccel_op_resource_register);
	assert_in_range(times, 1, 4);
	assert_in_range(time_now() - began, times * once, times * once + SLACK);
}

/* By the fork's child, where the threads are not that were at the resource. */
static void test_a_child_waits_for_no_thread_of_its_parents(void **state)
{
	struct resource *held = resource;
	struct errand bringing = {.client = 1}, loading = {.client = 1};

	assert_int_equal(errand_begin(&held->bringing, &bringing, FOREVER), VACCEL_OK);
	assert_int_equal(errand_begin(&held->loading, &loading, FOREVER), VACCEL_OK);
	held->reading = true;
	resource_hold(held);
	resources_forget();
	assert_null(held->bringing);
	assert_null(held->loading);
	/* Else this would wait for ever, and so would the end of the resource. */
	assert_false(held->reading);
	assert_int_equal(held->users, 0);
	assert_int_equal(session_register(&sess, session, &res, resource), VACCEL_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_one_that_lives_may_take_its_time),
		TEST(test_one_that_is_silent_is_given_up),
		TEST(test_a_child_waits_for_no_thread_of_its_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
