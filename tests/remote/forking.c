// SPDX-License-Identifier: Apache-2.0
/*
 * A program that forks with a session open at an agent, as often as children can end
 * differently. Each child makes connections of its own, and leaves the parent's, with
 * their shared memory, as they are. Status 0 if that is so; else a sentence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel.h>

#define DESCRIPTORS 1024
#define SAMPLES	    65536 /* enough to go through shared memory, where there is any */
#define STUCK_S	    30

static struct vaccel_session sess;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, vaccel_error_text());
	exit(1);
}

/* What tells the process's sockets from all others, whatever their numbers. */
static unsigned long long sockets(void)
{
	unsigned long long sum = 0;

	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		struct stat status;

		if (!fstat(fd, &status) && S_ISSOCK(status.st_mode))
			sum = sum * 31 + status.st_ino;
	}
	return sum;
}

/* Whether small and large calls have the right answers. */
static bool works(double *samples, double seed)
{
	static double out[SAMPLES];
	double min, max;
	bool are_right;

	for (int i = 0; i < SAMPLES; i++)
		samples[i] = seed + i;
	are_right = !vaccel_noop(&sess) &&
		    !vaccel_minmax(&sess, samples, SAMPLES, 0, 10 * SAMPLES, out, &min, &max) &&
		    min == seed && max == seed + SAMPLES - 1;
	for (int i = 0; are_right && i < SAMPLES; i++)
		are_right = out[i] == samples[i];
	return are_right;
}

static void close_all(int status)
{
	_exit(vaccel_session_release(&sess) || vaccel_cleanup() ? 1 : status);
}

static void fork_and(void (*leave)(int), double *samples)
{
	unsigned long long before = sockets();
	int status;
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (!child) {
		double *own = malloc(SAMPLES * sizeof(*own));

		alarm(STUCK_S);
		if (!works(own, 1) || !works(own, 2) || sockets() == before)
			fail("the child's calls");
		free(own);
		leave(0);
	}
	if (waitpid(child, &status, 0) != child || status)
		fail("the child");
	if (!works(samples, 3))
		fail("the parent's calls");
	if (sockets() != before)
		fail("the parent has connected anew");
}

int main(void)
{
	double *plain = malloc(SAMPLES * sizeof(*plain));
	double *shared = vaccel_alloc(SAMPLES * sizeof(*shared));

	if (!plain || !shared || vaccel_bootstrap() || vaccel_session_init(&sess, 0) ||
	    !works(plain, 4) || !works(shared, 5))
		fail("before the fork");
	fork_and(exit, plain);
	fork_and(_exit, shared);
	fork_and(close_all, plain);
	if (vaccel_session_release(&sess) || vaccel_cleanup())
		fail("at the end");
	free(plain);
	vaccel_free(shared);
	return 0;
}
