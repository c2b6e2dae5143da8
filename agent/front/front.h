/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front: a process of its own, in a sandbox, that does TLS for listeners whose
 * tenant is named by the client's certificate. It tells the supervisor the name,
 * with one end of a pair of sockets, and relays bytes between that and the client.
 */
#ifndef VACCEL_AGENT_FRONT_FRONT_H
#define VACCEL_AGENT_FRONT_FRONT_H

#include "agent/base/ipc.h"
#include "agent/base/refusals.h"
#include "agent/base/stats.h"

/* Connections of a listener whose handshake is not done; more, and the oldest is closed. */
#define HALF_OPEN_MAX 256

/* Those whose agent has closed, which no policy counts any more; more, and the oldest is ended. */
#define LEAVING_MAX 256

/* What a client has to take what its agent said before it closed, and to go. */
#define LEAVING_NS (30 * SECOND)

/* Most that is read at once, and so most that waits for a slow reader of one direction. */
#define RELAY_BUFFER 32768

struct passage;
struct tls;

/* A listener. */
struct gate {
	struct gate *next;
	uint32_t number;
	struct tls *tls;
	unsigned int half_open;
};

/* Passages whose time is limited, all alike, in the order in which it ends. */
struct timed {
	int64_t patience_ns;
	struct passage *first, *last;
	unsigned int count;
};

struct front {
	int epoll;
	int ipc;
	struct stats *stats; /* NULL: nobody counts */
	struct gate *gates;
	struct timed greeting; /* in the handshake */
	struct timed leaving;  /* whose agent has closed, while the client has not taken all */
	struct passage *ended; /* to be freed when the events at hand are done */
	unsigned int passages;
	bool draining;
	struct refusals refusals;
	unsigned char buffer[RELAY_BUFFER];
};

/* Counts a refusal, and logs it with the last words. */
void front_refuse(struct front *front, const char *peer, enum refusal reason);

/* @ipc, the supervisor's, stays the caller's. */
int front_open(struct front *front, int ipc);

/* When all is drained. */
void front_close(struct front *front);

/* VACCEL_OK: all is drained. VACCEL_EREMOTEIO: the supervisor is gone. */
int front_serve(struct front *front);

/* The process; returns its exit status. */
int front_main(void);

#endif
