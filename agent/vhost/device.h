/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accelerator: what docs/virtio.md, "The device", says. Chains come in the thread that
 * walks the rings, device.c; each open file of the guest is a connection of the
 * worker's, whose link is in file.c: messages are read from chains, and answers written
 * into them, by the threads that serve connections.
 */
#ifndef VACCEL_AGENT_VHOST_DEVICE_H
#define VACCEL_AGENT_VHOST_DEVICE_H

#include <endian.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/vhost/exchange.h"
#include "agent/vhost/messages.h"
#include "agent/vhost/reader.h"
#include "agent/vhost/vhost.h"
#include "agent/worker/worker.h"
#include "transport/transport.h"

/* Gives the chain back. @touched: bytes of the room that the guest may look at. */
struct answer {
	enum code code;
	uint32_t flags;
	uint64_t used, wanted, touched;
};
void chain_answer(struct chain *chain, const struct answer *answer);

struct accel;

struct file {
	struct file *next;
	struct accel *accel;
	uint64_t number;

	pthread_mutex_t lock; /* all below */
	struct reader reader;
	unsigned int refs; /* the device's and the link's */
	bool closed;	   /* nothing more comes */
	bool goaway;
	uint64_t last_number;	   /* of an exchange */
	struct exchange *incoming; /* to be read, in their order */
	struct exchange *running;  /* to be answered */
	struct exchange *kept;	   /* with answers that have not been fetched, the newest first */

	/* The answer that is being written; who holds the link's lock */
	struct exchange *writing;
	unsigned char *into; /* memory of ours; NULL: straight into the chain */
	uint64_t written, left;
	enum frame_kind kind;
	int status;
};

/* Counted: as the machine's device, and by its files. */
struct accel {
	_Atomic unsigned int refs;
	struct worker *worker;
	const struct listener_setup *listener;
	char peer[64];
	struct helper helper;
	uint64_t bytes_max; /* readable or writable, of one request */
	struct file *files; /* the walking thread's; closed ones until nothing of theirs runs */
	bool canceled;	    /* and something that runs was; device_look() has it */
	struct exchange
		*parts[QUEUES_MAX]; /* requests between BEGIN and END; the walking thread's */
	struct header refused[QUEUES_MAX]; /* of which more may come */
	enum code refused_code[QUEUES_MAX];
};

/* ns that a canceled call may go on; for tests to change. */
struct cancel_patience {
	_Atomic int64_t alone; /* without memory of the guest's: then its chain is given back */
	_Atomic int64_t lent;  /* with some, which only the end of the process gives back */
};
extern struct cancel_patience cancel_patience;

void accel_unref(struct accel *accel);

/* A file, and its connection with the worker. BUSY in words. */
int file_open(struct accel *accel, uint64_t number, struct file **ret_file);
void file_unref(struct file *file);

/* The walking thread: takes the exchange, which has its frame. */
void file_push(struct file *file, struct exchange *exchange);
/* True: it runs, and comes back later; file_look() sees to that. */
bool file_cancel(struct file *file, uint64_t request);
/* Of what was canceled and has not come back: when the first was; FOREVER: there is none. */
int64_t file_look(struct file *file, int64_t now);
/* Its connection ends when all is read. */
void file_close(struct file *file);
/* Whether nothing more of it is read. */
bool file_is_closed(struct file *file);
/* Whether all that came has been answered, and no answer waits for room. */
bool file_is_done(struct file *file);
/* What has not begun to be read of that queue is given back. */
void file_stop(struct file *file, unsigned int queue);
/* More room for, or another try of, an answer; the chain is answered. */
void file_fetch(struct file *file, const struct header *header, struct chain *chain);
void file_room(struct file *file, const struct header *header, struct chain *chain);

#endif
