// SPDX-License-Identifier: Apache-2.0
/*
 * Closing elsewhere, when closes take no end: those of numbers for which close() waits here, and of
 * sockets of datagrams, which stand for those in which somebody has left what takes no end.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "transport/transport.h"

#define STUCK	 1000000 /* and above: no descriptors */
#define NOTHING	 900000
#define PATIENCE 30000 /* ms */

int __real_close(int fd);
int __wrap_close(int fd);

static int begun[2], go[2];
static atomic_uint nothings; /* that were closed */
static atomic_uint gone;     /* that were stuck, and go on */

int __wrap_close(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);
	char byte = 0;

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (fd >= STUCK || type == SOCK_DGRAM) {
		assert_int_equal(write(begun[1], &byte, 1), 1);
		assert_int_equal(read(go[0], &byte, 1), 1);
		atomic_fetch_add(&gone, 1);
	}
	atomic_fetch_add(&nothings, fd == NOTHING);
	return fd < STUCK ? __real_close(fd) : 0;
}

static void await(int fd)
{
	assert_int_equal(poll(&(struct pollfd){fd, POLLIN, 0}, 1, PATIENCE), 1);
}

static void await_beginning(void)
{
	char byte;

	await(begun[0]);
	assert_int_equal(read(begun[0], &byte, 1), 1);
}

static void stick(int number)
{
	close_elsewhere(STUCK + number);
	await_beginning();
}

/* All that are stuck: what is left could let go in another test what is to be stuck there. */
static void release(int count)
{
	int64_t end = time_now() + PATIENCE * MILLISECOND;
	unsigned int all = atomic_load(&gone) + (unsigned int)count;

	for (int i = 0; i < count; i++)
		assert_int_equal(write(go[1], "", 1), 1);
	while (atomic_load(&gone) != all)
		assert_true(time_now() < end);
}

static void assert_soon(const int ends[2], void (*close_one)(int fd))
{
	char byte;

	close_one(ends[1]);
	await(ends[0]);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	__real_close(ends[0]);
}

static void assert_closed_soon(void (*close_one)(int fd))
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_soon(ends, close_one);
}

static void assert_socket_closed_soon(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_soon(ends, close_own_elsewhere);
}

static int start(void **state)
{
	return pipe(begun) || pipe(go) || closer_start();
}

static void test_others_are_closed(void **state)
{
	for (int i = 0; i < CLOSERS - 1; i++) {
		stick(i);
		assert_closed_soon(close_elsewhere);
	}
	release(CLOSERS - 1);
	assert_closed_soon(close_elsewhere);
}

static void test_own_ones_do_not_wait_for_what_was_passed(void **state)
{
	for (int i = 0; i < CLOSERS; i++)
		stick(i);
	assert_socket_closed_soon();
	assert_closed_soon(close_own_elsewhere);
	release(CLOSERS);
	assert_closed_soon(close_elsewhere);
}

/* Nor do others for sockets into which descriptors can be passed. */
static void test_sockets_that_are_stuck(void **state)
{
	int ends[LOCAL_CLOSERS][2];

	for (int i = 0; i < LOCAL_CLOSERS; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends[i]), 0);
		assert_socket_closed_soon();
		close_own_elsewhere(ends[i][0]);
		await_beginning();
	}
	assert_closed_soon(close_own_elsewhere);
	assert_closed_soon(close_elsewhere);
	release(LOCAL_CLOSERS);
	for (int i = 0; i < LOCAL_CLOSERS; i++)
		__real_close(ends[i][1]);
	assert_socket_closed_soon();
}

/* What the pool says as it is given more and more. */
static void assert_all_is_said(int log)
{
	int64_t end = time_now() + PATIENCE * MILLISECOND;
	char words[1024] = "";
	ssize_t size;

	while (!strstr(words, "more come than can be closed") ||
	       !strstr(words, "take no end to be closed")) {
		size_t length = strlen(words);

		while (!poll(&(struct pollfd){log, POLLIN, 0}, 1, 0) && time_now() < end)
			close_elsewhere(NOTHING);
		assert_true(time_now() < end);
		size = read(log, words + length, sizeof(words) - 1 - length);
		assert_true(size > 0);
	}
}

static void test_nobody_waits_when_all_are_stuck(void **state)
{
	int64_t end;
	int fd = fcntl(begun[0], F_DUPFD_CLOEXEC, 0);
	int log[2];

	assert_int_equal(pipe(log), 0);
	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR}, log[1]);
	for (int i = 0; i < CLOSERS; i++)
		stick(i);
	assert_all_is_said(log[0]);
	close_elsewhere(fd);
	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	release(CLOSERS);
	/* Once more when the pipe has room again, which it has by pages. */
	end = time_now() + PATIENCE * MILLISECOND;
	while (atomic_load(&nothings) < 2 * PIPE_BUF / sizeof(int))
		assert_true(time_now() < end);
	close_elsewhere(fd);
	while (fcntl(fd, F_GETFD) != -1)
		assert_true(time_now() < end);
	__real_close(log[0]);
	__real_close(log[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others_are_closed),
		cmocka_unit_test(test_own_ones_do_not_wait_for_what_was_passed),
		cmocka_unit_test(test_sockets_that_are_stuck),
		cmocka_unit_test(test_nobody_waits_when_all_are_stuck),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
