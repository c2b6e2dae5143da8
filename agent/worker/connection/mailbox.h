/* SPDX-License-Identifier: Apache-2.0 */
/* Mailboxes: for connections whose threads spin before they sleep, as many as the policy lets. */
#ifndef VACCEL_AGENT_WORKER_CONNECTION_MAILBOX_H
#define VACCEL_AGENT_WORKER_CONNECTION_MAILBOX_H

#include "agent/worker/connection/connection.h"

/* The longest time that the agent spins for a client. */
#define SPIN_US_MAX 1000

/* @args: of mailbox_open. The answer goes by the socket. */
int mailbox_open(struct request *request, void *args);

/* After that; the link ends if it cannot be. */
void mailbox_begin(struct connection *connection);

/* When the connection has no link any more. */
void mailbox_close(struct connection *connection);

#endif
