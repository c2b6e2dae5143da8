/* SPDX-License-Identifier: Apache-2.0 */
/* What devices show to their machines, by the policy of the listener; for the supervisor. */
#ifndef VACCEL_AGENT_VHOST_MODEL_H
#define VACCEL_AGENT_VHOST_MODEL_H

#include "agent/base/setup.h"
#include "agent/vhost/messages.h"

void model_accel(const struct policy *policy, struct model *ret_model);
void model_blk(struct model *ret_model);

/* Readable, or writable, bytes that a request of the accelerator may have. */
uint64_t accel_bytes_max(const struct policy *policy);

#endif
