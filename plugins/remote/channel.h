/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel: one connection to an agent, on which one request is under way at a
 * time. Whoever has taken it from its server uses it alone.
 */
#ifndef VACCEL_REMOTE_CHANNEL_H
#define VACCEL_REMOTE_CHANNEL_H

#include "codec/codec.h"
#include "transport/control.h"
#include "transport/region.h"
#include "transport/transport.h"

struct server;
struct session;

/* Operations have numbers below VACCEL_OP_MAX. */
#define OP_WORDS ((VACCEL_OP_MAX + 63) / 64)

/* Encoders and decoders keep their memory from one message to the next. */
struct coder {
	struct encoder encoder;
	struct decoder decoder;
};

struct channel {
	struct channel *next, *previous; /* remote_lock: in one of the server's lists */
	struct channels *list;		 /* remote_lock: in which */
	struct server *server;
	struct link *link;
	uint64_t client;	   /* the agent's object that this connection belongs to */
	uint64_t epoch;		   /* the agent's */
	uint64_t common[OP_WORDS]; /* operations that both mean alike, a bit for each number */
	uint64_t head_max, payload_max;
	int64_t since;	  /* when it began to be made */
	uint64_t request; /* the last number used */
	uint64_t owed;	  /* the request whose answer nobody waits for any more; or 0 */
	bool broken;	  /* the connection is of no more use */
	bool silent;	  /* since its agent gave no sign of life */
	bool leaving;	  /* the agent takes no more requests on it */

	struct session *session; /* whose request it is; or NULL */
	int64_t until;		 /* when its time is over */
	struct codec_hooks hooks;
	struct coder coder;
	struct coder aside; /* for what has to be said while the other is at work */
	struct lender *lender;
	void *mailbox; /* the memory of the link's; or NULL */
};

/* What a connection begins with. */
struct greeting {
	const unsigned char *token; /* of the client that it joins; NULL: it becomes a new one */
	uint64_t epoch;		    /* of the agent when it last answered; or 0 */
};

/* And the agent's answer. */
struct welcome {
	unsigned char token[16];
	uint32_t load;
	uint32_t protocol;
	int fate; /* a VACCEL_E* code: how the epoch that was told ended; 0: nobody knows */
	char fate_text[256];
};

/* Connects; the channel's epoch and what follows it are set, its client is the caller's to set. */
int channel_new(struct server *server, const struct greeting *greeting, int64_t until,
		struct channel **ret_channel, struct welcome *ret_welcome);

/* Closes it. Nobody has it, and it is in no list. */
void channel_delete(struct channel *channel);

/* How far a request got when it failed. */
enum progress {
	NOT_SENT, /* the agent never acts on it */
	SENT,	  /* whether it was run is not known */
	ANSWERED
};

struct request {
	const struct vaccel_op *op;
	int64_t session; /* its id at the agent; or 0 */
	void *args;
	int fd; /* to go along; or -1 */

	enum progress progress;
	bool unknown; /* refused, since the agent does not know the session: it did not run */
	bool written; /* some of the reply may be in the caller's memory */
};

/*
 * Sends a request, waits for the reply, and brings it into the arguments. An error
 * of the agent is returned with its words. Outputs that were made are dropped after any error. When
 * time is over, the channel owes an answer.
 */
int channel_ask(struct channel *channel, struct request *request);

/* The same while the channel's request is being encoded; only for what has no bulk. */
int channel_ask_aside(struct channel *channel, struct request *request);

/* Shares the memory behind @fd with the agent, or ends that; as channel_ask_aside(). */
int channel_share(struct channel *channel, struct vaccel_region_add_args *add, int fd);
int channel_unshare(struct channel *channel, uint32_t region);

/* Whether the answer that a channel owes has come; does not wait. Sets broken if it never will. */
bool channel_settle(struct channel *channel);

/*
 * Hears what the agent has said since the last answer, such as a PONG that was too late for it;
 * does not wait. Whether the channel is as good as before.
 */
bool channel_catch_up(struct channel *channel);

/* Time that an agent takes to answer a PING, in nanoseconds. */
int channel_ping(struct channel *channel, int64_t until, int64_t *ret_time);

/* Whether the agent knows an operation, and means the same by it. */
static inline bool channel_knows(const struct channel *channel, const struct vaccel_op *op)
{
	uint32_t number = (uint32_t)op->number;

	return number >= VACCEL_OP_MAX || channel->common[number / 64] >> (number % 64) & 1;
}

#endif
