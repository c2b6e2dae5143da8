// SPDX-License-Identifier: Apache-2.0
/* Allocation functions that fail when told to; see nomem.h. */
#include <stdlib.h>
#include <string.h>

#include "nomem.h"

static _Thread_local long passes = -1;

void nomem_after(long count)
{
	passes = count;
}

static int fails(void)
{
	return passes >= 0 && passes-- == 0;
}

#define WRAP(type, name, parameters, arguments)                  \
	type __real_##name parameters;                           \
	type __wrap_##name parameters;                           \
	type __wrap_##name parameters                            \
	{                                                        \
		return fails() ? NULL : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *p, size_t size), (p, size))
WRAP(void *, reallocarray, (void *p, size_t count, size_t size), (p, count, size))
WRAP(char *, strdup, (const char *string), (string))
