// SPDX-License-Identifier: Apache-2.0
/* What children print, and their records for the log. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/child/output.h"
#include "agent/supervisor/loop.h"
#include "base/util.h"

struct page {
	struct loop loop;
	struct output output;
	int end; /* the child's */
	int log;
};

static void page_open(struct page *page, enum output_of what)
{
	assert_int_equal(loop_open(&page->loop), VACCEL_OK);
	page->log = memfd_create("log", MFD_CLOEXEC);
	log_open(&(struct log_setup){.level = VACCEL_LOG_DEBUG}, page->log);
	assert_int_equal(output_open(&page->output, &page->loop, what, "alice", &page->end),
			 VACCEL_OK);
}

/* As a child does, and read at once: a socket does not take much. */
static void print(struct page *page, const char *text)
{
	assert_int_equal(write(page->end, text, strlen(text)), strlen(text));
	page->output.source.ready(&page->output.source, EPOLLIN);
}

/* All of the log, which is the caller's to free. */
static char *page_close(struct page *page)
{
	off_t size;
	char *text;

	close(page->end);
	output_close(&page->output);
	output_close(&page->output); /* once is enough */
	loop_close(&page->loop);
	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR}, STDERR_FILENO);
	size = lseek(page->log, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	assert_int_equal(pread(page->log, text, (size_t)size, 0), size);
	close(page->log);
	return text;
}

static void test_lines_of_children_are_logged(void **state)
{
	struct page page;
	char *log;

	page_open(&page, OUTPUT_OF_PROGRAM);
	dprintf(page.end, "hello\n\n2026-11-21T07:00:00.000Z vaccel warning: low on luck\n"
			  "2026-11-21T07:00:00.000Z vaccel debug: session 5: opened\n"
			  "2026-11-21T07:00:00.000Z vaccel gossip: x\nno end");
	log = page_close(&page);
	assert_non_null(strstr(log, "info: tenant alice: output: hello\n"));
	assert_non_null(strstr(log, "warning: tenant alice: low on luck\n"));
	assert_non_null(strstr(log, "debug: tenant alice: session 5: opened\n"));
	assert_non_null(strstr(log, "output: 2026-11-21T07:00:00.000Z vaccel gossip: x\n"));
	assert_non_null(strstr(log, "info: tenant alice: output: no end\n"));
	free(log);
}

/* Of libvaccel's log what is about a session; but not all that begins like it. */
static void test_lines_about_a_session(void **state)
{
	static const char time[] = "2026-11-21T07:00:00.000Z vaccel debug: ";
	struct page page;
	char *log;

	page_open(&page, OUTPUT_OF_PROGRAM);
	log_open(&(struct log_setup){VACCEL_LOG_DEBUG, LOG_JSON}, page.log);
	dprintf(page.end, "%ssession 5: opened\n%ssession 0: x\n%ssession 7 has none\n", time, time,
		time);
	dprintf(page.end, "session 9: of a backend\n");
	log = page_close(&page);
	assert_non_null(strstr(log, "\"tenant\":\"alice\",\"session\":5,\"message\":\"opened\"}"));
	assert_non_null(strstr(log, "\"alice\",\"message\":\"session 0: x\"}"));
	assert_non_null(strstr(log, "\"alice\",\"message\":\"session 7 has none\"}"));
	assert_non_null(strstr(log, "\"alice\",\"message\":\"output: session 9: of a backend\"}"));
	free(log);
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	while ((text = strstr(text, what))) {
		found++;
		text += strlen(what);
	}
	return found;
}

static void test_who_prints_much_is_cut_short(void **state)
{
	struct page page;
	char *log;

	page_open(&page, OUTPUT_OF_PROGRAM);
	for (int i = 0; i < 3000; i++)
		print(&page, "again and\n");
	log = page_close(&page);
	/* Another second may have begun meanwhile. */
	assert_true(count(log, "output: again and") >= LOG_LINES_A_SECOND);
	assert_true(count(log, "output: again and") < 3000);
	assert_non_null(strstr(log, " more lines of output were left out in a second\n"));
	free(log);

	page_open(&page, OUTPUT_OF_PROGRAM);
	for (int i = 0; i < LOG_RECORD_MAX; i++)
		print(&page, "xx");
	log = page_close(&page);
	assert_int_equal(count(log, "output: "), 3);
	free(log);
}

static void test_records_of_children(void **state)
{
	struct page page;
	char *log;

	page_open(&page, OUTPUT_OF_LOG);
	dprintf(page.end, "2 5 7 low on \033 luck\n3 0 0 2026-11-21T07:00:00.000Z bob: x\n");
	log = page_close(&page);
	assert_non_null(strstr(log, " vaccel-agent warning: tenant alice: session 5: request 7: "
				    "low on ? luck\n"));
	/* Whatever it says, it is alice who says it. */
	assert_non_null(strstr(log, " vaccel-agent info: tenant alice: 2026-11-21T07:00:00.000Z "
				    "bob: x\n"));
	free(log);
}

static void test_what_is_no_record(void **state)
{
	static const char *const words[] = {"0 0 0 x", "5 0 0 x", "-1 0 0 x",
					    "1 2 3",   "x",	  "99999999999999999999 0 0 x"};
	struct page page;
	char *log;

	page_open(&page, OUTPUT_OF_LOG);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		dprintf(page.end, "%s\n", words[i]);
	log = page_close(&page);
	assert_int_equal(count(log, "\n"), ARRAY_SIZE(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		char line[64];

		snprintf(line, sizeof(line), "warning: tenant alice: %s\n", words[i]);
		assert_non_null(strstr(log, line));
	}
	free(log);
}

/* Errors too, and what is left out is said once. */
static void test_many_records(void **state)
{
	struct page page;
	char *log;

	page_open(&page, OUTPUT_OF_LOG);
	for (int i = 0; i < 2 * LOG_LINES_A_SECOND; i++)
		print(&page, "1 0 0 again\n");
	log = page_close(&page);
	assert_int_equal(count(log, "again"), LOG_LINES_A_SECOND);
	assert_int_equal(count(log, "warning: tenant alice: 100 more lines of its log were left "
				    "out in a second\n"),
			 1);
	free(log);
}

struct writing {
	int fd;
	const void *byte;
};

static void *write_one(void *context)
{
	const struct writing *writing = context;

	assert_int_equal(write(writing->fd, writing->byte, 1), 1);
	return NULL;
}

/* A write() of bytes in a page that does not come, as of a file of FUSE, keeps nobody waiting. */
static void test_a_line_that_takes_no_end(void **state)
{
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *away = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register range = {{(uintptr_t)away, size}, UFFDIO_REGISTER_MODE_MISSING, 0};
	struct uffdio_api api = {.api = UFFD_API};
	struct writing writing = {.byte = away};
	struct uffd_msg fault;
	struct page page;
	pthread_t thread;

	if (faults < 0) {
		munmap(away, size);
		print_message("this process may not handle its own page faults\n");
		skip();
	}
	assert_int_equal(ioctl(faults, UFFDIO_API, &api) | ioctl(faults, UFFDIO_REGISTER, &range),
			 0);
	page_open(&page, OUTPUT_OF_PROGRAM);
	writing.fd = page.end;
	pthread_create(&thread, NULL, write_one, &writing);
	assert_int_equal(read(faults, &fault, sizeof(fault)), sizeof(fault));
	page.output.source.ready(&page.output.source, EPOLLIN);
	assert_true(page.output.source.fd >= 0);
	close(faults);
	pthread_join(thread, NULL);
	free(page_close(&page));
	munmap(away, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_children_are_logged),
		cmocka_unit_test(test_lines_about_a_session),
		cmocka_unit_test(test_who_prints_much_is_cut_short),
		cmocka_unit_test(test_records_of_children),
		cmocka_unit_test(test_what_is_no_record),
		cmocka_unit_test(test_many_records),
		cmocka_unit_test(test_a_line_that_takes_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
