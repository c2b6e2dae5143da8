/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker does before its first connection. */
#ifndef VACCEL_AGENT_WORKER_START_H
#define VACCEL_AGENT_WORKER_START_H

#include "agent/worker/worker.h"

/* Makes libvaccel ready, with all plugins of the policy loaded. */
int start_plugins(const struct worker *worker);

/* Closes the sandbox around this process. No thread has been made yet. */
int start_sandbox(const struct worker *worker);

#endif
