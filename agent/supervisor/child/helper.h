/* SPDX-License-Identifier: Apache-2.0 */
/* The two children that serve no tenant: front and monitor. They are started anew when they end. */
#ifndef VACCEL_AGENT_SUPERVISOR_CHILD_HELPER_H
#define VACCEL_AGENT_SUPERVISOR_CHILD_HELPER_H

#include "agent/supervisor/child/child.h"

struct errand;
struct supervisor;
struct tally;

struct helper {
	struct child child;
	struct supervisor *supervisor;
	const struct tally *tally; /* its STATS_FD; or NULL */
	const char *role;	   /* NULL: this helper is not used */
	bool running, ready;
	unsigned int failures; /* in a row */
	struct timer restart;
	struct errand *errands, **errands_end; /* messages for which there was no room yet */
	unsigned int nr_errands;

	/* Tells a new process what it must know; the first message is its setup. */
	void (*brief)(struct helper *helper);
	/* It is ready, or is not any more, or has room again. */
	void (*changed)(struct helper *helper);
	/* It says something else; @fd as in struct child_events. */
	void (*said)(struct helper *helper, const struct ipc_message *message, int *fd);
};

/* @helper has its callbacks. */
void helper_start(struct helper *helper, struct supervisor *supervisor, const char *role);

/* What it must know: where there is no room it is told as soon as there is. EREMOTEIO where it is
 * not running. */
int helper_tell(struct helper *helper, const struct ipc_message *message, int fd);

/* What is told now or never: VACCEL_EAGAIN, or as helper_tell(). */
int helper_offer(struct helper *helper, const struct ipc_message *message, int fd);

void helper_stop(struct helper *helper);

#endif
