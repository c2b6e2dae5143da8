/* SPDX-License-Identifier: Apache-2.0 */
/* What the tenant's policy permits, beside numbers that are counted elsewhere. */
#ifndef VACCEL_AGENT_WORKER_POLICY_H
#define VACCEL_AGENT_WORKER_POLICY_H

#include "agent/worker/connection/request.h"

/* Fills worker->permitted. EINVAL for an operation that does not exist. */
int policy_init(struct worker *worker);

/* EPERM, with what to do about it. */
int policy_refuse_op(struct worker *worker, const struct vaccel_op *op);

/* The path of this machine that the call itself names; NULL: none. */
const char *policy_named_path(const struct vaccel_op *op, const void *args);

/* The libraries that exec may run. EPERM. */
int policy_check_call(const struct request *request, const void *args);

#endif
