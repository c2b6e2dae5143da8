// SPDX-License-Identifier: Apache-2.0
/*
 * A thread that reads descriptors from a pipe and closes them. A signal ends a
 * socket's lingering, so a timer sends one to whoever is closing for longer
 * than a close takes.
 */
#include "agent/supervisor/aside/closer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

#define PATIENCE_US 500

static int queue[2] = {-1, -1};

static void do_nothing(int signal)
{
}

static void *close_all(void *context)
{
	static const struct itimerval soon = {{0, PATIENCE_US}, {0, PATIENCE_US}}, never;
	sigset_t others;
	int fd;

	sigfillset(&others);
	sigdelset(&others, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &others, NULL);
	while (read(queue[0], &fd, sizeof(fd)) == sizeof(fd)) {
		setitimer(ITIMER_REAL, &soon, NULL);
		close(fd);
		setitimer(ITIMER_REAL, &never, NULL);
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
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	error = pthread_create(&thread, NULL, close_all, NULL);
	if (!error) {
		pthread_detach(thread);
		return VACCEL_OK;
	}
	close(TAKE_FD(queue[0]));
	close(TAKE_FD(queue[1]));
	return vaccel_fail(error, "cannot start a thread: %s", strerror(error));
}

void close_elsewhere(int fd)
{
	if (fd >= 0 && (queue[1] < 0 || write(queue[1], &fd, sizeof(fd)) != sizeof(fd)))
		close(fd);
}

void close_elsewherep(const int *fd)
{
	close_elsewhere(*fd);
}
