// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that read descriptors from a pipe and close them. A signal ends a socket's
 * lingering, so each has a timer send it one when a close takes longer than closes do.
 * A file of FUSE hears no signal: its close takes as long as the file system's owner
 * likes. So there are several threads; and when all are stuck like that descriptors
 * stay open, in the pipe and beyond, but nobody else waits. What can be made to stick
 * with more or less effort, or not at all, has a pipe and threads of its own.
 */
#include "agent/base/closer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "base/util.h"
#include "transport/transport.h"

#define PATIENCE_NS 500000
#define STUCK_NS    SECOND

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct closer {
	struct pool *pool;
	_Atomic int64_t since; /* it has begun to close something; 0: it waits */
};

struct pool {
	unsigned int nr_wanted, nr_closers;
	int queue[2];
	bool told_stuck, told_full;
	struct closer closers[CLOSERS];
};

/* What was passed; sockets into which others may pass something; and all else. */
static struct pool passed = {.nr_wanted = CLOSERS, .queue = {-1, -1}};
static struct pool local = {.nr_wanted = LOCAL_CLOSERS, .queue = {-1, -1}};
static struct pool plain = {.nr_wanted = 1, .queue = {-1, -1}};

static void do_nothing(int signal)
{
}

static void *close_all(void *context)
{
	static const struct itimerspec soon = {{0, PATIENCE_NS}, {0, PATIENCE_NS}}, never;
	struct closer *closer = context;
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
	while (read(closer->pool->queue[0], &fd, sizeof(fd)) == sizeof(fd)) {
		atomic_store(&closer->since, time_now());
		if (timed)
			timer_settime(timer, 0, &soon, NULL);
		close(fd);
		if (timed)
			timer_settime(timer, 0, &never, NULL);
		atomic_store(&closer->since, 0);
	}
	return NULL;
}

static int pool_start(struct pool *pool)
{
	pthread_t thread;
	int error = 0;

	if (pool->queue[1] >= 0)
		return VACCEL_OK;
	if (pipe2(pool->queue, O_CLOEXEC))
		return vaccel_fail(errno, "cannot make a pipe: %s", strerror(errno));
	/* Threads wait at their end. */
	fcntl(pool->queue[1], F_SETFL, O_NONBLOCK);
	while (pool->nr_closers < pool->nr_wanted) {
		struct closer *closer = &pool->closers[pool->nr_closers];

		closer->pool = pool;
		error = pthread_create(&thread, NULL, close_all, closer);
		if (error)
			break;
		pthread_detach(thread);
		pool->nr_closers++;
	}
	if (pool->nr_closers)
		return VACCEL_OK;
	close(TAKE_FD(pool->queue[0]));
	close(TAKE_FD(pool->queue[1]));
	return vaccel_fail(error, "cannot start a thread: %s", strerror(error));
}

int closer_start(void)
{
	const struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
	sigset_t alarm;
	int ret;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	ret = pool_start(&passed);
	if (!ret)
		ret = pool_start(&local);
	return ret ? ret : pool_start(&plain);
}

static void tell_if_stuck(struct pool *pool)
{
	int64_t now = time_now();

	for (unsigned int i = 0; i < pool->nr_closers; i++) {
		int64_t begun = atomic_load(&pool->closers[i].since);

		if (!begun || now - begun < STUCK_NS)
			return;
	}
	if (!pool->told_stuck)
		log_line(VACCEL_LOG_ERROR, NULL,
			 "descriptors stay open: %u that peers have passed take no end to be "
			 "closed, as files of FUSE may; end whose they are",
			 pool->nr_closers);
	pool->told_stuck = true;
}

static void tell_full(struct pool *pool)
{
	if (!pool->told_full)
		log_line(VACCEL_LOG_ERROR, NULL,
			 "descriptors stay open for good: more come than can be closed");
	pool->told_full = true;
}

static void close_by(struct pool *pool, int fd)
{
	if (fd < 0)
		return;
	if (pool->queue[1] < 0) {
		close(fd);
		return;
	}
	if (write(pool->queue[1], &fd, sizeof(fd)) < 0)
		tell_full(pool);
	tell_if_stuck(pool);
}

void close_elsewhere(int fd)
{
	close_by(&passed, fd);
}

/* With a socket of any other kind nobody can pass a descriptor. */
static bool is_local(int fd)
{
	int domain;
	socklen_t size = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX;
}

void close_own_elsewhere(int fd)
{
	close_by(is_local(fd) ? &local : &plain, fd);
}

void close_elsewherep(const int *fd)
{
	close_elsewhere(*fd);
}
