/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection through the front. At first there is a client alone, who has so
 * long for the handshake; then bytes go both ways, as fast as the slower end takes
 * them, until both have ended. One that is idle holds no buffers. A client whose agent
 * has closed has so long to take the rest; what it has not taken then is dropped.
 */
#ifndef VACCEL_AGENT_FRONT_PASSAGE_H
#define VACCEL_AGENT_FRONT_PASSAGE_H

#include "agent/front/front.h"

/* To the client, who speaks TLS; and to the tenant's worker. */
enum side { OUTSIDE, INSIDE, SIDES };

/* What epoll tells of. */
struct source {
	struct passage *passage;
	enum side side;
	uint32_t events; /* 0: not watched */
};

/* Takes @fd. The passage ends by itself. */
int passage_new(struct front *front, struct gate *gate, const struct ipc_message *arrival, int fd);

/* By epoll's @events. */
void passage_ready(struct source *source, uint32_t events);

/* Ends what has taken too long. Returns how long the rest has, in ms; -1: none has a limit. */
int passages_expire(struct front *front);

/* Ends those whose handshake is not done: all, or the oldest one, of a gate, or of any if NULL. */
void passages_end_half_open(struct front *front, const struct gate *gate, bool all);

/* Frees those that have ended. */
void passages_bury(struct front *front);

#endif
