/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_AGENT_SUPERVISOR_TENANT_TALLY_H
#define VACCEL_AGENT_SUPERVISOR_TENANT_TALLY_H

#include "agent/base/stats.h"

/* Counters in memory that a worker and the monitor have too. */
struct tally {
	int fd;
	struct stats *stats;
};

int tally_new(struct tally *ret_tally);
void tally_release(struct tally *tally);

/* The sums of @from with nothing under way. */
void tally_copy(struct tally *to, const struct tally *from);

/* After a worker's end: nothing is under way. */
void tally_settle(struct tally *tally);

#endif
