// SPDX-License-Identifier: Apache-2.0
/* The log: levels, the file, whole lines from many threads; and errors in words. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "base/log.h"

#define THREADS 8
#define LINES	200

static char path[64];

static int make_file(void **state)
{
	int fd;

	strcpy(path, "/tmp/vaccel-log-XXXXXX");
	fd = mkstemp(path);
	close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	log_configure(VACCEL_LOG_ERROR, NULL);
	return unlink(path);
}

static char *contents(void)
{
	static char text[1 << 20];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static int evaluations;

static int evaluated(void)
{
	return ++evaluations;
}

static void test_levels(void **state)
{
	assert_int_equal(log_configure(VACCEL_LOG_WARN, path), VACCEL_OK);
	vaccel_fatal("fatal %d", 1);
	vaccel_error("error %d", evaluated());
	vaccel_warn("warning %d", evaluated());
	vaccel_info("information %d", evaluated());
	vaccel_debug("debugging %d", evaluated());
	vaccel_trace("tracing %d", evaluated());
	assert_non_null(strstr(contents(), "vaccel error: fatal 1\n"));
	assert_non_null(strstr(contents(), "vaccel error: error 1\n"));
	assert_non_null(strstr(contents(), "vaccel warning: warning 2\n"));
	assert_null(strstr(contents(), "information"));
	assert_null(strstr(contents(), "ing 3"));
	assert_int_equal(evaluations, 2);
}

static void test_no_such_level(void **state)
{
	assert_int_equal(log_configure(VACCEL_LOG_DEBUG, path), VACCEL_OK);
	vaccel_log_line((vaccel_log_level_t)0, "nobody");
	vaccel_log_line(VACCEL_LOG_MAX, "nobody");
	assert_null(strstr(contents(), "nobody"));
}

static void test_long_line_ends(void **state)
{
	char *line = malloc(10000);

	memset(line, 'x', 9999);
	line[9999] = '\0';
	assert_int_equal(log_configure(VACCEL_LOG_ERROR, path), VACCEL_OK);
	vaccel_error("%s", line);
	vaccel_error("after");
	assert_non_null(strstr(contents(), "x\n"));
	assert_non_null(strstr(contents(), "error: after\n"));
	free(line);
}

static void *write_lines(void *argument)
{
	for (int i = 0; i < LINES; i++)
		vaccel_error("thread %d line %d end", *(int *)argument, i);
	return NULL;
}

static void test_threads_do_not_mix(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	size_t lines = 0;
	char *rest, *line;

	assert_int_equal(log_configure(VACCEL_LOG_ERROR, path), VACCEL_OK);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	rest = contents();
	while ((line = strsep(&rest, "\n")) && *line) {
		int thread, number, end = 0;

		sscanf(strstr(line, "thread"), "thread %d line %d end%n", &thread, &number, &end);
		assert_int_equal(end, strlen(strstr(line, "thread")));
		lines++;
	}
	assert_int_equal(lines, THREADS * LINES);
}

/* After a rotation the file is another one; a program says so by vaccel_log_init(). */
static void test_rotation(void **state)
{
	char old[80];

	assert_int_equal(log_configure(VACCEL_LOG_ERROR, path), VACCEL_OK);
	vaccel_error("before");
	snprintf(old, sizeof(old), "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	vaccel_error("meanwhile");
	assert_int_equal(vaccel_log_init(), VACCEL_OK);
	vaccel_error("afterwards");
	assert_null(strstr(contents(), "meanwhile"));
	assert_non_null(strstr(contents(), "afterwards"));
	assert_int_equal(vaccel_log_shutdown(), VACCEL_OK);
	unlink(old);
}

/* The number of the descriptor that leads to the log file, or -1. */
static int number_of_log(void)
{
	struct stat log, status;

	assert_int_equal(stat(path, &log), 0);
	for (int fd = 3; fd < 256; fd++)
		if (!fstat(fd, &status) && status.st_ino == log.st_ino &&
		    status.st_dev == log.st_dev)
			return fd;
	return -1;
}

/* A thread that is about to write must not meet what somebody else opened meanwhile. */
static void test_its_number_is_nobody_elses(void **state)
{
	int number;

	assert_int_equal(log_configure(VACCEL_LOG_ERROR, path), VACCEL_OK);
	number = number_of_log();
	assert_true(number >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(vaccel_log_init(), VACCEL_OK);
	assert_int_equal(number_of_log(), number);
	assert_int_equal(vaccel_log_shutdown(), VACCEL_OK);
	assert_int_equal(number_of_log(), -1);
	assert_true(fcntl(number, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(log_configure(VACCEL_LOG_ERROR, path), VACCEL_OK);
	assert_int_equal(number_of_log(), number);
}

/* A program may close what it did not open, and get that number for a file of its own. */
static void test_a_number_that_somebody_took(void **state)
{
	char own[] = "/tmp/vaccel-own-XXXXXX";
	struct stat before, after;
	int number, fd;

	assert_int_equal(log_configure(VACCEL_LOG_ERROR, path), VACCEL_OK);
	number = number_of_log();
	assert_int_equal(vaccel_log_shutdown(), VACCEL_OK);
	fd = mkstemp(own);
	assert_int_equal(dup2(fd, number), number);
	close(fd);
	assert_int_equal(fstat(number, &before), 0);
	assert_int_equal(vaccel_log_init(), VACCEL_OK);
	vaccel_error("here");
	assert_non_null(strstr(contents(), "here"));
	assert_int_equal(vaccel_log_shutdown(), VACCEL_OK);
	assert_int_equal(fstat(number, &after), 0);
	assert_true(after.st_ino == before.st_ino && after.st_size == 0);
	close(number);
	unlink(own);
}

static void test_file_that_cannot_be(void **state)
{
	assert_int_equal(log_configure(VACCEL_LOG_ERROR, "/nowhere/log"), VACCEL_ENOENT);
	assert_non_null(strstr(vaccel_error_text(), "/nowhere/log"));
	assert_non_null(strstr(vaccel_error_text(), "VACCEL_LOG_FILE"));
}

static void *fail_elsewhere(void *argument)
{
	assert_string_equal(vaccel_error_text(), "");
	vaccel_fail(VACCEL_EIO, "elsewhere");
	return NULL;
}

static void test_error_words(void **state)
{
	pthread_t thread;

	assert_int_equal(vaccel_fail(VACCEL_ENOENT, "no %s", "model"), VACCEL_ENOENT);
	assert_string_equal(vaccel_error_text(), "no model");
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	assert_string_equal(vaccel_error_text(), "no model");
	/* A sentence may hold the one before. */
	vaccel_fail(VACCEL_EIO, "first: %s", vaccel_error_text());
	assert_string_equal(vaccel_error_text(), "first: no model");
}

/* Names of files, which others chose, are in sentences and in the log. */
static void test_only_printable_text(void **state)
{
	static const char name[] = "no '\033[2J\n\x9b\xc3\xbc'";

	assert_int_equal(log_configure(VACCEL_LOG_DEBUG, path), VACCEL_OK);
	vaccel_fail(VACCEL_ENOENT, "%s", name);
	assert_string_equal(vaccel_error_text(), "no '?[2J??\xc3\xbc'");
	assert_non_null(strstr(contents(), "VACCEL_ENOENT: no '?[2J??\xc3\xbc'\n"));
	vaccel_error("%s", name);
	assert_non_null(strstr(contents(), "error: no '?[2J??\xc3\xbc'\n"));
	vaccel_error("%s", "");
	assert_non_null(strstr(contents(), "error: \n"));
}

static void test_errors_of_others(void **state)
{
	assert_int_equal(vaccel_fail(EMFILE, "too many"), VACCEL_EIO);
	assert_int_equal(vaccel_fail(-1, "a plugin's own"), VACCEL_EIO);
	assert_string_equal(vaccel_error_text(), "a plugin's own");
}

static void test_error_names(void **state)
{
	assert_string_equal(vaccel_error_name(VACCEL_OK), "VACCEL_OK");
	assert_string_equal(vaccel_error_name(VACCEL_ESESS), "VACCEL_ESESS");
	assert_string_equal(vaccel_error_name(VACCEL_EBACKEND), "VACCEL_EBACKEND");
	assert_string_equal(vaccel_error_name(-1), "unknown error");
	assert_int_equal(VACCEL_ESESS, ECONNRESET);
	assert_int_equal(VACCEL_EBACKEND, EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_no_such_level, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_long_line_ends, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_threads_do_not_mix, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_rotation, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_its_number_is_nobody_elses, make_file,
						remove_file),
		cmocka_unit_test_setup_teardown(test_a_number_that_somebody_took, make_file,
						remove_file),
		cmocka_unit_test(test_file_that_cannot_be),
		cmocka_unit_test(test_error_words),
		cmocka_unit_test_setup_teardown(test_only_printable_text, make_file, remove_file),
		cmocka_unit_test(test_errors_of_others),
		cmocka_unit_test(test_error_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
