// SPDX-License-Identifier: Apache-2.0
/* What the log says of peers that are refused: by their address, and not a line for each of a
 * flood. */
#include "bed.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/refusals.h"

#define LINE_MS 20000 /* until a line must be there */

static struct bed bed;

struct log {
	int ends[2];
	char words[2048];
	size_t used;
};

static void begin(struct log *log)
{
	*log = (struct log){.used = 0};
	assert_int_equal(pipe(log->ends), 0);
	log_open(&(struct log_setup){.level = VACCEL_LOG_WARN}, log->ends[1]);
}

static void read_more(struct log *log)
{
	struct pollfd wait = {log->ends[0], POLLIN, 0};
	size_t room = sizeof(log->words) - 1 - log->used;
	ssize_t size;

	assert_int_equal(poll(&wait, 1, LINE_MS), 1);
	size = read(log->ends[0], log->words + log->used, room);
	assert_true(size > 0);
	log->used += (size_t)size;
}

static void read_until(struct log *log, const char *words)
{
	while (!strstr(log->words, words))
		read_more(log);
}

static void end(struct log *log)
{
	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR}, STDERR_FILENO);
	close(log->ends[0]);
	close(log->ends[1]);
}

static void test_one_line_a_second(void **state)
{
	struct refusals refusals = {0};
	int64_t later = time_now() + 60 * SECOND;
	struct log log;

	begin(&log);
	assert_int_equal(refusals_tell(&refusals, NULL), -1);
	refusals_line(&refusals, NULL, "peer-1", "is refused");
	assert_int_equal(refusals_tell(&refusals, NULL), -1);
	atomic_store(&refusals.next_line, later);
	refusals_line(&refusals, NULL, "peer-2", "is refused");
	/* It is the test that has no time. */
	assert_in_range(refusals_tell(&refusals, NULL), 1, 60001);
	atomic_store(&refusals.next_line, 1);
	assert_int_equal(refusals_tell(&refusals, NULL), -1);
	read_until(&log, ": 1 more was refused\n");
	atomic_store(&refusals.next_line, later);
	refusals_line(&refusals, NULL, "peer-3", "is refused");
	refusals_line(&refusals, NULL, "peer-4", "is refused");
	atomic_store(&refusals.next_line, 1);
	/* How many there were before comes before. */
	refusals_line(&refusals, NULL, "peer-5", "is refused");
	read_until(&log, "warning: peer-5: is refused\n");
	assert_non_null(strstr(log.words, "warning: peer-1: is refused\n"));
	assert_non_null(strstr(log.words, ": 2 more were refused\n"));
	assert_null(strstr(log.words, "peer-2"));
	assert_null(strstr(log.words, "peer-3"));
	assert_null(strstr(log.words, "peer-4"));
	end(&log);
}

/* By lines of their own, or counted in one for several. */
static unsigned int count_told(const char *words)
{
	unsigned int count = 0;

	for (const char *at = words; (at = strstr(at, ": refused: it shows no token")); at++)
		count++;
	for (const char *at = words; (at = strstr(at, " more w")); at++)
		count += (unsigned int)(at[-1] - '0');
	return count;
}

/* In an operator's words; how many more there were is said by the watcher, as far as they came
 * within a second. */
static void test_who_shows_no_token(void **state)
{
	struct program program;
	struct log log;

	bed.listener.token = (char *)"0123456789abcdef";
	begin(&log);
	for (int i = 0; i < 3; i++) {
		program_open(&program, &bed);
		assert_int_equal(program_hello(&program, NULL, NULL, 0, NULL), VACCEL_EACCES);
		program_expect_end(&program);
		program_close(&program);
	}
	while (count_told(log.words) < 3)
		read_more(&log);
	end(&log);
	assert_int_equal(count_told(log.words), 3);
	assert_non_null(strstr(log.words, "warning: tenant "));
	assert_non_null(strstr(log.words, ": refused: it shows no token, and the listener has a "
					  "token_file\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_a_second),
		IN_BED(&bed, test_who_shows_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
