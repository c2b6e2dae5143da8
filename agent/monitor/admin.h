/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin socket: who connects gets one JSON document and the end. Only root and the
 * agent's own user do.
 */
#ifndef VACCEL_AGENT_MONITOR_ADMIN_H
#define VACCEL_AGENT_MONITOR_ADMIN_H

#include <poll.h>

#include "agent/monitor/state.h"

#define ADMIN_CLIENTS_MAX 16
#define ADMIN_POLLS	  (ADMIN_CLIENTS_MAX + 1)

struct admin_client {
	int fd; /* -1: a free place */
	char *text;
	size_t sent, size;
	int64_t until;
};

struct admin {
	int listener; /* -1: none */
	struct admin_client clients[ADMIN_CLIENTS_MAX];
};

void admin_init(struct admin *admin);
void admin_release(struct admin *admin);

/* Fills in what to wait for. Returns how long at most, in ms; -1: as long as one likes. */
int admin_prepare(const struct admin *admin, struct pollfd polls[ADMIN_POLLS]);
void admin_run(struct admin *admin, const struct state *state,
	       const struct pollfd polls[ADMIN_POLLS]);

/* The document; the caller's to free. NULL: no memory. */
char *admin_text(const struct state *state);

#endif
