/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_AGENT_SUPERVISOR_TENANT_TALLY_H
#define VACCEL_AGENT_SUPERVISOR_TENANT_TALLY_H

#include "agent/base/stats.h"

/* Counters in memory that a worker and the monitor have too. */
struct tally {
	int fd;
	struct stats *stats;
	struct stats *parted; /* what was in it at tally_part(), of one that has left; or NULL */
};

int tally_new(struct tally *ret_tally);
void tally_release(struct tally *tally);

/*
 * @tally goes on in memory of its own from the sums so far, with nothing under way; @ret_left
 * has the memory before, for who counts in it to the end.
 */
int tally_part(struct tally *tally, struct tally *ret_left);

/* Adds what was counted in @left since then. */
void tally_join(struct tally *tally, const struct tally *left);

/* After a worker's end: nothing is under way. */
void tally_settle(struct tally *tally);

#endif
