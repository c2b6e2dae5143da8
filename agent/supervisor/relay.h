/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections whose tenant a certificate names: the front does TLS with the peer, says its
 * name, and gives the connection back as a plain one.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_RELAY_H
#define VACCEL_AGENT_SUPERVISOR_RELAY_H

#include "agent/supervisor/listener.h"

/* Starts the front if a listener needs it, and tells it of listeners that it does not know. */
void relay_apply(struct supervisor *supervisor);

/* Of a listener that is gone the front keeps no key, but for connections that came by it. */
void relay_forget(struct supervisor *supervisor, uint32_t number);

/* Takes a connection to the front. */
void relay_take(struct supervisor *supervisor, struct arrival *arrival);

/* The front is to end when all that it relays has ended. */
void relay_drain(struct supervisor *supervisor);

/* Whether nothing that it needs is missing. */
bool relay_is_ready(const struct supervisor *supervisor);

#endif
