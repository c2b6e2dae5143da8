// SPDX-License-Identifier: Apache-2.0
/* What OpenBLAS cannot count to, and its threads. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel.h>

#define SIDE 400

static struct vaccel_session session;

static int setup(void **state)
{
	struct vaccel_config config = {.plugins = (char *)"blas", .log_level = VACCEL_LOG_ERROR};

	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	return vaccel_bootstrap_with_config(&config) || vaccel_session_init(&session, 0);
}

static int teardown(void **state)
{
	vaccel_session_release(&session);
	vaccel_cleanup();
	unsetenv("VACCEL_BLAS_THREADS");
	return 0;
}

static unsigned int alone; /* threads without the plugin: a sanitizer may have one, too */

static unsigned int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int threads = 0;
	struct dirent *entry;

	assert_non_null(tasks);
	while ((entry = readdir(tasks)))
		threads += entry->d_name[0] != '.';
	closedir(tasks);
	return threads;
}

static int setup_with_threads(void **state)
{
	alone = count_threads();
	setenv("VACCEL_BLAS_THREADS", "3", 1);
	return setup(state);
}

static const int64_t large = (int64_t)1 << 31;

static void test_sizes_over_an_int(void **state)
{
	static const struct {
		const char *name;
		int64_t m, n, k, lda, ldb, ldc;
	} sizes[] = {
		{"m", large, 1, 1, 1, 1, 1},	 {"n", 1, large, 1, 1, large, large},
		{"k", 1, 1, large, large, 1, 1}, {"lda", 2, 1, 1, large, 1, 1},
		{"ldb", 1, 1, 2, 2, large, 1},	 {"ldc", 2, 1, 1, 1, 1, large},
	};
	float a[2] = {1, 1}, b[2] = {1, 1}, c[2] = {5, 6};
	char words[64];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		/* Nobody reads the matrices, which are not there. */
		assert_int_equal(vaccel_sgemm(&session, sizes[i].m, sizes[i].n, sizes[i].k, 1, a,
					      sizes[i].lda, b, sizes[i].ldb, 0, c, sizes[i].ldc),
				 VACCEL_ERANGE);
		snprintf(words, sizeof(words), "blas_sgemm: %s is 2147483648", sizes[i].name);
		assert_non_null(strstr(vaccel_error_text(), words));
	}
	assert_true(c[0] == 5 && c[1] == 6);
}

/* Where there is one row only, nothing is as far apart as the caller says. */
static void test_distances_that_do_not_matter(void **state)
{
	float a[3] = {1, 2, 3}, b[3] = {4, 5, 6}, c[1] = {7};

	assert_int_equal(vaccel_sgemm(&session, 1, 1, 3, 1, a, INT64_MAX, b, 1, 1, c, INT64_MAX),
			 VACCEL_OK);
	assert_true(c[0] == 39);
}

static void fill(float *values)
{
	for (int i = 0; i < SIDE * SIDE; i++)
		values[i] = (float)(i % 5);
}

/* A sandbox has to be closed before there are threads; they come when there is work. */
static void test_threads_come_with_work(void **state)
{
	static float a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];

	assert_int_equal(count_threads(), alone);
	fill(a);
	fill(b);
	assert_int_equal(vaccel_sgemm(&session, SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c, SIDE),
			 VACCEL_OK);
	assert_int_equal(count_threads(), alone + 2);
	for (int i = 0; i < SIDE; i += 7) {
		float sum = 0;

		for (int k = 0; k < SIDE; k++)
			sum += a[i * SIDE + k] * b[k * SIDE + i];
		assert_true(c[i * SIDE + i] == sum);
	}
}

/* The code of a product in a process that may have @bytes of data; it has a minute. */
static int multiply_within(rlim_t bytes)
{
	const struct rlimit limit = {bytes, bytes};
	float a[1] = {1}, b[1] = {2}, c[1];
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		alarm(60);
		_exit(setrlimit(RLIMIT_DATA, &limit) ||
		      vaccel_sgemm(&session, 1, 1, 1, 1, a, 1, b, 1, 0, c, 1));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* OpenBLAS itself would wait for memory for ever. */
static void test_too_little_memory(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#endif
	assert_int_equal(multiply_within(RLIM_INFINITY), 0);
	assert_int_equal(multiply_within(24 << 20), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, in a process that has not multiplied yet. */
		cmocka_unit_test_setup_teardown(test_too_little_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads_come_with_work, setup_with_threads,
						teardown),
		cmocka_unit_test_setup_teardown(test_sizes_over_an_int, setup, teardown),
		cmocka_unit_test_setup_teardown(test_distances_that_do_not_matter, setup, teardown),
	};

	/* It is another size on machines of 32 bits. */
	if (sizeof(size_t) < 8)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
