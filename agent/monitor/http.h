/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics, /healthz and /readyz. It has no thread: the caller waits for its
 * descriptor, or for its time, and lets it run.
 */
#ifndef VACCEL_AGENT_MONITOR_HTTP_H
#define VACCEL_AGENT_MONITOR_HTTP_H

#include "agent/monitor/state.h"

#define HTTP_LIFE_MS 10000

struct http;

/*
 * Takes @listener, a listening socket, also when it fails. Who connects has @life_ms to
 * ask and to take the answer. ENOTSUP: built without libmicrohttpd.
 */
int http_open(int listener, int life_ms, const struct state *state, struct http **ret_http);
void http_close(struct http *http);

/* To be waited for until it is readable. */
int http_fd(const struct http *http);

/* How long at most, in ms; -1: as long as one likes. */
int http_patience(const struct http *http);
void http_run(struct http *http);

#endif
