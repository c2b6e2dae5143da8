/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor tells a worker of a machine, over a pair of SOCK_SEQPACKET sockets that
 * is the machine's; and the little that the worker has to say.
 */
#ifndef VACCEL_AGENT_VHOST_UPDATE_H
#define VACCEL_AGENT_VHOST_UPDATE_H

#include <stdbool.h>

#include "agent/vhost/protocol.h"

enum update_kind {
	UPDATE_REGION = 1, /* one of the next table's; passes it */
	UPDATE_MEMORY,	   /* the table is whole, and counts from now on */
	UPDATE_INFLIGHT,   /* passes it; before the first queue starts */
	UPDATE_START,	   /* passes what kicks, and what calls if there is any */
	UPDATE_ENABLE,
	UPDATE_CALL, /* passes another one, or none */
	UPDATE_STOP,

	/* From the worker */
	UPDATE_STOPPED, /* queue, base */
	UPDATE_FAILED,	/* words: it can do nothing for this machine */
	UPDATE_STUCK /* words: it is to be ended, since it cannot give back what is the machine's */
};

#define UPDATE_FDS 2

struct update {
	uint32_t kind;
	uint32_t queue;
	uint32_t size; /* of the queue */
	uint16_t base;
	bool enabled;
	bool anew; /* a driver begins: what the one before has made of the device is void */
	uint64_t features;
	struct vhost_addresses addresses;
	struct vhost_region region;
	struct vhost_inflight inflight;
	char words[256];
};

/* VACCEL_EAGAIN if the other end's queue is full, VACCEL_EREMOTEIO if it is gone. Descriptors of
 * -1 are left out. */
int update_send(int channel, const struct update *update, int first, int second);

/* As ipc_receive(); @ret_fds are -1, or the caller's to close. */
int update_receive(int channel, struct update *ret_update, int ret_fds[UPDATE_FDS]);

#endif
