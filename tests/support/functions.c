// SPDX-License-Identifier: Apache-2.0
/* Functions of the type that vaccel_exec() runs: good ones and bad ones. */
#include <string.h>

#include <vaccel/arg.h>

int functions_double(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		     size_t nr_write);
int functions_join(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write);
int functions_count(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		    size_t nr_write);
int functions_fail(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write);
int functions_shrink(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		     size_t nr_write);
int functions_shrink_and_fail(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
			      size_t nr_write);
int functions_enlarge(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		      size_t nr_write);
int functions_move(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write);

/* Twice each int of the first argument. */
int functions_double(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		     size_t nr_write)
{
	const int *in;
	int *out;

	if (nr_read != 1 || nr_write != 1 || read[0].size != write[0].size)
		return 1;
	in = read[0].buf;
	out = write[0].buf;
	for (size_t i = 0; i < read[0].size / sizeof(int); i++)
		out[i] = 2 * in[i];
	return 0;
}

/* All arguments one after the other; tells the sum of the types in the second. */
int functions_join(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write)
{
	size_t at = 0;
	int types = 0;

	if (nr_write != 2 || write[1].size != sizeof(types))
		return 1;
	for (size_t i = 0; i < nr_read; i++) {
		if (read[i].size > write[0].size - at)
			return 2;
		if (read[i].size)
			memcpy((char *)write[0].buf + at, read[i].buf, read[i].size);
		at += read[i].size;
		types += (int)read[i].type;
	}
	write[0].size = at;
	memcpy(write[1].buf, &types, sizeof(types));
	return 0;
}

/* How often it was called since this library was loaded. */
int functions_count(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		    size_t nr_write)
{
	static int calls;
	int now = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);

	if (nr_write)
		memcpy(write[0].buf, &now, sizeof(now));
	return 0;
}

int functions_fail(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write)
{
	return -7;
}

/* Writes one byte, says so, and has failed. */
int functions_shrink_and_fail(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
			      size_t nr_write)
{
	functions_shrink(read, nr_read, write, nr_write);
	return -7;
}

/* Writes one byte and says so. */
int functions_shrink(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		     size_t nr_write)
{
	*(char *)write[0].buf = 'x';
	write[0].size = 1;
	return 0;
}

int functions_enlarge(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		      size_t nr_write)
{
	write[0].size++;
	return 0;
}

int functions_move(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		   size_t nr_write)
{
	static char elsewhere[4];

	write[0].buf = elsewhere;
	return 0;
}
