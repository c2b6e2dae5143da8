/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backends' code that is run beside calls: what they do as a resource or a session begins and ends,
 * whoever ends it. It is shown in the counters as a call is, so that the policy's
 * deadline holds for it too.
 */
#ifndef VACCEL_AGENT_WORKER_TEND_H
#define VACCEL_AGENT_WORKER_TEND_H

#include "agent/worker/worker.h"

/* This thread's place in the counters; without one nothing is shown. */
void tend_at(struct running *place);

/* @op: the control operation that does so. Not within another, nor within a call. */
void tend_begin(struct worker *worker, uint32_t op);
void tend_end(struct worker *worker);

#endif
