/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples share: a program ends with the library's words if a call fails. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <vaccel.h>

/* Makes a call that returns VACCEL_OK or an error code. */
#define TRY(call) try_call((call), #call)

static inline void try_call(int ret, const char *call)
{
	if (ret == VACCEL_OK)
		return;
	fprintf(stderr, "%s\n%s: %s\n", call, vaccel_error_name(ret), vaccel_error_text());
	exit(EXIT_FAILURE);
}

static inline void usage(const char *text)
{
	fprintf(stderr, "usage: %s\n", text);
	exit(2);
}

/* A whole number from 1 on; anything else is wrong usage. */
static inline int to_count(const char *argument, const char *how)
{
	char *end;
	long count = strtol(argument, &end, 10);

	if (*end || count < 1 || count > INT_MAX)
		usage(how);
	return (int)count;
}

#endif
