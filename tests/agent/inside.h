/* SPDX-License-Identifier: Apache-2.0 */
/* Doing something in a sandbox: in a child, whose end tells how it went. */
#ifndef TESTS_AGENT_INSIDE_H
#define TESTS_AGENT_INSIDE_H

#include "agent/sandbox/parts.h"

/* What a child's function returns, and what else may become of it. */
enum { INSIDE_FINE, INSIDE_FAILED = 100, INSIDE_NOT_CLOSED, INSIDE_SIGNAL = 1000 };

typedef int inside_fn(const void *context);

/*
 * Forks, closes the walls, calls the function. Returns what that returned, INSIDE_NOT_CLOSED
 * with words on stderr, or INSIDE_SIGNAL + the signal that ended it.
 */
int inside(const struct walls *walls, inside_fn *function, const void *context);

/* The same for a role and no plugins. */
int inside_role(enum sandbox_role role, inside_fn *function, const void *context);

/* Closes the walls, as far as this kernel has them, here. */
bool are_closed(const struct walls *walls);

/* Only forks. */
int in_child(inside_fn *function, const void *context);

#endif
