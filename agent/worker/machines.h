/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of virtual machines in a worker's process. One that was left stays until all
 * that ran for its machine has been answered; only then does the next one of that listener
 * begin, which may be of the same machine, whose memory it would give back twice.
 */
#ifndef VACCEL_AGENT_WORKER_MACHINES_H
#define VACCEL_AGENT_WORKER_MACHINES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/ipc.h"

struct machine;
struct worker;

/*
 * @message: an IPC_CONNECTION of a machine's. Takes @channel, and closes it if the one before
 * has not come to its end: the supervisor tries again.
 */
int machines_add(struct machine **machines, struct worker *worker,
		 const struct ipc_message *message, const struct listener_setup *listener,
		 int channel);

/* ns that the one before has, once another is to follow; for tests to change. */
extern int64_t succession_patience;

/* Those that are gone. True: none is left. */
bool machines_drop(struct machine **machines);

/* vhost_drain() of each. */
void machines_drain(struct machine *machines);

#endif
