// SPDX-License-Identifier: Apache-2.0
/*
 * Makes calls by /dev/accel0, in a guest, as no sensible program would, all at once: from threads
 * and processes, with deadlines that are over before the answer, signals, memory that is given back
 * and copied in mid-call, files closed in mid-call, and processes that are killed. What a call
 * brings is none of its business; that nothing breaks is the test's.
 *
 * With --nth it makes one call again and again, each time with the next of the kernel's allocations
 * and copies failing, until none is left that did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux/vaccel.h"

#define NODE	"/dev/accel0"
#define THREADS 6
#define BYTES	(1 << 20)
#define PIECES	16

struct caller {
	pthread_t thread;
	struct storm *storm;
	unsigned int seed;
	unsigned char *memory; /* BYTES to send and BYTES to receive */
};

/* Those of one process. */
struct storm {
	struct caller callers[THREADS];
	atomic_int file; /* shared by all callers, and exchanged now and then */
	atomic_bool over;
	bool failing; /* allocations of the callers do, by chance */
};

/* What all processes have counted: calls by how they went. */
static atomic_ulong *counts;
#define COUNTS 200

static void die(const char *what)
{
	perror(what);
	exit(3);
}

static void cut(struct accel_buffer *to, unsigned char *bytes, size_t size)
{
	for (unsigned int i = 0; i < PIECES; i++) {
		to[i].address = (uintptr_t)(bytes + size * i / PIECES);
		to[i].size = size * (i + 1) / PIECES - size * i / PIECES;
	}
}

static int call(int fd, unsigned long command, unsigned char *memory, size_t in, size_t out,
		uint64_t timeout_ns)
{
	struct accel_buffer buffers[2 * PIECES];
	struct accel_call args = {
		.in = (uintptr_t)buffers,
		.out = (uintptr_t)(buffers + PIECES),
		.nr_in = in ? PIECES : 0,
		.nr_out = out ? PIECES : 0,
		.timeout_ns = timeout_ns,
	};

	cut(buffers, memory, in);
	cut(buffers + PIECES, memory + BYTES, out);
	return ioctl(fd, command, &args) ? errno : 0;
}

static size_t some_size(unsigned int *seed)
{
	return (size_t)rand_r(seed) % (rand_r(seed) % 4 ? 9000 : BYTES);
}

/* 0 is none: there is no device just then. */
static int reopen(struct storm *storm)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC), old;

	if (fd < 0)
		return errno;
	old = atomic_exchange(&storm->file, fd);
	if (old)
		close(old);
	return 0;
}

/* For this thread. */
static void fail_by_chance(void)
{
	int fd = open("/proc/thread-self/make-it-fail", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		die("make-it-fail");
	close(fd);
}

static void *make_calls(void *argument)
{
	struct caller *caller = argument;
	struct storm *storm = caller->storm;
	unsigned int *seed = &caller->seed;

	if (storm->failing)
		fail_by_chance();
	while (!storm->over) {
		struct pollfd ready = {.fd = storm->file, .events = POLLIN | POLLOUT};
		bool echo = !(rand_r(seed) % 8);
		uint64_t timeout = rand_r(seed) % 3 ? 0 : (uint64_t)rand_r(seed) % 30000000;
		size_t in = some_size(seed), out = some_size(seed);
		int error = call(ready.fd, echo ? ACCEL_ECHO : ACCEL_CALL, caller->memory, in, out,
				 timeout);

		counts[error < COUNTS ? error : COUNTS - 1]++;
		poll(&ready, 1, 0);
		/* There may be no other device for a while. */
		if ((ready.revents & (POLLHUP | POLLERR | POLLNVAL) || !(rand_r(seed) % 20)) &&
		    reopen(storm))
			usleep(10000);
	}
	return NULL;
}

static void ignore(int number)
{
	(void)number;
}

/* What happens to a program while it waits. */
static void disturb(struct storm *storm, unsigned int *seed)
{
	struct caller *caller = &storm->callers[(unsigned int)rand_r(seed) % THREADS];
	size_t offset = ((size_t)rand_r(seed) % (2 * BYTES)) & ~4095ul;
	pid_t pid;

	switch (rand_r(seed) % 4) {
	case 0:
		madvise(caller->memory + offset, 4096, MADV_DONTNEED);
		break;
	case 1:
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		break;
	default:
		pthread_kill(caller->thread, SIGUSR1);
	}
}

static int rage(unsigned int seed, bool failing)
{
	struct storm storm = {.failing = failing};
	time_t end = time(NULL) + 2;

	signal(SIGUSR1, ignore);
	while (reopen(&storm)) {
		if (time(NULL) > end)
			return 0;
		usleep(10000);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		struct caller *caller = &storm.callers[i];

		caller->storm = &storm;
		caller->seed = seed * THREADS + i;
		caller->memory = mmap(NULL, 2 * BYTES, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (caller->memory == MAP_FAILED)
			die("mmap");
	}
	for (unsigned int i = 0; i < THREADS; i++)
		if (pthread_create(&storm.callers[i].thread, NULL, make_calls, &storm.callers[i]))
			_exit(0);
	while (time(NULL) < end) {
		disturb(&storm, &seed);
		usleep(1000);
	}
	storm.over = true;
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(storm.callers[i].thread, NULL);
	return 0;
}

/* So many processes at a time for so long; half of them are killed before they end. */
static int storm(unsigned int seconds, unsigned int processes, bool failing)
{
	time_t end = time(NULL) + seconds;
	unsigned int seed = 1, killed = 0, ended = 0, lost = 0;
	pid_t *pids = calloc(processes, sizeof(*pids));

	if (!pids)
		die("calloc");
	while (time(NULL) < end) {
		int status;

		for (unsigned int i = 0; i < processes; i++) {
			seed++;
			pids[i] = fork();
			if (!pids[i])
				_exit(rage(seed, failing));
		}
		usleep((useconds_t)rand_r(&seed) % 200000);
		for (unsigned int i = 0; i < processes / 2; i++)
			kill(pids[i], SIGKILL);
		for (unsigned int i = 0; i < processes; i++) {
			if (waitpid(pids[i], &status, 0) != pids[i])
				die("waitpid");
			killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
			ended += WIFEXITED(status) && !WEXITSTATUS(status);
			lost += i >= processes / 2 && !WIFEXITED(status);
		}
	}
	free(pids);
	printf("ended=%u killed=%u lost=%u", ended, killed, lost);
	for (unsigned int i = 0; i < COUNTS; i++)
		if (counts[i])
			printf(" %s=%lu", i ? strerrorname_np((int)i) ?: "?" : "ok", counts[i]);
	printf("\n");
	return 0;
}

/* Of what this thread does next, the kernel's @nth allocation or copy fails; 0: none. */
static bool fail_nth(int file, unsigned int nth)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(file, text, (size_t)size, 0) == size;
}

/* Returns whether it came to that. To ask can be what fails; it does so once. */
static bool has_failed(int file)
{
	char text[16] = "";
	bool failed = pread(file, text, sizeof(text) - 1, 0) > 0 && !strtoul(text, NULL, 10);

	if (!fail_nth(file, 0) && !fail_nth(file, 0))
		die("fail-nth");
	return failed;
}

static int one_call(unsigned char *memory, size_t in, size_t out)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC), error;

	if (fd < 0)
		return errno;
	error = call(fd, ACCEL_CALL, memory, in, out, 0);
	close(fd);
	return error;
}

static int each_fails(size_t in, size_t out)
{
	int fail = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	unsigned char *memory = mmap(NULL, 2 * BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	unsigned int nth = 0, error;
	bool failed;

	if (fail < 0 || memory == MAP_FAILED)
		die("fail-nth");
	do {
		if (!fail_nth(fail, ++nth))
			die("fail-nth");
		error = (unsigned int)one_call(memory, in, out);
		failed = has_failed(fail);
		counts[error]++;
	} while (failed || nth < 3);
	printf("in=%zu out=%zu failed=%u ok=%lu ENOMEM=%lu EFAULT=%lu\n", in, out, nth - 1,
	       counts[0], counts[ENOMEM], counts[EFAULT]);
	for (unsigned int i = 1; i < COUNTS; i++)
		if (counts[i] && i != ENOMEM && i != EFAULT)
			printf("%s=%lu\n", strerrorname_np((int)i), counts[i]);
	return error != 0;
}

int main(int argc, char **argv)
{
	const struct option known[] = {
		{"seconds", 1, NULL, 's'}, {"processes", 1, NULL, 'p'}, {"failing", 0, NULL, 'f'},
		{"nth", 1, NULL, 'n'},	   {NULL, 0, NULL, 0},
	};
	unsigned int seconds = 10, processes = 4;
	bool failing = false;
	size_t nth = 0;

	counts = mmap(NULL, COUNTS * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		die("mmap");
	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 's':
			seconds = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			processes = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			failing = true;
			break;
		case 'n':
			nth = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	return nth ? each_fails(nth, nth) : storm(seconds, processes, failing);
}
