/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The insides of the drive, between drive.c, which is the guest's side, and claim.c, which is the
 * agent's: a range that is held is a claim here and a connection there.
 */
#ifndef VACCEL_AGENT_VHOST_CLAIM_H
#define VACCEL_AGENT_VHOST_CLAIM_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/vhost/range.h"
#include "agent/vhost/reader.h"

/* Less than 16 TiB, which is what a guest of 32 bits can address. */
#define RANGES 1024u

/* Counted: as the machine's drive, and by its claims. */
struct drive {
	struct drive_setup setup;
	uint64_t epoch;
	_Atomic unsigned int refs;
	pthread_t thread;
	struct helper helper;

	pthread_mutex_t lock; /* all below, and all claims */
	pthread_cond_t due;
	bool ending;
	bool asleep; /* the thread, for longer than a tick */
	int64_t looked, last_held;
	unsigned int nr_claims, nr_held;
	struct claim *claims[RANGES];
	struct claim *fresh; /* that have no connection yet */
};

struct claim {
	struct range range;
	struct drive *drive;
	struct claim *next; /* fresh */
	uint32_t number;
	unsigned int refs; /* the drive's and the link's */
	int64_t lease;
	unsigned int quiet;	    /* looks of the drive's thread since bytes were moved */
	struct drive_request *held; /* a read of what is not there yet */
	struct drive_request *late; /* a write that is answered with it */

	/* The agent's side */
	struct reader reader; /* who writes waits by it, too */
	bool is_shut;	      /* by the agent: nobody waits any more */
};

/* All with the drive's lock held but where it says otherwise. */

/* Answers the read that is held, and what is answered with it, if there is one. */
void claim_let_go(struct claim *claim);

void claim_unref(struct claim *claim);

/* Makes the connection; without the lock. */
int claim_connect(struct claim *claim);

/* Without the lock. */
void drive_unref(struct drive *drive);

#endif
