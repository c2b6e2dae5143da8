/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of a link, for link.c and the parts that change how its bytes
 * travel: carriers with something of their own, such as TLS, and the mailbox. These
 * put functions of the same kind before socket_read() and socket_write().
 */
#ifndef VACCEL_TRANSPORT_LINK_H
#define VACCEL_TRANSPORT_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "transport/carrier.h"

/* A link that receives has so much room at first: most messages are smaller. */
#define LINK_ROOM 4096

/* A peer that takes no byte for so long is given up. */
#define LINK_PATIENCE_NS (10 * SECOND)

/*
 * Reads what there is, and waits for it up to @until. More than 0; 0 at the
 * end; -VACCEL_EAGAIN without words: the time is over; another code, negative,
 * with words. At the start of a message (link_is_between()) @to has room for LINK_ROOM
 * bytes. *ret_passed is the caller's: -1, or a descriptor, which came with
 * the last of the messages that begin in these bytes. One thread at a time.
 */
typedef ssize_t link_read_fn(struct link *link, const struct iovec *to, int nr, int64_t until,
			     int *ret_passed);

/*
 * Writes some, and waits for room up to @until, as above; never 0. A message
 * begins with a call of its own, with all of it if it has few pieces, and @passed
 * the descriptor to go along, or -1. One thread at a time, which need not be the
 * one that reads.
 */
typedef ssize_t link_write_fn(struct link *link, const struct iovec *from, int nr, int64_t until,
			      int passed);

struct mailbox;

struct link {
	const struct carrier *carrier;
	link_read_fn *read;
	link_write_fn *write;
	void *io;		 /* the carrier's own; its end() frees it */
	struct mailbox *mailbox; /* of link_use_mailbox(), or NULL; freed with the link */
	int fd;			 /* blocks; one call does not with MSG_DONTWAIT */
	bool is_being_made;	 /* see making.c */
	bool takes_passed;	 /* see link_take_passed() */
	bool in_turn;		 /* pieces go one by one: an agent's worker may not use sendmsg() */
	bool silent;		 /* it ended since the peer gave no sign of life */
	bool declined;		 /* it ended, and what was sent last had not been begun */
	_Atomic bool shut;	 /* by link_shut_down(): for those who wait otherwise than in @fd */

	/* Receiving: who may receive. */
	_Atomic bool receive_ended;
	int receive_ms;	       /* the socket's timeout as it is set; 0: none; -1: unknown */
	bool is_timed_outside; /* see link_time_outside() */
	unsigned char *buffer; /* what was read ahead lies from @start to @end */
	size_t room, start, end;
	struct frame frame; /* of the message that is being received */
	bool has_frame;
	bool is_partial; /* what was read ahead has been looked at, and is no whole message */
	uint64_t payload_left;
	int passed;	   /* came with the last message that begins before @passed_end; or -1 */
	size_t passed_end; /* in @buffer */
	struct frame_limits limits;
	_Atomic int64_t heard;

	/* Sending: who holds @sending. */
	pthread_mutex_t sending;
	_Atomic bool send_ended;
	int64_t answer_until; /* of the last message: for carriers that wait for its answer
				 themselves */
	int64_t patience_ns;  /* LINK_PATIENCE_NS */
};

link_read_fn socket_read;
link_write_fn socket_write;

/*
 * Of a link that has a mailbox: whether there is a message in it, and if not, it wakes
 * the socket from now on; and whether there is what nobody waits for.
 */
bool mailbox_has_message(struct link *link);
bool mailbox_is_stale(struct link *link);

/* Whether the next byte to read begins a message. */
static inline bool link_is_between(const struct link *link)
{
	return link->start == link->end && !link->has_frame && !link->payload_left;
}

/* Pieces of one read or write; more go by several. */
#define LINK_BATCH 64

/* A place in a row of pieces. */
struct place {
	const struct iovec *at;
	size_t count;
	size_t offset; /* in the first */
};

void place_advance(struct place *place, uint64_t size);

/* The pieces from there on, as many as there is room for. */
int place_batch(const struct place *place, struct iovec *batch, int room);

#endif
