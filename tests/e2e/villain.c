// SPDX-License-Identifier: Apache-2.0
/*
 * A library that a tenant brings to have its worker, or others, fail: functions to run, and
 * what it does as it is loaded and as it goes, which the file "order" in the
 * tenant's directory says.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/arg.h>

#include "agent/base/ipc.h"
#include "agent/base/log.h"
#include "base/util.h"

#define KINDS 32  /* of messages to the supervisor, and more than there are */
#define DEEP  400 /* folders */

#define MEMORY ((size_t)64 << 20) /* by the policy */
#define STACK  ((size_t)2 << 20)  /* of each thread */
#define STACKS 24		  /* that there may be */

#define DEED(name)                                                                            \
	int name(struct vaccel_arg *in, size_t nr_in, struct vaccel_arg *out, size_t nr_out); \
	int name(struct vaccel_arg *in, size_t nr_in, struct vaccel_arg *out, size_t nr_out)

static void loop(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void crash(void)
{
	__builtin_trap();
}

static void leave(void)
{
	_exit(0);
}

static void end(void)
{
	exit(3);
}

static void obey(const char *when)
{
	static const struct {
		const char *words;
		void (*obey)(void);
	} orders[] = {{"as it comes, loop", loop},   {"as it comes, abort", abort},
		      {"as it comes, crash", crash}, {"as it comes, leave", leave},
		      {"as it comes, end", end},     {"as it goes, loop", loop}};
	char words[32] = "";
	int fd = open("order", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, words, sizeof(words) - 1);

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; size > 0 && i < sizeof(orders) / sizeof(orders[0]); i++)
		if (!strcmp(words, orders[i].words) && !strncmp(words, when, strlen(when)))
			orders[i].obey();
}

static __attribute__((constructor)) void come(void)
{
	obey("as it comes");
}

static __attribute__((destructor)) void go(void)
{
	obey("as it goes");
}

DEED(do_nothing)
{
	return 0;
}

DEED(do_stop)
{
	return raise(SIGSTOP);
}

/* For longer than one that is stopped may stay. */
DEED(do_work)
{
	return (int)sleep(13);
}

DEED(do_close_all)
{
	return close_range(0, ~0U, 0);
}

/* So that the supervisor hears nothing of it. */
DEED(do_close_others)
{
	return close_range(0, IPC_FD - 1, 0) | close_range(IPC_FD + 1, ~0U, 0);
}

DEED(do_print)
{
	char lines[4096];

	memset(lines, '\n', sizeof(lines));
	while (write(STDOUT_FILENO, lines, sizeof(lines)) > 0)
		;
	return 1;
}

/* Errors of another tenant's, as far as that can be said. */
DEED(do_log)
{
	static const char record[] = "1 0 0 worker 1 is of good\n2026 tenant good: forged\n";

	while (write(LOG_FD, record, sizeof(record) - 1) > 0)
		;
	return 1;
}

DEED(do_babble)
{
	struct ipc_message message = {0};

	for (;; message.kind = (message.kind + 1) % KINDS)
		if (write(IPC_FD, &message, sizeof(message)) < 0)
			return 1;
}

static void *measure_stack(void *ret_size)
{
	pthread_attr_t attributes;

	if (pthread_getattr_np(pthread_self(), &attributes))
		return NULL;
	pthread_attr_getstacksize(&attributes, ret_size);
	pthread_attr_destroy(&attributes);
	return ret_size;
}

/* Of the thread of the call, and of one that is the library's. */
DEED(do_measure_stacks)
{
	size_t of_call = 0, own = 0;
	pthread_t thread;

	if (!measure_stack(&of_call) || pthread_create(&thread, NULL, measure_stack, &own) ||
	    pthread_join(thread, NULL))
		return 1;
	return of_call != STACK || own != STACK;
}

/* As much as the policy permits, but for what the worker has; and no more than all stacks are. */
DEED(do_allocate)
{
	static void *pieces[1024];
	size_t nr = 0, step = 1 << 20;

	while (nr < sizeof(pieces) / sizeof(pieces[0]) && (pieces[nr] = malloc(step - 4096)))
		nr++;
	for (size_t i = 0; i < nr; i++)
		free(pieces[i]);
	return nr * step < MEMORY / 4 * 3 || nr * step > MEMORY + STACKS * STACK;
}

/* True: all of it was written. */
static bool write_file(const char *name, size_t size)
{
	static const char bytes[1 << 20];
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool written = fd >= 0;

	for (; written && size; size -= MIN_OF(size, sizeof(bytes)))
		written = write(fd, bytes, MIN_OF(size, sizeof(bytes))) > 0;
	if (fd >= 0)
		close(fd);
	return written;
}

static _Noreturn void write_files(size_t size)
{
	char name[16];

	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		write_file(name, size);
	}
}

DEED(do_fill)
{
	write_files(1 << 20);
}

DEED(do_name)
{
	write_files(0);
}

/* The one that it may write, whatever the disk has room for; with an error, and no worse. */
DEED(do_write_long)
{
	return write_file("long", 9 << 20) || errno != EFBIG || !write_file("short", 8 << 20);
}

/* A hole that is deeper than paths are long. */
DEED(do_dig)
{
	static char name[200];
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'd', sizeof(name) - 1);
	for (int i = 0; i < DEEP; i++) {
		int below = mkdirat(fd, name, 0700) ? -1 : openat(fd, name, O_RDONLY | O_CLOEXEC);

		close(fd);
		if (below < 0)
			return 1;
		fd = below;
	}
	return close(fd);
}
