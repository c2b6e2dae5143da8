/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, /healthz and /readyz. */
#ifndef VACCEL_AGENT_MONITOR_PAGES_H
#define VACCEL_AGENT_MONITOR_PAGES_H

#include "agent/monitor/http.h"

/* An http_answer whose context is a struct state. */
void pages_answer(const void *state, const char *path, struct http_page *ret_page);

#endif
