/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drive of docs/virtio.md apart from rings: what reading and writing its blocks does.
 * Whoever holds a range of it has a connection, whose other end is a link of the
 * agent's. What is asked of it is a guest's: anything, at any time, twice, in any order.
 */
#ifndef VACCEL_AGENT_VHOST_DRIVE_H
#define VACCEL_AGENT_VHOST_DRIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct drive;
struct link;
struct vhost;

struct drive_setup {
	unsigned int queue_size; /* of which a small share is held at most */
	unsigned int held_max;	 /* ranges at a time; 0: DRIVE_HELD_MAX */
	unsigned int lease_ms;	 /* 0: DRIVE_LEASE_MS */

	/*
	 * A range has been claimed: takes @link, the agent's end of its connection, also when it
	 * fails. A thread that submits, and it does not wait.
	 */
	bool (*connect)(void *context, struct link *link);
	void *context;

	/*
	 * Has requests submitted by this thread, until @until at most or until somebody writes to
	 * help_fd(): vhost_help() of vhost.h, and its descriptor. One thread at a time.
	 */
	void (*help)(struct vhost *vhost, int64_t until);
	int (*help_fd)(const struct vhost *vhost);
};

#define DRIVE_HELD_MAX 128
#define DRIVE_LEASE_MS 30000

/* Bytes of one access, for which others wait: it can name the same memory a thousand times. */
#define DRIVE_ACCESS_MAX (UINT64_C(32) << 20)

/* One access. It and its memory are the drive's until @done was called. */
struct drive_request {
	bool is_write;
	uint64_t offset; /* bytes */
	const struct iovec *at;
	size_t nr;
	uint64_t size; /* of all of @at; a multiple of 512, and not too much, or it is refused */

	/* Once, in any thread, maybe before drive_submit() returns; calls nothing of the drive. */
	void (*done)(struct drive_request *request, bool went_well);
	int64_t until; /* the drive's */
};

/* It has a thread of its own. */
int drive_new(const struct drive_setup *setup, struct drive **ret_drive);

/* Answers what is held, and ends all connections. Nothing may be submitted any more. */
void drive_delete(struct drive *drive);

/* Does not wait. */
void drive_submit(struct drive *drive, struct drive_request *request);

/* Answers all that is held as if the time were over. */
void drive_let_go(struct drive *drive);

/* Who walks the rings, and can be helped, up to drive_delete(). */
void drive_helped(struct drive *drive, struct vhost *vhost);

/* The machine has begun anew: ends all connections. */
void drive_reset(struct drive *drive);

uint64_t drive_capacity(void); /* bytes */

/* Whether who knows the drive may have reason to write there. */
bool drive_has_writes_at(uint64_t offset);

#endif
