/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor and systemd say to each other; nothing where there is no systemd. */
#ifndef VACCEL_AGENT_SUPERVISOR_NOTIFY_H
#define VACCEL_AGENT_SUPERVISOR_NOTIFY_H

#include "transport/transport.h"

struct listener;

/* "READY=1\nSTATUS=serving" and the like. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Time of CLOCK_MONOTONIC is told with it, as systemd asks for. */
void notify_reloading(void);

/* The socket that systemd has made for @address, for the caller to copy; -1: there is none. */
int activation_find(const struct address *address);

/* EINVAL if sockets came that none of @listeners has: who connects there waits for ever. */
int activation_check(const struct listener *listeners);

#endif
