/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor's state with tenants and counters, as the supervisor would tell it. */
#ifndef TESTS_AGENT_MADE_STATE_H
#define TESTS_AGENT_MADE_STATE_H

#include "agent/monitor/state.h"

/* A message; @text may be NULL. */
struct ipc_message message_of(enum ipc_kind kind, const char *peer, const char *text);

/* Tells the state of a tenant with worker @pid. Returns its counters, to be unmapped. */
struct stats *tell_tenant(struct state *state, const char *name, const char *policy, pid_t pid);

/* A stream socket that listens: on 127.0.0.1, whose port is returned, or at a path. */
int listen_on_port(unsigned short *ret_port);
int listen_at(const char *path);

int connect_to_port(unsigned short port);
int connect_to(const char *path);

/* All there is up to the end of @fd, which is closed; to be freed. */
char *read_all(int fd);

#endif
