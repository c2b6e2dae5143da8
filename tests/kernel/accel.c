// SPDX-License-Identifier: Apache-2.0
/*
 * Makes calls by /dev/accelN, in a guest, and says in a line how each went. Bytes sent are a
 * pattern by which the device of backend.py knows them; bytes that come must be of it too.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux/vaccel.h"

#define PERIOD	251
#define PIECES	256
#define THREADS 16
#define DEVICES 2

struct options {
	uint64_t in, out; /* bytes */
	uint64_t pieces;  /* that each of them is in */
	uint64_t skew;	  /* bytes by which their memory is not aligned */
	uint64_t repeat;
	uint64_t processes;
	uint64_t timeout_ms, request;
	uint64_t lock_kib; /* RLIMIT_MEMLOCK, of a user without rights; or UINT64_MAX */
	uint64_t kill_ms;
	uint64_t patience_ms;
	uint64_t threads;   /* of each process */
	uint64_t fixed_kib; /* that io_uring has pinned */
	uint64_t devices;   /* by which threads make their calls in turns */
	int echo, fetch, leave, huge, read_only, poll, info, quiet;
	int nowhere; /* the bytes lie from address 0 on, where nothing is */
	int await;   /* a thread sleeps in poll() meanwhile */
};

static void die(const char *what)
{
	perror(what);
	exit(3);
}

static unsigned char *memory(const struct options *o, size_t size)
{
	size_t all = ((size + o->skew) | 0x1fffff) + 1;
	unsigned char *bytes =
		mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		die("mmap");
	madvise(bytes, all, o->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return bytes + o->skew;
}

static void cut(struct accel_buffer *to, const unsigned char *bytes, size_t size,
		unsigned int pieces)
{
	for (unsigned int i = 0; i < pieces; i++) {
		size_t from = size * i / pieces, until = size * (i + 1) / pieces;

		to[i].address = (uintptr_t)(bytes + from);
		to[i].size = until - from;
	}
}

static bool is_pattern(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != i % PERIOD)
			return false;
	return true;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int make_call(const struct options *o, int fd, unsigned char *in, unsigned char *out)
{
	struct accel_buffer buffers[2 * PIECES];
	struct accel_call call = {
		.in = (uintptr_t)buffers,
		.out = (uintptr_t)(buffers + o->pieces),
		.nr_in = o->in ? o->pieces : 0,
		.nr_out = o->out ? o->pieces : 0,
		.timeout_ns = o->timeout_ms * 1000000,
		.flags = (o->fetch ? ACCEL_FETCH : 0) | (o->leave ? ACCEL_LEAVE : 0),
		.request = o->request,
		.patience_ns = o->patience_ms * 1000000,
	};
	double began = seconds();
	int error = 0;

	cut(buffers, in, o->in, o->pieces);
	cut(buffers + o->pieces, out, o->out, o->pieces);
	if (ioctl(fd, o->echo ? ACCEL_ECHO : ACCEL_CALL, &call))
		error = errno;
	if (!o->quiet)
		printf("error=%s code=%u flags=%u used=%" PRIu64 " wanted=%" PRIu64
		       " request=%" PRIu64 " right=%d ms=%.0f\n",
		       error ? strerrorname_np(error) : "0", call.code, call.flags,
		       (uint64_t)call.used, (uint64_t)call.wanted, (uint64_t)call.request,
		       call.used <= o->out && is_pattern(out, call.used),
		       (seconds() - began) * 1e3);
	return error || call.code;
}

static void say_info(int fd)
{
	struct accel_info info;

	if (ioctl(fd, ACCEL_INFO, &info))
		die("ACCEL_INFO");
	printf("version=%u features=%u queues=%u segments=%u readable=%" PRIu64 " writable=%" PRIu64
	       " pinned=%" PRIu64 "\n",
	       info.version, info.features, info.queues, info.segments_max,
	       (uint64_t)info.readable_max, (uint64_t)info.writable_max, (uint64_t)info.pinned_max);
}

static void say_poll(int fd, short events, int timeout_ms)
{
	struct pollfd ready = {.fd = fd, .events = events};

	poll(&ready, 1, timeout_ms);
	printf("in=%d out=%d rdhup=%d hup=%d\n", !!(ready.revents & POLLIN),
	       !!(ready.revents & POLLOUT), !!(ready.revents & POLLRDHUP),
	       !!(ready.revents & POLLHUP));
}

static void *await(void *fd)
{
	say_poll(*(int *)fd, POLLIN, -1);
	return NULL;
}

struct thread {
	pthread_t id;
	const struct options *options;
	int fd;
	unsigned char *in, *out;
	bool failed;
};

static void *make_calls(void *argument)
{
	struct thread *thread = argument;

	for (unsigned int i = 0; i < thread->options->repeat; i++)
		thread->failed |=
			make_call(thread->options, thread->fd, thread->in, thread->out) != 0;
	return NULL;
}

/* The first of them is this one, whose state is the process's. */
static bool make_all_calls(const struct options *o, const int *fds, unsigned char *in,
			   unsigned char *out)
{
	struct thread threads[THREADS];
	bool failed = false;

	for (unsigned int i = 0; i < o->threads; i++) {
		threads[i] = (struct thread){.options = o,
					     .fd = fds[i % o->devices],
					     .in = in,
					     .out = i ? memory(o, o->out) : out};
		if (i && pthread_create(&threads[i].id, NULL, make_calls, &threads[i]))
			die("pthread_create");
	}
	make_calls(&threads[0]);
	for (unsigned int i = 0; i < o->threads; i++) {
		if (i)
			pthread_join(threads[i].id, NULL);
		failed |= threads[i].failed;
	}
	return failed;
}

static void open_all(const struct options *o, int *ret_fds)
{
	for (unsigned int i = 0; i < o->devices; i++) {
		char path[] = "/dev/accelN";

		path[sizeof(path) - 2] = '0' + i;
		ret_fds[i] = open(path, O_RDWR | O_CLOEXEC);
		if (ret_fds[i] < 0)
			die(path);
	}
}

/* Memory that is pinned for longer than any call, and counted with theirs. */
static void fix(const struct options *o)
{
	struct iovec fixed = {memory(o, o->fixed_kib * 1024), o->fixed_kib * 1024};
	struct io_uring_params params = {0};
	int fd = syscall(SYS_io_uring_setup, 1, &params);

	if (fd < 0 || syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &fixed, 1))
		die("io_uring");
}

static void become_user(const struct options *o)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	const struct rlimit limit = {o->lock_kib * 1024, o->lock_kib * 1024};

	if (setrlimit(RLIMIT_MEMLOCK, &all) || setuid(65534))
		die("setuid");
	if (o->fixed_kib)
		fix(o);
	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		die("setrlimit");
}

static int work(const struct options *o)
{
	int fds[DEVICES];
	unsigned char *in = o->nowhere ? NULL : memory(o, o->in);
	unsigned char *out = o->nowhere ? NULL : memory(o, o->out);
	pthread_t waiting = 0;
	double began;
	bool failed;

	open_all(o, fds);
	for (size_t i = 0; in && i < o->in; i++)
		in[i] = i % PERIOD;
	if (o->read_only)
		mprotect(out - o->skew, o->out + o->skew, PROT_READ);
	if (o->lock_kib != UINT64_MAX)
		become_user(o);
	if (o->info)
		say_info(fds[0]);
	if (o->await && pthread_create(&waiting, NULL, await, &fds[0]))
		die("pthread_create");
	began = seconds();
	failed = make_all_calls(o, fds, in, out);
	if (o->await)
		pthread_join(waiting, NULL);
	if (o->quiet)
		printf("calls=%" PRIu64 " failed=%d us=%.1f right=%d\n", o->repeat, failed,
		       (seconds() - began) / o->repeat * 1e6, is_pattern(out, o->out));
	if (o->poll)
		say_poll(fds[0], POLLIN | POLLOUT | POLLRDHUP, 0);
	fflush(stdout);
	return failed;
}

/* So many processes, each of which is killed after a time if one was given. */
static int run(const struct options *o)
{
	int failed = 0;

	for (unsigned int i = 0; i < o->processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			exit(work(o));
		if (o->kill_ms) {
			usleep(o->kill_ms * 1000);
			kill(pid, SIGKILL);
		}
	}
	for (int status; wait(&status) > 0;) {
		if (WIFSIGNALED(status))
			printf("killed by %d\n", WTERMSIG(status));
		failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
	return failed;
}

int main(int argc, char **argv)
{
	struct options o = {.pieces = 1,
			    .repeat = 1,
			    .processes = 1,
			    .threads = 1,
			    .devices = 1,
			    .lock_kib = UINT64_MAX};
	uint64_t *const numbers[] = {&o.in,	   &o.out,	 &o.pieces,	 &o.skew,
				     &o.repeat,	   &o.processes, &o.timeout_ms,	 &o.request,
				     &o.lock_kib,  &o.kill_ms,	 &o.patience_ms, &o.threads,
				     &o.fixed_kib, &o.devices};
	const struct option known[] = {
		{"in", 1, NULL, 1},
		{"out", 1, NULL, 2},
		{"pieces", 1, NULL, 3},
		{"skew", 1, NULL, 4},
		{"repeat", 1, NULL, 5},
		{"processes", 1, NULL, 6},
		{"timeout-ms", 1, NULL, 7},
		{"request", 1, NULL, 8},
		{"lock-kib", 1, NULL, 9},
		{"kill-ms", 1, NULL, 10},
		{"patience-ms", 1, NULL, 11},
		{"threads", 1, NULL, 12},
		{"fixed-kib", 1, NULL, 13},
		{"devices", 1, NULL, 14},
		{"leave", 0, &o.leave, 1},
		{"echo", 0, &o.echo, 1},
		{"fetch", 0, &o.fetch, 1},
		{"huge", 0, &o.huge, 1},
		{"read-only", 0, &o.read_only, 1},
		{"poll", 0, &o.poll, 1},
		{"info", 0, &o.info, 1},
		{"quiet", 0, &o.quiet, 1},
		{"nowhere", 0, &o.nowhere, 1},
		{"await", 0, &o.await, 1},
		{NULL, 0, NULL, 0},
	};

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if (c == '?')
			return 2;
		if (c)
			*numbers[c - 1] = strtoull(optarg, NULL, 0);
	}
	if (!o.pieces || o.pieces > PIECES || !o.threads || o.threads > THREADS || !o.devices ||
	    o.devices > DEVICES)
		return 2;
	return run(&o);
}
