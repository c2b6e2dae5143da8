// SPDX-License-Identifier: Apache-2.0
/*
 * What exec is made to run: a deed that can be counted, and those of a backend gone
 * wrong. All of it runs inside of a worker's sandbox, whose current directory is the
 * tenant's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vaccel/arg.h>

#include "deeds.h"

typedef int deed(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		 size_t nr_write);

deed deed_mark, deed_wait, deed_escape, deed_abort, deed_loop, deed_eat, deed_forbidden;

/* One write of O_APPEND: entries of threads do not mix. */
static int enter(uint64_t id)
{
	int fd = open(LEDGER, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bool whole = fd >= 0 && write(fd, &id, sizeof(id)) == sizeof(id);

	if (fd >= 0)
		close(fd);
	return whole ? 0 : 1;
}

/* Enters its number in the ledger, takes its time, and turns the bits of its bytes. */
int deed_mark(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const unsigned char *in;
	unsigned char *out;
	struct mark mark;

	if (nr_read != 2 || nr_write != 1 || read[0].size != sizeof(mark) ||
	    read[1].size != write[0].size)
		return 1;
	memcpy(&mark, read[0].buf, sizeof(mark));
	if (enter(mark.id))
		return 2;
	usleep(mark.us / 2);
	in = read[1].buf;
	out = write[0].buf;
	for (size_t i = 0; i < write[0].size; i++)
		out[i] = (unsigned char)~in[i];
	usleep(mark.us / 2);
	return 0;
}

/* From when somebody can open the gate to write there, until that has been closed. */
int deed_wait(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	FILE *gate = fopen(GATE, "re");
	bool closed = gate && fgetc(gate) == EOF;

	if (gate)
		fclose(gate);
	return closed ? 0 : 1;
}

int deed_abort(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	abort();
}

int deed_loop(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

/* Touches all that it gets, and more. */
int deed_eat(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	size_t size = 1 << 20;

	for (;;)
		memset(malloc(size), 1, size);
}

int deed_forbidden(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write)
{
	return (int)syscall(SYS_unshare, 0);
}

/*
 * Tries what would leave the tenant's directory, by the path that it is given; how many
 * of these attempts succeeded.
 */
int deed_escape(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const char *path = read[0].buf;
	int fd, succeeded = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	succeeded += fd >= 0;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	succeeded += fd >= 0;
	succeeded += !mkdir(path, 0700);
	succeeded += !unlink(path);
	succeeded += !symlink(path, "link");
	succeeded += !link(path, "link");
	succeeded += !rename(path, "file");
	succeeded += !rename(LEDGER, path);
	return succeeded;
}
