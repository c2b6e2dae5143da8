/* SPDX-License-Identifier: Apache-2.0 */
/* Models: those that are there before the first call, and how much memory all may take. */
#ifndef VACCEL_AGENT_WORKER_RESOURCE_MODELS_H
#define VACCEL_AGENT_WORKER_RESOURCE_MODELS_H

#include "agent/worker/worker.h"

/*
 * Loads those that the configuration lists, in the sandbox. What cannot be is logged. Backends
 * know a model by its content: who brings the same one finds it loaded, and need not even
 * send it.
 */
void models_load(struct worker *worker);
void models_release(struct worker *worker);

/* Room for one more of so many bytes, given back by meter_give(). EDQUOT, counted. */
int models_take(struct worker *worker, uint64_t bytes);

#endif
