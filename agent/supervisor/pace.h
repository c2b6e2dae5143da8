/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast each host of a network may connect where that costs the agent a handshake, so that
 * one that floods does not keep others waiting.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_PACE_H
#define VACCEL_AGENT_SUPERVISOR_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_A_SECOND 100
#define PACE_AT_ONCE  256

/* Hosts that are remembered, in sets: one that is not has not connected lately. */
#define PACE_SETS 256
#define PACE_WAYS 4

struct paced {
	uint64_t host;
	int64_t until; /* all that it has asked for would be done by then */
};

struct pace {
	uint64_t secret; /* so that nobody can choose whose place he takes */
	struct paced hosts[PACE_SETS][PACE_WAYS];
};

void pace_init(struct pace *pace);

/* Whether @host, of struct peer, may connect at @now, time_now(). 0 stands for nobody, and may. */
bool pace_permits(struct pace *pace, uint64_t host, int64_t now);

#endif
