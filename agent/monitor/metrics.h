/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers as Prometheus reads them. docs/operations.md lists them. */
#ifndef VACCEL_AGENT_MONITOR_METRICS_H
#define VACCEL_AGENT_MONITOR_METRICS_H

#include "agent/monitor/state.h"

/* Text format 0.0.4; the caller's to free. NULL: no memory. */
char *metrics_text(const struct state *state, size_t *ret_size);

#endif
