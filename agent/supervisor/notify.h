/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor and systemd say to each other; nothing where there is no systemd. */
#ifndef VACCEL_AGENT_SUPERVISOR_NOTIFY_H
#define VACCEL_AGENT_SUPERVISOR_NOTIFY_H

#include "transport/transport.h"

/* "READY=1\nSTATUS=serving" and the like. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Time of CLOCK_MONOTONIC is told with it, as systemd asks for. */
void notify_reloading(void);

/*
 * The socket that systemd has made for @address, which then is the caller's. Says whether
 * there is one.
 */
bool activation_take(const struct address *address, int *ret_fd);

/* EINVAL if sockets came that no listener has taken: it would not be served. */
int activation_check(void);

#endif
