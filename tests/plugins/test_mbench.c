// SPDX-License-Identifier: Apache-2.0
/* mbench: busy for the time that is asked for, and for no other. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "files.h"

static struct vaccel_session sess;

static int open_session(void **state)
{
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	return boot("mbench") || vaccel_session_init(&sess, 0);
}

static int close_session(void **state)
{
	return vaccel_session_release(&sess) || vaccel_cleanup();
}

static int bench(const char *library, const char *symbol, const char *text, size_t size)
{
	struct vaccel_arg read[2] = {{.buf = (char *)text, .size = size},
				     {.buf = (char *)"picture", .size = 7}};

	return vaccel_exec(&sess, library, symbol, read, 2, NULL, 0);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void test_it_takes_as_long_as_asked(void **state)
{
	double start = now_ms();

	assert_int_equal(bench("mbench", "mbench", "20", 3), VACCEL_OK);
	assert_true(now_ms() - start >= 20);
	start = now_ms();
	assert_int_equal(bench("mbench", "f", "5", 1), VACCEL_OK);
	assert_int_equal(bench("lib", "mbench", "5xyz", 1), VACCEL_OK);
	assert_true(now_ms() - start >= 10);
}

static void test_what_is_no_time(void **state)
{
	static const char *const texts[] = {"",
					    "0",
					    "-1",
					    "1x",
					    " 1",
					    "1.5",
					    "0x1",
					    "300001",
					    "999999",
					    "1000000",
					    "99999999999999"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(bench("mbench", "mbench", texts[i], strlen(texts[i]) + 1),
				 VACCEL_EINVAL);
		assert_says("from 1 to 300000 ms");
	}
	assert_int_equal(bench("mbench", "mbench", NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&sess, "mbench", "mbench", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(bench("lib", "f", "5", 2), VACCEL_EINVAL);
	assert_says("'lib'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_takes_as_long_as_asked),
		cmocka_unit_test(test_what_is_no_time),
	};

	return cmocka_run_group_tests(tests, open_session, close_session);
}
