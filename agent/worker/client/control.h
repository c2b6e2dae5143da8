/* SPDX-License-Identifier: Apache-2.0 */
/* The control operations, as the worker does them. */
#ifndef VACCEL_AGENT_WORKER_CLIENT_CONTROL_H
#define VACCEL_AGENT_WORKER_CLIENT_CONTROL_H

#include "agent/worker/connection/request.h"

/* Runs it. Outputs that grow are malloc'd. */
int control_run(struct request *request, void *args);

/* Whether it writes to the disk, so that only some of its kind run at once. */
bool control_is_chore(uint32_t number);

#endif
