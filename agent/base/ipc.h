/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between the supervisor and its children, over a SOCK_SEQPACKET pair
 * whose other end a child has as descriptor IPC_FD. Each may pass one
 * descriptor. The supervisor does not trust what children send: all that counts
 * are the kind, the numbers, and text that ends within its bounds.
 */
#ifndef VACCEL_AGENT_BASE_IPC_H
#define VACCEL_AGENT_BASE_IPC_H

#include <stdint.h>

#include "agent/base/setup.h"
#include "transport/transport.h"

#define IPC_FD	 3
#define STATS_FD 4 /* a worker's struct stats, see stats.h */

enum ipc_kind {
	/* To a child */
	IPC_SETUP = 1,	/* the first; passes what worker_setup_write() made */
	IPC_LISTENER,	/* to a worker or the front, before the first connection of that listener:
			 * passes what listener_setup_write() made. To the monitor: passes nothing;
			 * text: the address; peer: the tenant it names, or "". Without an address
			 * it is closed */
	IPC_CONNECTION, /* passes a connection that was accepted, or a machine's channel; text: the
			 * address of the machine's listener */
	IPC_DRAIN,	/* take nothing new, tell clients to go, end when all calls are answered.
			 * The monitor stays to the end: /readyz says no from now on */
	IPC_MONITOR,	/* to the monitor: passes a listening socket; text: "admin" or "metrics" */
	IPC_STATS,	/* to the monitor: passes a tenant's struct stats; peer: the tenant; text:
			 * its policy; pid of its worker, or 0. Sent again for each that follows */
	IPC_GONE,	/* to the monitor: that tenant has no worker any more; peer: the tenant;
			 * text: how it ended, or "" if it was not needed any longer */
	IPC_SERVING,	/* to the monitor: all listeners are open; /readyz says yes from now on */
	IPC_ALIVE,	/* to a child, which says the same at once, whatever else it does */

	/* From a child; and IPC_ALIVE */
	IPC_READY,  /* plugins are loaded, the sandbox is closed */
	IPC_FAILED, /* it cannot start; text: why */
	IPC_PEER,   /* front: passes the plain end of a connection; text: the certificate's name;
		     * listener and peer as they came */
	IPC_BUSY,   /* worker: a call runs while nobody watches its deadline; see stats.h */
	IPC_ASK	    /* monitor: whether the supervisor lives, which says IPC_ALIVE at once */
};

struct ipc_message {
	uint32_t kind;
	uint32_t listener; /* its number in the supervisor's table; to a worker 0: it need know
			    * nothing of it */
	int32_t pid;
	char carrier[16]; /* the scheme */
	char peer[64];	  /* struct peer's text */
	char text[256];	  /* a name or a reason */
};

/* A pair; both ends are closed on exec. */
int ipc_pair(int ret_fds[2]);

/* Passes @fd if >= 0. VACCEL_EAGAIN if the other end's queue is full, VACCEL_EREMOTEIO if it is
 * gone. */
int ipc_send(int socket, const struct ipc_message *message, int fd);

/* Waits if @wait. VACCEL_EAGAIN; VACCEL_EREMOTEIO at the end. *ret_fd is -1 or the caller's to
 * close. */
int ipc_receive(int socket, bool wait, struct ipc_message *ret_message, int *ret_fd);

/* For a child: waits for its first message, which must be IPC_SETUP. */
int ipc_receive_setup(int socket, struct worker_setup *ret_setup);

/* For a child: says that it is alive. */
void ipc_live(int socket);

/* For a child, when it has started or could not: @ret decides, and vaccel_error_text() says why. */
void ipc_report(int socket, int ret);

#endif
