/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenants: who the connections are of, each with a directory, counters, and a worker
 * process while it is needed.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_TENANT_TENANT_H
#define VACCEL_AGENT_SUPERVISOR_TENANT_TENANT_H

#include "agent/supervisor/listener.h"
#include "agent/supervisor/tenant/worker.h"

struct tenant {
	struct tenant *next;
	struct supervisor *supervisor;
	char *name;
	struct config *config; /* counted; @policy is its */
	const struct policy *policy;
	char *directory; /* what workers before it have left for the next one; NULL: nothing */
	struct tally tally;

	struct worker *worker;	/* which gets connections; NULL: none */
	struct worker *leaving; /* those that answer what they have, and end */
	struct arrival *waiting, **waiting_end;
	uint64_t nr_waiting;

	struct fate fates[FATES_MAX];
	unsigned int nr_fates;
	unsigned int failures;	/* of workers in a row that did not live long */
	struct timer restart;	/* until then none is started */
	struct timer rest;	/* when to see whether the worker is idle */
	struct timer deadline;	/* when to see whether a call overruns */
	uint64_t passed;	/* connections */
	uint64_t passed_before; /* when @rest was set */
	bool was_idle;		/* then */
	int64_t last_used;
	int64_t last_complaint;
};

/* Takes a connection to the tenant of that name. */
void tenant_take(struct supervisor *supervisor, const char *name, struct arrival *arrival);

/* What the tenant's worker counts; NULL: it has none. */
const struct stats *tenant_stats(const struct supervisor *supervisor, const char *name);

/* Has all live by another configuration, @supervisor's. */
void tenants_reload(struct supervisor *supervisor);

/* For the surveyor of @context, which is the supervisor. */
void tenants_look_at_directories(void *context);

/* Who has had the machine by that listener is killed; what needs a worker gets another. */
void tenants_end_machine(struct supervisor *supervisor, const char *machine);

/*
 * Whether any worker but @next may have something of the machine by that listener still. Such a
 * one is to end, and is killed if another has wanted it to for some seconds.
 */
bool tenants_hold_machine(struct supervisor *supervisor, const char *machine,
			  const struct worker *next);

/* That tenant's worker is to end; whoever waits for it comes again. */
void tenant_let_go(struct supervisor *supervisor, const char *name);

/* All workers are to end. */
void tenants_drain(struct supervisor *supervisor);

/* Whether any has a worker still. */
bool tenants_have_workers(const struct supervisor *supervisor);

/* Workers are killed. */
void tenants_delete(struct supervisor *supervisor);

/* To the monitor: all there is now. */
void tenants_brief_monitor(struct supervisor *supervisor);

#endif
