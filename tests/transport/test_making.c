// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that are being made, where closing one takes as long as its other end likes. What
 * closes a file is a function here: the linker wraps close() and dup3().
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "transport/carrier.h"
#include "transport/transport.h"

/* Enough for a machine that does other things. */
#define PATIENCE_S 10

int __real_close(int fd);
int __wrap_close(int fd);
int __real_dup3(int from, int to, int flags);
int __wrap_dup3(int from, int to, int flags);

static atomic_int slow = -1; /* the descriptor whose file is slow to close */
static sem_t begun, go_on;
static atomic_bool gave_up;

/* The number is free, or another file's, before the system closes the old file. */
static void dawdle(void)
{
	struct timespec until;

	sem_post(&begun);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (sem_timedwait(&go_on, &until)) {
		if (errno != ETIMEDOUT)
			continue;
		gave_up = true;
		return;
	}
}

int __wrap_close(int fd)
{
	int expected = fd;
	bool is_slow = atomic_compare_exchange_strong(&slow, &expected, -1);
	int ret = __real_close(fd);

	if (is_slow)
		dawdle();
	return ret;
}

int __wrap_dup3(int from, int to, int flags)
{
	int expected = to;
	bool is_slow = atomic_compare_exchange_strong(&slow, &expected, -1);
	int ret = __real_dup3(from, to, flags);

	if (is_slow)
		dawdle();
	return ret;
}

/* Up to a number that no test comes to. */
static int count_open(void)
{
	int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* What is open in a child, less what is open here. */
static int count_more_in_child(int here)
{
	int status = 0;
	pid_t pid;

	links_before_fork();
	pid = fork();
	links_after_fork(!pid);
	if (!pid)
		_exit(count_open() - here + 100);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) - 100;
}

static void make_pair(int ret_ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_ends), 0);
	making_note(ret_ends[0]);
}

static void is_over(int end)
{
	char byte;

	assert_int_equal(recv(end, &byte, 1, MSG_DONTWAIT), 0);
}

static void *close_it(void *fd)
{
	making_close((int)(intptr_t)fd);
	return NULL;
}

static void test_a_slow_end_keeps_nobody_waiting(void **state)
{
	int ends[2], other, before = count_open();
	pthread_t closing;

	make_pair(ends);
	atomic_store(&slow, ends[0]);
	assert_int_equal(pthread_create(&closing, NULL, close_it, (void *)(intptr_t)ends[0]), 0);
	while (sem_wait(&begun))
		;
	is_over(ends[1]);
	/* Others make links and fork, and the child has nothing of those that are being made. */
	making_links(true);
	other = making_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
	making_links(false);
	assert_false(gave_up);
	assert_true(other >= 0 && other != ends[0]);
	assert_int_equal(count_more_in_child(before), 1);
	sem_post(&go_on);
	assert_int_equal(pthread_join(closing, NULL), 0);

	making_close(other);
	assert_int_equal(count_open(), before + 1);
	assert_int_equal(count_more_in_child(before), 1);
	close(ends[1]);
}

/* Where there is no room for another descriptor. */
static void test_without_room_it_is_closed_all_the_same(void **state)
{
	struct rlimit limit, none = {0};
	int ends[2], before = count_open();
	int again;

	make_pair(ends);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	making_close(ends[0]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	is_over(ends[1]);
	assert_int_equal(count_open(), before + 1);

	/* Who gets its number next keeps that in a child. */
	again = dup(ends[1]);
	assert_int_equal(again, ends[0]);
	assert_int_equal(count_more_in_child(before), 2);
	close(again);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_slow_end_keeps_nobody_waiting),
		cmocka_unit_test(test_without_room_it_is_closed_all_the_same),
	};

	sem_init(&begun, 0, 0);
	sem_init(&go_on, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
