// SPDX-License-Identifier: Apache-2.0
/* How fast hosts may connect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/supervisor/pace.h"
#include "transport/clock.h"

#define START (77 * SECOND)

static unsigned int permitted(struct pace *pace, uint64_t host, int64_t now, unsigned int tries)
{
	unsigned int count = 0;

	while (tries--)
		count += pace_permits(pace, host, now);
	return count;
}

static void test_some_at_once_and_some_a_second(void **state)
{
	struct pace pace;

	pace_init(&pace);
	assert_int_equal(permitted(&pace, 5, START, 10000), PACE_AT_ONCE);
	assert_int_equal(permitted(&pace, 5, START + SECOND / 2, 10000), PACE_A_SECOND / 2);
	assert_int_equal(permitted(&pace, 5, START + SECOND, 10000), PACE_A_SECOND / 2);
	/* Who rests gains no more than that. */
	assert_int_equal(permitted(&pace, 5, START + 1000 * SECOND, 10000), PACE_AT_ONCE);
}

static void test_each_host_for_itself(void **state)
{
	struct pace pace;

	pace_init(&pace);
	permitted(&pace, 5, START, 10000);
	assert_int_equal(permitted(&pace, 6, START, 10000), PACE_AT_ONCE);
	assert_false(pace_permits(&pace, 5, START));
	assert_int_equal(permitted(&pace, 0, START, 10000), 10000);
}

/* Those who have been here take the places of others, and not of those who are too fast. */
static void test_many_hosts(void **state)
{
	struct pace pace;

	pace_init(&pace);
	permitted(&pace, 5, START, 10000);
	for (uint64_t host = 1000; host < 1000 + 100 * PACE_SETS * PACE_WAYS; host++)
		assert_true(pace_permits(&pace, host, START));
	assert_false(pace_permits(&pace, 5, START));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some_at_once_and_some_a_second),
		cmocka_unit_test(test_each_host_for_itself),
		cmocka_unit_test(test_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
