// SPDX-License-Identifier: Apache-2.0
/* Several agents, and agents that make no sense. */
#include <stdio.h>
#include <stdlib.h>

#include "bed.h"

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
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
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
		TEST(test_nonsense_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
