// SPDX-License-Identifier: Apache-2.0
/* The surveyor finds which directories are too full, once, and forgets those that are dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/supervisor/aside/surveyor.h"

#define PATIENCE_MS 60000
#define BLOCK	    4096

static struct loop loop;
static struct surveyor *surveyor;
static char place[] = "/tmp/vaccel-survey-XXXXXX";
static int times_told;

static void told(void *context)
{
	assert_ptr_equal(context, place);
	times_told++;
	loop.over = true;
}

static void too_late(struct timer *timer)
{
	fail_msg("nothing is found within %d s", PATIENCE_MS / 1000);
}

static int setup(void **state)
{
	strcpy(strrchr(place, '-'), "-XXXXXX");
	times_told = 0;
	return !mkdtemp(place) || loop_open(&loop) || surveyor_new(&loop, told, place, &surveyor);
}

static int teardown(void **state)
{
	surveyor_delete(surveyor);
	loop_close(&loop);
	return rmdir(place);
}

static void await_finding(void)
{
	struct timer late = {.expired = too_late};

	timer_set(&loop, &late, PATIENCE_MS);
	loop.over = false;
	assert_int_equal(loop_run(&loop), VACCEL_OK);
	timer_clear(&loop, &late);
}

static uint64_t watch(uint64_t most)
{
	uint64_t number;

	assert_int_equal(surveyor_add(surveyor, place, most, &number), VACCEL_OK);
	assert_true(number);
	return number;
}

static void test_too_much(void **state)
{
	uint64_t enough = watch(2 * BLOCK), little = watch(BLOCK), dropped = watch(0);
	char folder[sizeof(place) + 2], inner[sizeof(folder) + 2];

	surveyor_drop(surveyor, dropped);
	surveyor_drop(surveyor, dropped);
	snprintf(folder, sizeof(folder), "%s/x", place);
	snprintf(inner, sizeof(inner), "%s/y", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mkdir(inner, 0700), 0);
	await_finding();
	assert_true(surveyor_found(surveyor, little));
	assert_false(surveyor_found(surveyor, enough));
	assert_false(surveyor_found(surveyor, dropped));
	/* One that was there before is not told of again. */
	enough = watch(0);
	assert_true(enough > dropped);
	await_finding();
	assert_true(surveyor_found(surveyor, enough));
	assert_int_equal(times_told, 2);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* Who has made many names is found soon all the same. */
static void test_how_long_it_rests(void **state)
{
	static const int64_t pauses[][2] = {/* ms after so many */
					    {0, 1000},	   {50, 1000},	  {100, 1600},
					    {600, 9600},   {700, 10000},  {10000, 10000},
					    {9999, 10000}, {60000, 60000}};

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
		assert_int_equal(surveyor_pause(pauses[i][0] * 1000000), pauses[i][1] * 1000000);
}

static void test_it_ends_whatever_it_does(void **state)
{
	for (int i = 0; i < 100; i++)
		watch(UINT64_MAX);
	surveyor_delete(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_too_much, setup, teardown),
		cmocka_unit_test(test_how_long_it_rests),
		cmocka_unit_test_setup_teardown(test_it_ends_whatever_it_does, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
