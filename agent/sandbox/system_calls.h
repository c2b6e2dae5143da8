/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of system calls, from which filters and docs/system-calls.md are made. */
#ifndef VACCEL_AGENT_SANDBOX_SYSTEM_CALLS_H
#define VACCEL_AGENT_SANDBOX_SYSTEM_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/sandbox/sandbox.h"

#define ROLE(role) (1u << (role))
#define WORKER	   ROLE(SANDBOX_WORKER)
#define FRONT	   ROLE(SANDBOX_FRONT)
#define MONITOR	   ROLE(SANDBOX_MONITOR)
#define ALL	   (WORKER | FRONT | MONITOR)
#define NOBODY	   0u

enum verdict {
	PERMIT,
	REFUSE, /* with EACCES: libraries ask for it and can do without */
	LACK,	/* with ENOSYS: libraries know another way */
	KILL	/* the process ends */
};

/* What the argument at @arg must be for the row to hold. Integers count by their low 32 bits. */
enum test {
	ALWAYS,
	IS,	 /* the value */
	IS_NOT,	 /* the value */
	HAS,	 /* all of these bits */
	HAS_ANY, /* any of these bits */
	LACKS	 /* all of these bits */
};

#define SYSTEM_CALL_NAME_MAX 32

#define OWN_PID UINT64_MAX /* stands for the process's own number */

struct condition {
	enum test test;
	unsigned int arg;
	uint64_t value;
	const char *name; /* the argument's */
	const char *text; /* the value, for people */
};

/* Needs that loosen the sandbox. */
enum { NEED_JIT = 1, NEED_CHILDREN = 2, NEED_DEVICES = 4, NEED_CODE = 8 };

/*
 * What holds of a call is the strictest of its rows, from KILL to PERMIT. One that
 * has rows, but none that permits, refuses or lacks it for this role, kills. One
 * without any row, or whose conditions for being permitted are not met, is answered
 * ENOSYS.
 */
struct system_call {
	const char *names;  /* one or more, a space between them */
	unsigned int roles; /* that the row is about */
	enum verdict verdict;
	struct condition when;
	unsigned int need; /* a PERMIT holds with any of these, another row without all of them */
	const char *reason;
};

/* Walks the table: NULL past its end. */
const struct system_call *system_call_at(size_t index);

/* The next name of a row: begin with *at at its names; false past the last. */
bool system_call_next(const char **at, char ret_name[SYSTEM_CALL_NAME_MAX]);

/* Whether the row holds for this role and these needs, where its condition is met. */
bool system_call_holds(const struct system_call *row, enum sandbox_role role, unsigned int needs);

#endif
