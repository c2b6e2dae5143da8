// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/base/stats.h"
#include "transport/clock.h"

static void test_each_time_has_its_bucket(void **state)
{
	static const struct {
		int64_t ns;
		unsigned int bucket;
	} rows[] = {
		{INT64_MIN, 0},	   {0, 0},	    {1, 0},	   {1000, 0},
		{1001, 1},	   {2000, 1},	    {2001, 2},	   {4000, 2},
		{MILLISECOND, 10}, {1024000, 10},   {1024001, 11}, {67108864000, 26},
		{67108864001, 27}, {INT64_MAX, 27},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct histogram histogram = {0};

		histogram_add(&histogram, rows[i].ns);
		assert_int_equal(histogram.bucket[rows[i].bucket], 1);
		assert_int_equal(histogram_count(&histogram), 1);
		assert_int_equal(histogram.sum_ns, rows[i].ns > 0 ? rows[i].ns : 0);
		assert_true(rows[i].ns <= histogram_bound(rows[i].bucket));
	}
}

static void test_quantiles(void **state)
{
	struct histogram histogram = {0};

	assert_int_equal(histogram_quantile(&histogram, 500), 0);
	for (int i = 0; i < 990; i++)
		histogram_add(&histogram, 3000);
	for (int i = 0; i < 10; i++)
		histogram_add(&histogram, 100 * MILLISECOND);
	assert_in_range(histogram_quantile(&histogram, 500), 2900, 3100);
	assert_int_equal(histogram_quantile(&histogram, 990), 4000);
	assert_in_range(histogram_quantile(&histogram, 999), 65 * MILLISECOND, 132 * MILLISECOND);
	histogram_add(&histogram, INT64_MAX);
	assert_int_equal(histogram_quantile(&histogram, 1000), histogram_bound(26));
}

/* Numbers of somebody who means harm make no more than a wrong number. */
static void test_nonsense_is_survived(void **state)
{
	struct histogram histogram;

	memset(&histogram, 0xff, sizeof(histogram));
	assert_true(histogram_quantile(&histogram, 990) >= 0);
	for (unsigned int i = 0; i < STATS_BUCKETS; i++)
		histogram.bucket[i] = (uint64_t)1 << 63;
	for (unsigned int permille = 0; permille <= 1000; permille++)
		assert_true(histogram_quantile(&histogram, permille) >= 0);
}

static void test_joining(void **state)
{
	struct histogram a = {0}, b = {0}, sum;

	histogram_add(&a, 1000);
	histogram_add(&b, 1000);
	histogram_add(&b, 9000);
	histogram_read(&a, &sum);
	histogram_join(&sum, &b);
	assert_int_equal(histogram_count(&sum), 3);
	assert_int_equal(sum.bucket[0], 2);
	assert_int_equal(sum.sum_ns, 11000);
	assert_int_equal(histogram_count(&a), 1);
}

static void test_memory_is_shared_and_keeps_its_size(void **state)
{
	struct stats *ours, *theirs;
	int fd;

	assert_int_equal(stats_make(&fd), VACCEL_OK);
	assert_int_equal(stats_map(fd, true, &ours), VACCEL_OK);
	assert_int_equal(stats_map(fd, false, &theirs), VACCEL_OK);
	assert_int_equal(theirs->calls[STATS_OPS - 1][STATS_CODES - 1], 0);
	ours->sessions = 7;
	assert_int_equal(theirs->sessions, 7);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	stats_unmap(ours);
	stats_unmap(theirs);
	stats_unmap(NULL);
	close(fd);
}

static void test_other_memory_is_refused(void **state)
{
	struct stats *stats = NULL;
	int fd = memfd_create("other", MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, sizeof(*stats)), 0);
	assert_int_equal(stats_map(fd, false, &stats), VACCEL_EINVAL);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(stats_map(fd, false, &stats), VACCEL_EINVAL);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_int_equal(stats_map(fd, true, &stats), VACCEL_EPERM);
	close(fd);
	fd = memfd_create("small", MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(stats_map(fd, false, &stats), VACCEL_EINVAL);
	close(fd);
	assert_int_equal(stats_map(-1, false, &stats), VACCEL_EINVAL);
	assert_null(stats);
}

static void test_no_descriptor_left(void **state)
{
	struct rlimit limit, none;
	int fd = -1;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){0, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(stats_make(&fd), VACCEL_EIO);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(fd, -1);
}

static void test_every_refusal_has_a_name(void **state)
{
	for (int i = 0; i < REFUSED_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(refusal_name(i), refusal_name(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_time_has_its_bucket),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_nonsense_is_survived),
		cmocka_unit_test(test_joining),
		cmocka_unit_test(test_memory_is_shared_and_keeps_its_size),
		cmocka_unit_test(test_other_memory_is_refused),
		cmocka_unit_test(test_no_descriptor_left),
		cmocka_unit_test(test_every_refusal_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
