/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines about peers that are refused: one a second, so that they cannot fill the log, and soon
 * after that second how many more there were in it. By any thread.
 */
#ifndef VACCEL_AGENT_BASE_REFUSALS_H
#define VACCEL_AGENT_BASE_REFUSALS_H

#include <stdatomic.h>

#include "agent/base/log.h"

/* Begins as zeros. */
struct refusals {
	_Atomic int64_t next_line; /* time_now() */
	_Atomic unsigned int unlogged;
};

/* A warning that the peer was refused, or one more that is only counted. @about may be NULL. */
void refusals_line(struct refusals *refusals, const struct about *about, const char *peer,
		   const char *words);

/* Says how many were only counted, when it is time. Returns for how long it is not, in ms; -1:
 * there are none. */
int refusals_tell(struct refusals *refusals, const struct about *about);

#endif
