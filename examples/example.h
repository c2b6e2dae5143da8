/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples share: a program ends with the library's words if a call fails. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <inttypes.h>
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

#endif
