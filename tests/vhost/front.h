/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine without a machine: memory with virtqueues in it, and a driver that puts chains
 * there as docs/virtio.md wants them, or as a test wants them.
 */
#ifndef TESTS_VHOST_FRONT_H
#define TESTS_VHOST_FRONT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "agent/vhost/device.h"
#include "agent/vhost/update.h"

#define FRONT_QUEUES 2
#define FRONT_SIZE   64 /* of each queue, unless front_init_sized() says otherwise */
#define FRONT_MAX    256
#define FRONT_MEMORY (UINT64_C(64) << 20)

/* The guest has it in two regions that adjoin there, and lie the other way round in the file. */
#define FRONT_GUEST UINT64_C(0x100000000)

struct front_descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};

struct front_queue {
	struct front_descriptor *descriptors;
	uint16_t *available; /* flags, index, heads, event */
	uint16_t *used;	     /* flags, index, entries of four, event */
	uint16_t seen;
	uint16_t next_head;
	int kick, call;
	bool busy[FRONT_MAX]; /* of heads */
	bool done[FRONT_MAX]; /* given back */
	uint32_t written[FRONT_MAX];
};

struct front {
	int fd, inflight;
	uint16_t size; /* of each queue */
	char *memory;  /* in the guest's order */
	_Atomic size_t taken;
	unsigned int under_way;
	bool indirect; /* chains are in tables */
	bool spread;   /* and every piece in several */
	bool disabled; /* queues that are attached */
	bool hostile;  /* somebody writes to the rings: what comes back may be anything */
	struct front_queue queues[FRONT_QUEUES];
	pthread_mutex_t lock;
	uint64_t last_file, last_request;
};

void front_init(struct front *front);
void front_init_sized(struct front *front, uint16_t size);
void front_release(struct front *front);

/* The queue as its next driver would have it: nothing is in it. */
void front_reset_queue(struct front *front, unsigned int queue);

uint64_t front_address(const struct front *front, const void *at);
struct vhost_region front_region(const struct front *front, unsigned int index);
struct vhost_addresses front_addresses(const struct front *front, unsigned int queue);

/* Zeroed memory of the guest's. */
void *front_take(struct front *front, size_t size);

/* The inflight region knows nothing of the queue. */
void front_forget(struct front *front, unsigned int queue);

/* Says to a worker's end of a channel all that a supervisor would. */
void front_attach(struct front *front, int channel, bool fresh);
void front_stop(int channel, unsigned int queue, uint16_t *ret_base);

struct front_piece {
	void *at;
	size_t size;
	bool writable;
};

/* A chain; returns its head. */
uint16_t front_put(struct front *front, unsigned int queue, const struct front_piece *pieces,
		   size_t nr);
void front_kick(struct front *front, unsigned int queue);
/* Until it is given back: so many bytes were written. */
uint32_t front_wait(struct front *front, unsigned int queue, uint16_t head);
bool front_is_done(struct front *front, unsigned int queue, uint16_t head);

/* A chain of the device. */
struct front_request {
	unsigned int queue;
	struct header header;
	struct header *in; /* and what follows it */
	struct status *out;
	size_t in_size, room;
	uint16_t head;
	uint32_t written;
	struct status status; /* as it came back */
};

/* Sends a header with what follows it; there is so much room behind the status. */
void front_send(struct front *front, struct front_request *request, const void *in, size_t in_size,
		size_t room);
enum code front_answer(struct front *front, struct front_request *request);

/* Both, for types without more. */
enum code front_call(struct front *front, enum request_type type, uint64_t file, uint64_t request);

/* An open file, as a link of the client's: messages are requests of one chain each. */
struct link *front_open(struct front *front, size_t room);

#endif
