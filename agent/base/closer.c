// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that read descriptors from a pipe and close them. A signal ends a socket's
 * lingering, so each has a timer send it one when a close takes longer than closes do.
 * A file of FUSE hears no signal: its close takes as long as the file system's owner
 * likes. So there are several threads; and when all are stuck like that descriptors
 * stay open, in the pipe and beyond, but nobody else waits.
 */
#include "agent/base/closer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "base/util.h"
#include "transport/transport.h"

#define PATIENCE_NS 500000
#define STUCK_NS    INT64_C(1000000000)

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static int queue[2] = {-1, -1};
static unsigned int nr_closers;
static _Atomic int64_t since[CLOSERS]; /* each has begun to close something; 0: it waits */

static void do_nothing(int signal)
{
}

static void *close_all(void *context)
{
	static const struct itimerspec soon = {{0, PATIENCE_NS}, {0, PATIENCE_NS}}, never;
	_Atomic int64_t *mine = context;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGALRM,
		.sigev_notify_thread_id = gettid(),
	};
	timer_t timer;
	sigset_t others;
	bool timed;
	int fd;

	sigfillset(&others);
	sigdelset(&others, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &others, NULL);
	timed = !timer_create(CLOCK_MONOTONIC, &event, &timer);
	while (read(queue[0], &fd, sizeof(fd)) == sizeof(fd)) {
		atomic_store(mine, time_now());
		if (timed)
			timer_settime(timer, 0, &soon, NULL);
		close(fd);
		if (timed)
			timer_settime(timer, 0, &never, NULL);
		atomic_store(mine, 0);
	}
	return NULL;
}

int closer_start(void)
{
	const struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
	pthread_t thread;
	sigset_t alarm;
	int error;

	if (queue[1] >= 0)
		return VACCEL_OK;
	if (pipe2(queue, O_CLOEXEC))
		return vaccel_fail(errno, "cannot make a pipe: %s", strerror(errno));
	/* Threads wait at their end. */
	fcntl(queue[1], F_SETFL, O_NONBLOCK);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	while (nr_closers < CLOSERS &&
	       !(error = pthread_create(&thread, NULL, close_all, &since[nr_closers]))) {
		pthread_detach(thread);
		nr_closers++;
	}
	if (nr_closers)
		return VACCEL_OK;
	close(TAKE_FD(queue[0]));
	close(TAKE_FD(queue[1]));
	return vaccel_fail(error, "cannot start a thread: %s", strerror(error));
}

static void tell_if_stuck(void)
{
	static bool told;
	int64_t now = time_now();

	for (unsigned int i = 0; i < nr_closers; i++) {
		int64_t begun = atomic_load(&since[i]);

		if (!begun || now - begun < STUCK_NS)
			return;
	}
	if (!told)
		log_line(VACCEL_LOG_ERROR, NULL,
			 "descriptors stay open: %u that peers have passed take no end to be "
			 "closed, as files of FUSE may; end whose they are",
			 nr_closers);
	told = true;
}

void close_elsewhere(int fd)
{
	if (fd < 0)
		return;
	if (queue[1] < 0) {
		close(fd);
		return;
	}
	/* What the pipe does not take stays open. */
	(void)!write(queue[1], &fd, sizeof(fd));
	tell_if_stuck();
}

void close_elsewherep(const int *fd)
{
	close_elsewhere(*fd);
}
