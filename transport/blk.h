/* SPDX-License-Identifier: Apache-2.0 */
/* A range of a drive as the guest has it: blk_range.c claims and keeps it, blk.c moves bytes. */
#ifndef VACCEL_TRANSPORT_BLK_H
#define VACCEL_TRANSPORT_BLK_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "transport/carrier.h"
#include "transport/disk.h"
#include "transport/drive.h"

/* The largest parcel: four of them, one that is read and three that are written, are a huge page.
 */
#define BLK_PARCEL (512u << 10)
#define BLK_SLOTS  3

/* A parcel of one block, or a large one; or the first block and the last of what lies elsewhere. */
struct blk_slot {
	struct disk_access access;
	unsigned char *small, *last, *large;
};

struct blk {
	char *name;		     /* the address, for words */
	struct blk *next, **link_to; /* of those that there are */
	pid_t owner;		     /* who may tell the agent that the range is free */

	/* What the first block says. */
	uint64_t epoch;
	uint64_t ranges_at, range_size;
	uint64_t out_at, in_at, area;
	uint32_t ranges, parcel_max, window, lease_ms;

	unsigned int segments; /* of the device's requests */
	unsigned char nonce[DRIVE_NONCE];
	uint64_t base;		/* of the range */
	uint64_t start;		/* position of the first byte, both ways */
	bool is_held;		/* by us, until the keeper gives it back */
	unsigned char *memory;	/* of all that is read and written */
	_Atomic uint64_t taken; /* by the agent, of what was written */
	_Atomic uint64_t read;	/* by us */

	/* Who writes */
	struct blk_slot slots[BLK_SLOTS];
	unsigned int slot; /* whose turn it is if all are busy */
	uint64_t out;

	/* Who reads; who writes, while nobody does */
	pthread_mutex_t reading;
	struct blk_slot in;
	uint64_t at;
	uint32_t parcel; /* bytes of the one at @at whose rest is on its way; or 0 */
	const unsigned char *left;
	size_t left_size;
	uint64_t told; /* what the agent knows of @read at least */
	int64_t empty_since;
	unsigned int nonsense; /* blocks, one after the other */

	pthread_t keeper;
	bool is_kept; /* there is a keeper */
	sem_t wake;   /* it */
	atomic_bool ending, is_given_up;

	pthread_mutex_t lock; /* the control block */
	struct disk_access control;
	unsigned char *control_block;
};

/* @fd is the drive's, open. Checks that it is one of ours before anything is written. */
int blk_new(const struct address *address, int fd, int64_t until, struct blk **ret_blk);

/* Waits for what is under way a moment; what hangs longer is freed when it comes back. A forked
 * child leaves what is its parent's. */
void blk_delete(struct blk *blk);

/* Opens the drive of the address. */
int blk_open(const struct address *address, int *ret_fd);

/* Tells the agent that we are there, and what we have read. EREMOTEIO, ETIMEDOUT. */
int blk_keep(struct blk *blk, int64_t until);

/*
 * What the agent says of our range; updates @taken. EREMOTEIO if it is ours no more. Bytes in
 * wait are up to *ret_ready; ended: there will be no more.
 */
int blk_look(struct blk *blk, int64_t until, uint64_t *ret_ready, bool *ret_ended);

/* Has the keeper tell the agent that the connection is over. */
void blk_give_up(struct blk *blk);

/* An errno in words. */
int blk_failed(const struct blk *blk, int error);

/* @value is never less than it was. */
void blk_raise(_Atomic uint64_t *value, uint64_t to);

#endif
