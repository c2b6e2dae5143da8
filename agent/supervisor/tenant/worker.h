/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant's worker as its supervisor sees it: from its start to the words for its end. */
#ifndef VACCEL_AGENT_SUPERVISOR_TENANT_WORKER_H
#define VACCEL_AGENT_SUPERVISOR_TENANT_WORKER_H

#include "agent/supervisor/child/child.h"
#include "agent/supervisor/tenant/tally.h"

struct arrival;
struct tenant;

struct worker {
	struct child child;
	struct tenant *tenant;
	struct worker *next;   /* among those that leave */
	struct tally tally;    /* its own once it leaves, else fd -1 and the tenant's */
	struct config *config; /* counted; @policy, by which it was started, is its */
	const struct policy *policy;
	uint64_t epoch;
	int64_t started;
	bool ready;
	bool leaving;
	uint32_t overran; /* operation */
	char *directory;  /* its own: one that leaves is not in the next one's way */
	uint64_t survey;  /* of it, see surveyor.h */
	bool exceeded;	  /* there was too much in it */
	uint32_t *told;	  /* numbers of the listeners that it knows of */
	size_t nr_told;
	char **machines; /* addresses of the listeners of those that it has had */
	size_t nr_machines;
	int64_t wanted; /* since when one of them is to go on elsewhere; 0: none is */
	char failed[sizeof(((struct ipc_message *)NULL)->text)];
	struct timer patience; /* while it starts, and while it leaves */
};

/* Whether a worker that was started for @tenant would be told the same by the supervisor's
 * configuration and @policy of it. */
bool worker_rules_are_same(const struct tenant *tenant, const struct policy *policy);

/* Starts one; @tenant has none. */
int worker_start(struct tenant *tenant);

/* Whether it may have something of the machine by that listener, and give it back. */
bool worker_has_had(const struct worker *worker, const char *machine);

/* VACCEL_OK: it has it too. VACCEL_EAGAIN, VACCEL_EREMOTEIO. */
int worker_pass(struct worker *worker, const struct arrival *arrival);

/* It gets no more connections, and is to end when all calls are answered, in time. */
void worker_drain(struct worker *worker);

/* Kills it if it still runs. */
void worker_delete(struct worker *worker);

/* In service.c: it takes connections, or more of them; a call of it runs; it has ended. */
void tenant_worker_ready(struct worker *worker);
void tenant_worker_busy(struct worker *worker);
void tenant_worker_ended(struct worker *worker, int status, const struct rusage *usage);

#endif
