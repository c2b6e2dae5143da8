/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for an agent, and telling a slow one from one that is gone. */
#ifndef VACCEL_REMOTE_WAIT_H
#define VACCEL_REMOTE_WAIT_H

#include "remote/channel.h"

/* After so much silence an agent is asked; without an answer to that for so long it is lost. */
struct patience {
	int64_t ping_after, lost_after;
};

/* Never changed but by tests, which have less. */
extern struct patience patience;

/* One wait: zero but for @until before it begins. */
struct wait {
	int64_t until;
	int64_t since;	/* silence before that does not count */
	int64_t pinged; /* when the agent was asked whether it lives; or 0 */
	int64_t heard;	/* when it had last been heard of then */
};

/*
 * The next message that answers @request and is of @kind. What else an agent may
 * say meanwhile is dealt with. VACCEL_ETIMEDOUT: time is over, and the channel
 * is as good as before. VACCEL_EREMOTEIO: it is broken.
 */
int wait_message(struct channel *channel, struct wait *wait, enum frame_kind kind, uint64_t request,
		 struct message *ret_message);

/* The payload of that message, into @payload. */
int wait_payload(struct channel *channel, struct wait *wait, const struct pieces *payload);

#endif
