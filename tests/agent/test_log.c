// SPDX-License-Identifier: Apache-2.0
/* The agent's log: what lines look like, and that nobody can make it grow without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/log.h"
#include "transport/transport.h"

#define TEXT_MOST  (1 << 20)
#define PATIENCE_S 60

struct bed {
	int fd;
	char text[TEXT_MOST];
};

static int make_bed(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	bed->fd = memfd_create("log", MFD_CLOEXEC);
	*state = bed;
	return bed->fd < 0;
}

static int drop_bed(void **state)
{
	struct bed *bed = *state;

	log_open(&(struct log_setup){.level = VACCEL_LOG_INFO}, STDERR_FILENO);
	close(bed->fd);
	free(bed);
	return 0;
}

/* All that has been logged since the last time. */
static const char *logged(struct bed *bed)
{
	ssize_t size = pread(bed->fd, bed->text, sizeof(bed->text) - 1, 0);

	assert_true(size >= 0);
	bed->text[size] = '\0';
	assert_int_equal(ftruncate(bed->fd, 0), 0);
	assert_int_equal(lseek(bed->fd, 0, SEEK_SET), 0);
	return bed->text;
}

static unsigned int count_lines(const char *text)
{
	unsigned int lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

static void test_forms(void **state)
{
	static const struct about about = {"lab", 5, 7};
	struct bed *bed = *state;

	log_open(&(struct log_setup){.level = VACCEL_LOG_INFO}, bed->fd);
	log_line(VACCEL_LOG_INFO, &about, "a \"%s\"\n", "word");
	assert_string_equal(strchr(logged(bed), ' '),
			    " vaccel-agent info: tenant lab: session 5: request 7: a \"word\"?\n");
	log_line(VACCEL_LOG_DEBUG, NULL, "nothing");
	assert_string_equal(logged(bed), "");
	log_open(&(struct log_setup){VACCEL_LOG_INFO, LOG_JSON}, bed->fd);
	log_line(VACCEL_LOG_WARN, &about, "a \"%s\"", "word");
	assert_string_equal(strchr(logged(bed), ','),
			    ",\"level\":\"warning\",\"tenant\":\"lab\",\"session\":5,\"request\":7,"
			    "\"message\":\"a \\\"word\\\"\"}\n");
}

/* What a child writes is what its supervisor reads. */
static void test_records(void **state)
{
	static const struct about about = {"lab", -5, UINT64_MAX};
	struct bed *bed = *state;
	char record[LOG_RECORD_MAX];

	assert_int_equal(dup2(bed->fd, LOG_FD), LOG_FD);
	log_open_child(&(struct log_setup){VACCEL_LOG_INFO, LOG_JSON});
	log_line(VACCEL_LOG_WARN, &about, "a \"%s\"\n", "word");
	snprintf(record, sizeof(record), "%s", logged(bed));
	assert_string_equal(record, "2 -5 18446744073709551615 a \"word\"?\n");
	close(LOG_FD);
	log_open(&(struct log_setup){.level = VACCEL_LOG_INFO}, bed->fd);
	*strchr(record, '\n') = '\0';
	log_record("bar", record);
	assert_string_equal(strchr(logged(bed), ' '),
			    " vaccel-agent warning: tenant bar: session -5: request "
			    "18446744073709551615: a \"word\"?\n");
}

/* In each second that has begun, with a line about the one before. */
static void test_pace(void **state)
{
	struct bed *bed = *state;
	int64_t first = time_now() / SECOND, seconds;
	const char *text;

	log_open(&(struct log_setup){.level = VACCEL_LOG_INFO}, bed->fd);
	for (int i = 0; i < 1000; i++)
		log_line(VACCEL_LOG_INFO, NULL, "one of many");
	seconds = time_now() / SECOND - first + 1;
	assert_in_range(count_lines(logged(bed)), 1, seconds * (LOG_LINES_A_SECOND + 1));
	log_line(VACCEL_LOG_ERROR, NULL, "a worker died");
	assert_non_null(strstr(logged(bed), "a worker died"));
	do {
		assert_true(time_now() / SECOND < first + PATIENCE_S);
		log_line(VACCEL_LOG_INFO, NULL, "one of many");
		text = logged(bed);
	} while (!strstr(text, " lines were left out in a second\n"));
	assert_non_null(strstr(text, " vaccel-agent warning: "));
	assert_non_null(strstr(text, "one of many"));
}

/* Whoever reads them has bounded them already, for each child. */
static void test_children_leave_others_their_lines(void **state)
{
	struct bed *bed = *state;

	log_open(&(struct log_setup){.level = VACCEL_LOG_INFO}, bed->fd);
	for (int i = 0; i < 2 * LOG_LINES_A_SECOND; i++)
		log_record("bar", "2 0 0 one of many");
	log_record("bar", "4 0 0 of no interest");
	assert_int_equal(count_lines(logged(bed)), 2 * LOG_LINES_A_SECOND);
	log_line(VACCEL_LOG_WARN, NULL, "one of few");
	assert_non_null(strstr(logged(bed), "one of few"));
}

static void test_debugging_has_all(void **state)
{
	struct bed *bed = *state;

	log_open(&(struct log_setup){.level = VACCEL_LOG_DEBUG}, bed->fd);
	for (int i = 0; i < 1000; i++)
		log_line(VACCEL_LOG_DEBUG, NULL, "one of many");
	assert_int_equal(count_lines(logged(bed)), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
		TEST(test_forms),
		TEST(test_records),
		TEST(test_pace),
		TEST(test_children_leave_others_their_lines),
		TEST(test_debugging_has_all),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
