/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual machine's monitor at a listener, in the supervisor: what it says is kept by a
 * struct backend, and told to the worker of the machine's tenant, and to the next
 * one if that ends.
 */
#ifndef VACCEL_AGENT_VHOST_MACHINE_H
#define VACCEL_AGENT_VHOST_MACHINE_H

#include "agent/supervisor/listener.h"

struct machine;

/* Whether what connects there is a machine's monitor. */
bool listener_is_for_machine(const struct listener_config *how);

/* Takes a connection of such a listener; a second one at a time is refused. */
void machine_take(struct listener *listener, const char *peer, int fd);

/* After a reload: those without a listener go, those whose listener has another tenant are its. */
void machines_reload(struct supervisor *supervisor);
void machines_close(struct supervisor *supervisor);

#endif
