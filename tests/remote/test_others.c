// SPDX-License-Identifier: Apache-2.0
/*
 * One resource at two agents. One of them answers late, or never: whoever is at the other does
 * not wait for it.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bed.h"

/* Enough for a machine that does other things; an agent that is silent for so long is not lost. */
#define PATIENCE_S 10

/* More than comes with an offer. */
static char bytes[100000];

static struct fake *second;
static struct vaccel_session other; /* at the second */
static struct vaccel_resource res;

static int begin(void **state)
{
	char addresses[512];

	bed_begin(state);
	second = fake_start();
	snprintf(addresses, sizeof(addresses), "%s,%s", fake_address(fake), fake_address(second));
	bed_set("VACCEL_RPC_ADDRESS", addresses);
	assert_int_equal(fake_sessions(fake), 1);
	/* Of two that are as busy the one with fewer sessions. */
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(fake_sessions(second), 1);
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(vaccel_resource_init_from_buf(&res, bytes, sizeof(bytes),
						       VACCEL_RESOURCE_DATA, "d", true),
			 VACCEL_OK);
	return 0;
}

static int end(void **state)
{
	fake_script(second, NULL, NULL);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	bed_end(state);
	fake_await_connections(second, 0);
	fake_stop(second);
	return 0;
}

/* An agent that answers one request no sooner than it is told to. */
struct dawdler {
	const struct vaccel_op *op;
	atomic_bool begun;
	sem_t go_on;
	atomic_bool gave_up;
};

static enum verdict dawdle(struct turn *turn, void *context)
{
	struct dawdler *dawdler = context;
	struct timespec until;

	if (turn_op(turn) != dawdler->op || atomic_exchange(&dawdler->begun, true))
		return GO_ON;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (!dawdler->gave_up && sem_timedwait(&dawdler->go_on, &until))
		dawdler->gave_up = errno == ETIMEDOUT;
	return GO_ON;
}

static void *register_at_the_first(void *ret)
{
	*(int *)ret = vaccel_resource_register(&res, &sess);
	return NULL;
}

static void *sync_from_the_first(void *ret)
{
	*(int *)ret = vaccel_resource_sync(&res, &sess);
	return NULL;
}

static void *call_the_first(void *ret)
{
	*(int *)ret = vaccel_noop(&sess);
	return NULL;
}

static int register_at_the_second(void)
{
	return vaccel_resource_register(&res, &other);
}

static int call_the_second(void)
{
	return vaccel_noop(&other);
}

/* Does something at the second while the first, asked by another thread, owes an answer. */
static void go_past(const struct vaccel_op *op, void *(*first)(void *), int (*at_second)(void))
{
	unsigned int calls = fake_calls(fake, op);
	struct dawdler dawdler = {.op = op};
	int ret_first = -1, ret_second;
	pthread_t thread;

	sem_init(&dawdler.go_on, 0, 0);
	fake_script(fake, dawdle, &dawdler);
	assert_int_equal(pthread_create(&thread, NULL, first, &ret_first), 0);
	fake_await_calls(fake, op, calls + 1);
	ret_second = at_second();
	sem_post(&dawdler.go_on);
	assert_int_equal(pthread_join(thread, NULL), 0);
	fake_script(fake, NULL, NULL);
	sem_destroy(&dawdler.go_on);
	assert_int_equal(ret_second, VACCEL_OK);
	assert_int_equal(ret_first, VACCEL_OK);
	assert_false(dawdler.gave_up);
}

static void test_an_offer_keeps_nobody_waiting(void **state)
{
	go_past(&vaccel_op_resource_offer, register_at_the_first, register_at_the_second);
}

static void test_an_upload_keeps_nobody_waiting(void **state)
{
	go_past(&vaccel_op_content_put, register_at_the_first, register_at_the_second);
	assert_int_equal(fake_resources(fake), 1);
	assert_int_equal(fake_resources(second), 1);
}

static void test_a_sync_keeps_nobody_waiting(void **state)
{
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake_change(fake, res.remote_id);
	go_past(&vaccel_op_resource_sync, sync_from_the_first, register_at_the_second);
	assert_int_equal(bytes[0], 'b');
}

static void test_loading_anew_keeps_nobody_waiting(void **state)
{
	res.type = VACCEL_RESOURCE_MODEL;
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &other), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &res), VACCEL_OK);
	fake_restart(fake, 0, "");
	fake_restart(second, 0, "");
	go_past(&vaccel_op_onnx_model_load, call_the_first, call_the_second);
	assert_int_equal(fake_calls(fake, &vaccel_op_onnx_model_load), 2);
	assert_int_equal(fake_calls(second, &vaccel_op_onnx_model_load), 1);
}

/* What changed half-way is begun anew: the agent would have a mixture, and refuses it. */
static enum verdict change_half_way(struct turn *turn, struct trick *trick)
{
	trick->code = vaccel_resource_sync(&res, &sess);
	turn_fail(turn, VACCEL_EINVAL, "other bytes than were offered", true);
	return DONE;
}

static void test_a_sync_in_the_middle_of_an_upload(void **state)
{
	struct trick trick = {&vaccel_op_content_put, 1, change_half_way, .code = -1};

	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake_change(fake, res.remote_id);
	fake_script(second, bed_trick, &trick);
	assert_int_equal(vaccel_resource_register(&res, &other), VACCEL_OK);
	assert_int_equal(trick.code, VACCEL_OK);
	assert_int_equal(bytes[0], 'b');
	assert_int_equal(fake_calls(second, &vaccel_op_content_put), 2);
	assert_int_equal(fake_resources(second), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_an_offer_keeps_nobody_waiting),
		TEST(test_an_upload_keeps_nobody_waiting),
		TEST(test_a_sync_keeps_nobody_waiting),
		TEST(test_loading_anew_keeps_nobody_waiting),
		TEST(test_a_sync_in_the_middle_of_an_upload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
