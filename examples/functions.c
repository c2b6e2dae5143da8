// SPDX-License-Identifier: Apache-2.0
/*
 * A library for vaccel_exec(): functions that are run where the work is done.
 * Each returns 0, or anything else for a failure. They cannot rely on what they
 * are given, hence the checks.
 */
#include <ctype.h>
#include <string.h>

#include <vaccel/arg.h>

int mean(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);
int upper(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write);

/* Reads FLOAT64_ARRAY samples, writes their mean as FLOAT64. */
int mean(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const double *samples;
	double sum = 0;
	size_t count;

	if (nr_read != 1 || read[0].type != VACCEL_ARG_FLOAT64_ARRAY || nr_write != 1 ||
	    write[0].type != VACCEL_ARG_FLOAT64 || write[0].size != sizeof(sum))
		return 1;
	samples = read[0].buf;
	count = read[0].size / sizeof(*samples);
	if (!count)
		return 1;
	for (size_t i = 0; i < count; i++)
		sum += samples[i];
	sum /= (double)count;
	memcpy(write[0].buf, &sum, sizeof(sum));
	return 0;
}

/* Reads a STRING, writes it in capitals where there is room for it. */
int upper(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	const char *in;
	char *out;

	if (nr_read != 1 || read[0].type != VACCEL_ARG_STRING || nr_write != 1 ||
	    write[0].size < read[0].size)
		return 1;
	in = read[0].buf;
	out = write[0].buf;
	for (size_t i = 0; i < read[0].size; i++)
		out[i] = (char)toupper((unsigned char)in[i]);
	/* The caller sees how much of its room was used. */
	write[0].size = read[0].size;
	return 0;
}
