/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A split virtqueue, seen from the device: one thread takes chains off it, and any
 * thread gives them back. What the guest wrote there is network input.
 */
#ifndef VACCEL_AGENT_VHOST_RING_H
#define VACCEL_AGENT_VHOST_RING_H

#include <pthread.h>

#include "agent/vhost/memory.h"
#include "agent/vhost/messages.h"
#include "agent/vhost/vhost.h"

/* Descriptors of one chain, those of an indirect table. */
#define SEGMENTS_MAX QUEUE_SIZE_MAX

struct ring {
	unsigned int queue;
	/* The walking thread's */
	struct guest *guest; /* counted */
	uint32_t size;
	uint64_t features;
	bool running; /* has been set up, and is not stopped */
	bool enabled;
	bool broken;	/* the guest has written nonsense there */
	uint16_t next;	/* in the available ring */
	uint16_t again; /* so many of those that an earlier worker had are to be taken first */
	struct inflight_queue *inflight;
	int kick;

	/* Where they are; changed by the walking thread, under the lock */
	const struct ring_descriptor *descriptors;
	struct ring_available *available;
	struct ring_used *used;

	pthread_mutex_t lock; /* all below */
	uint16_t used_next;
	uint64_t counter;
	unsigned int under_way;
	int call;			 /* or -1 */
	void (*idle)(struct ring *ring); /* NULL, or to be called when nothing is under way */
	void *owner;
	struct vhost *vhost; /* whose threads walk it; NULL: there are none */
};

/* Where a ring begins. */
struct ring_setup {
	uint32_t size;
	uint64_t features;
	struct vhost_addresses addresses;
	uint16_t base; /* in a ring of which the inflight region knows nothing */
	int kick, call;
};

void ring_init(struct ring *ring, unsigned int queue, void *owner);
void ring_release(struct ring *ring);

/*
 * Takes the descriptors of @setup, also when it fails, and a reference to the memory.
 * @inflight: the queue's part of that region, of at least @setup's size.
 */
int ring_start(struct ring *ring, const struct ring_setup *setup, struct guest *guest,
	       struct inflight_queue *inflight);

/* Another table of memory, in which the ring is where it was for the front end. */
int ring_move(struct ring *ring, const struct vhost_addresses *addresses, struct guest *guest);

/* Takes the descriptor; -1: nobody is to be told. */
void ring_set_call(struct ring *ring, int call);

/*
 * The next chain: VACCEL_OK; VACCEL_EAGAIN: there is none now, and the guest will kick;
 * VACCEL_EREMOTEIO: the ring is broken, with words; VACCEL_ENOMEM: it is to be taken later, and
 * the guest may not kick again.
 */
int ring_take(struct ring *ring, struct chain **ret_chain);

/* The next of those that an earlier worker had, also of a queue that is not enabled any more. */
int ring_take_again(struct ring *ring, struct chain **ret_chain);

/*
 * No chain is taken any more. @idle is called, by whatever thread, when all are given back; it
 * must not wait, nor use what takes the lock.
 */
void ring_stop(struct ring *ring, void (*idle)(struct ring *ring));

#endif
