// SPDX-License-Identifier: Apache-2.0
/* Profiling regions: on and off, nested, shared by threads, printed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/prof.h"
#include "nomem.h"

static int setup(void **state)
{
	prof_enable(true);
	return 0;
}

static int teardown(void **state)
{
	prof_enable(false);
	return 0;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void spend(uint64_t nsec)
{
	uint64_t until = now() + nsec;

	while (now() < until)
		;
}

static void test_the_switch(void **state)
{
	assert_true(vaccel_prof_enabled());
	prof_enable(false);
	assert_false(vaccel_prof_enabled());
}

static void test_counts_and_time(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("work");
	uint64_t begin = now();

	for (int i = 0; i < 3; i++) {
		assert_int_equal(vaccel_prof_region_start(&region), VACCEL_OK);
		spend(100000);
		assert_int_equal(vaccel_prof_region_stop(&region), VACCEL_OK);
	}
	assert_int_equal(region.nr_entries, 3);
	assert_true(region.total_nsec >= 300000);
	assert_true(region.total_nsec <= now() - begin);
	assert_int_equal(vaccel_prof_region_stop(&region), VACCEL_ENOENT);
	assert_int_equal(vaccel_prof_region_release(&region), VACCEL_OK);
}

static void test_nesting(void **state)
{
	struct vaccel_prof_region outer = VACCEL_PROF_REGION_INIT("outer");
	struct vaccel_prof_region inner = VACCEL_PROF_REGION_INIT("inner");

	vaccel_prof_region_start(&outer);
	vaccel_prof_region_start(&inner);
	vaccel_prof_region_start(&inner);
	assert_int_equal(vaccel_prof_region_stop(&inner), VACCEL_OK);
	/* Out of order, too. */
	assert_int_equal(vaccel_prof_region_stop(&outer), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_stop(&outer), VACCEL_ENOENT);
	assert_int_equal(vaccel_prof_region_stop(&inner), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_stop(&inner), VACCEL_ENOENT);
	assert_int_equal(outer.nr_entries, 1);
	assert_int_equal(inner.nr_entries, 2);
}

static void test_the_latest_start_counts(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("twice");
	uint64_t begin;

	vaccel_prof_region_start(&region);
	spend(100000);
	begin = now();
	vaccel_prof_region_start(&region);
	vaccel_prof_region_stop(&region);
	assert_true(region.total_nsec <= now() - begin);
	vaccel_prof_region_stop(&region);
	assert_true(region.total_nsec >= 100000);
}

static void test_starts_without_a_stop_are_forgotten(void **state)
{
	struct vaccel_prof_region lost = VACCEL_PROF_REGION_INIT("lost");
	struct vaccel_prof_region kept = VACCEL_PROF_REGION_INIT("kept");

	vaccel_prof_region_start(&lost);
	for (int i = 0; i < 24; i++)
		assert_int_equal(vaccel_prof_region_start(&kept), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_stop(&lost), VACCEL_ENOENT);
	for (int i = 0; i < 24; i++)
		assert_int_equal(vaccel_prof_region_stop(&kept), VACCEL_OK);
	assert_int_equal(kept.nr_entries, 24);
}

enum { THREADS = 4, ROUNDS = 10000 };

static struct vaccel_prof_region shared = VACCEL_PROF_REGION_INIT("shared");

static void *run_shared(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		vaccel_prof_region_start(&shared);
		vaccel_prof_region_stop(&shared);
	}
	return NULL;
}

static void test_threads_share_a_region(void **state)
{
	pthread_t threads[THREADS];
	uint64_t begin = now();

	/* This thread's start is nobody else's to stop. */
	vaccel_prof_region_start(&shared);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_shared, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(vaccel_prof_region_stop(&shared), VACCEL_OK);
	assert_int_equal(shared.nr_entries, THREADS * ROUNDS + 1);
	assert_true(shared.total_nsec <= (THREADS + 1) * (now() - begin));
}

static void test_init_and_release(void **state)
{
	struct vaccel_prof_region region, regions[3];
	char name[] = "name";

	assert_int_equal(vaccel_prof_region_init(&region, name), VACCEL_OK);
	name[0] = 'X';
	assert_string_equal(region.name, "name");
	assert_int_equal(region.nr_entries, 0);
	assert_int_equal(vaccel_prof_region_release(&region), VACCEL_OK);
	assert_null(region.name);
	assert_int_equal(vaccel_prof_region_release(&region), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_init(&region, NULL), VACCEL_OK);
	assert_string_equal(region.name, "");
	assert_int_equal(vaccel_prof_region_release(&region), VACCEL_OK);

	assert_int_equal(vaccel_prof_regions_init(regions, 3), VACCEL_OK);
	assert_string_equal(regions[2].name, "");
	assert_int_equal(vaccel_prof_regions_release(regions, 3), VACCEL_OK);
	assert_null(regions[2].name);

	NOMEM_SWEEP(vaccel_prof_regions_init(regions, 3));
	assert_int_equal(vaccel_prof_regions_release(regions, 3), VACCEL_OK);
}

static void test_by_name(void **state)
{
	struct vaccel_prof_region regions[] = {
		VACCEL_PROF_REGION_INIT(NULL),
		VACCEL_PROF_REGION_INIT("one"),
		VACCEL_PROF_REGION_INIT("two"),
	};

	assert_int_equal(vaccel_prof_regions_start_by_name(regions, 3, "two"), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_stop_by_name(regions, 3, "one"), VACCEL_ENOENT);
	assert_int_equal(vaccel_prof_regions_stop_by_name(regions, 3, "two"), VACCEL_OK);
	assert_int_equal(regions[2].nr_entries, 1);
	assert_int_equal(vaccel_prof_regions_start_by_name(regions, 2, "two"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_stop_by_name(regions, 3, "three"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_start_by_name(regions, 3, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_start_by_name(NULL, 3, "two"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_stop_by_name(NULL, 3, "two"), VACCEL_EINVAL);
}

static void test_nonsense(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("region");
	char *buf = NULL;

	assert_int_equal(vaccel_prof_region_init(NULL, "x"), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_start(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_stop(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_region_print(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_init(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_init(&region, -1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_release(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_release(&region, -1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all(&region, -1), VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&buf, 9, NULL, 1), -VACCEL_EINVAL);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&buf, 9, &region, -1),
			 -VACCEL_EINVAL);
	assert_null(buf);
}

static void test_off_nothing_is_an_error(void **state)
{
	struct vaccel_prof_region region = VACCEL_PROF_REGION_INIT("region");
	char *buf = NULL;

	prof_enable(false);
	assert_int_equal(vaccel_prof_region_init(NULL, NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_release(NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_start(NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_stop(NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_print(NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_init(NULL, 1), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_release(NULL, 1), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_start_by_name(NULL, 1, NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_stop_by_name(NULL, 1, NULL), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_print_all(NULL, 1), VACCEL_OK);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&buf, 9, NULL, 1), 0);
	assert_null(buf);

	assert_int_equal(vaccel_prof_region_start(&region), VACCEL_OK);
	assert_int_equal(vaccel_prof_region_stop(&region), VACCEL_OK);
	assert_int_equal(region.nr_entries, 0);
}

/* What was logged between this and logged_text(). */
static int log_pipe[2], saved_stderr;

static void catch_log(void)
{
	assert_int_equal(pipe(log_pipe), 0);
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	dup2(log_pipe[1], STDERR_FILENO);
	vaccel_log_threshold = VACCEL_LOG_INFO;
}

static void logged_text(char *text, size_t size)
{
	ssize_t len;

	vaccel_log_threshold = VACCEL_LOG_ERROR;
	fflush(stderr);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(log_pipe[1]);
	len = read(log_pipe[0], text, size - 1);
	close(log_pipe[0]);
	text[len > 0 ? len : 0] = '\0';
}

static void test_print(void **state)
{
	struct vaccel_prof_region regions[] = {
		{"first", false, 2, 1234},
		VACCEL_PROF_REGION_INIT("never"),
		{"last", false, 1, UINT64_MAX},
	};
	char text[1024];

	catch_log();
	assert_int_equal(vaccel_prof_region_print(&regions[0]), VACCEL_OK);
	logged_text(text, sizeof(text));
	assert_non_null(strstr(text, "[prof] first: total_time: 1234 nsec nr_entries: 2\n"));

	catch_log();
	assert_int_equal(vaccel_prof_regions_print_all(regions, 3), VACCEL_OK);
	logged_text(text, sizeof(text));
	assert_non_null(strstr(text, "[prof] first: "));
	assert_null(strstr(text, "never"));
	assert_non_null(strstr(text, "[prof] last: total_time: 18446744073709551615 nsec "
				     "nr_entries: 1\n"));
}

static void test_print_to_a_buffer(void **state)
{
	static const char lines[] = "[prof] a: total_time: 5 nsec nr_entries: 1\0"
				    "[prof] bc: total_time: 60 nsec nr_entries: 2";
	struct vaccel_prof_region regions[] = {
		{"a", false, 1, 5},
		VACCEL_PROF_REGION_INIT("never"),
		{"bc", false, 2, 60},
	};
	const size_t size = sizeof(lines);
	char *buf = NULL;

	assert_int_equal(vaccel_prof_regions_print_all_to_buf(NULL, 0, regions, 3), size);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&buf, size, regions, 3), 3);
	assert_memory_equal(buf, lines, size);
	free(buf);

	/* Too little room cuts, wherever it ends. */
	for (size_t room = 0; room < size; room++) {
		assert_int_equal(vaccel_prof_regions_print_all_to_buf(&buf, room, regions, 3), 3);
		for (size_t i = 0; i + 1 < room; i++)
			assert_int_equal(buf[i], lines[i]);
		assert_int_equal(buf[room ? room - 1 : 0], '\0');
		free(buf);
	}

	buf = NULL;
	nomem_after(0);
	assert_int_equal(vaccel_prof_regions_print_all_to_buf(&buf, size, regions, 3),
			 -VACCEL_ENOMEM);
	nomem_after(-1);
	assert_null(buf);
}

#define WITH_PROFILING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PROFILING(test_the_switch),
		WITH_PROFILING(test_counts_and_time),
		WITH_PROFILING(test_nesting),
		WITH_PROFILING(test_the_latest_start_counts),
		WITH_PROFILING(test_starts_without_a_stop_are_forgotten),
		WITH_PROFILING(test_threads_share_a_region),
		WITH_PROFILING(test_init_and_release),
		WITH_PROFILING(test_by_name),
		WITH_PROFILING(test_nonsense),
		WITH_PROFILING(test_off_nothing_is_an_error),
		WITH_PROFILING(test_print),
		WITH_PROFILING(test_print_to_a_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
