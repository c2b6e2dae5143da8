/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sees how much lies below directories, in a thread of its own, every second or, where it is
 * much, more rarely: see surveyor_pause().
 */
#ifndef VACCEL_AGENT_SUPERVISOR_ASIDE_SURVEYOR_H
#define VACCEL_AGENT_SUPERVISOR_ASIDE_SURVEYOR_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/supervisor/loop.h"

struct surveyor;

/* @exceeded is called with @context by @loop when surveyor_found() has something new to say. */
int surveyor_new(struct loop *loop, void (*exceeded)(void *context), void *context,
		 struct surveyor **ret_surveyor);

/* NULL is fine. */
void surveyor_delete(struct surveyor *surveyor);

/* From now on, whether there are more than @most bytes below @path. *ret_number is its name for
 * that, and never 0. */
int surveyor_add(struct surveyor *surveyor, const char *path, uint64_t most, uint64_t *ret_number);
void surveyor_drop(struct surveyor *surveyor, uint64_t number);

bool surveyor_found(struct surveyor *surveyor, uint64_t number);

/* How long it rests after it has looked for @round, both in ns. */
int64_t surveyor_pause(int64_t round);

#endif
