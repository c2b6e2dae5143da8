/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tenant's own process: what all its connections share. The supervisor starts it
 * as a child; see worker_main() in worker.c.
 */
#ifndef VACCEL_AGENT_WORKER_WORKER_H
#define VACCEL_AGENT_WORKER_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/log.h"
#include "agent/base/refusals.h"
#include "agent/base/setup.h"
#include "agent/base/stats.h"
#include "agent/worker/connection/queue.h"
#include "agent/worker/spare.h"
#include "transport/control.h"

struct client;
struct model;
struct server;
struct store;

/* Bytes that a tenant has, of those that it may have. */
struct meter {
	uint64_t limit;
	_Atomic uint64_t used;
};

struct worker {
	struct worker_setup setup;
	struct stats *stats;
	struct server *server; /* NULL where one thread serves one connection */
	struct store *store;
	struct queue calls;
	struct queue chores; /* control operations that write to the disk */
	struct meter memory; /* messages and regions */
	struct spare spare;  /* of payloads */
	struct meter sessions;
	struct meter models; /* bytes of their files */
	struct model *preloaded;
	bool permitted[STATS_OPS]; /* operations, by the policy */
	atomic_bool draining;
	_Atomic uint32_t tending;  /* threads in a backend's code beside calls, see tend.h */
	_Atomic uint32_t spinning; /* connections */
	_Atomic uint32_t sending;  /* threads; most of them for a moment */
	_Atomic uint32_t owing;	   /* connections from which something must come */
	_Atomic uint32_t by_tls;   /* strangers that came over TLS, which ends here */

	struct refusals refusals; /* of strangers */

	pthread_mutex_t lock;	/* all below */
	struct client *clients; /* those that have a connection */
	uint64_t last_client;
};

/* What lives as long as the process. @setup is taken, also when it fails; @stats stays. */
int worker_init(struct worker *worker, struct worker_setup *setup, struct stats *stats);
void worker_release(struct worker *worker);

/* False: not that many are left. What was taken is given back with meter_give(). */
bool meter_take(struct meter *meter, uint64_t amount);
void meter_give(struct meter *meter, uint64_t amount);

/* Memory for messages and regions. EDQUOT in words, counted. */
int memory_take(struct worker *worker, uint64_t bytes);
int memory_fail(struct worker *worker, uint64_t bytes);

void count_refusal(struct worker *worker, enum refusal refusal);

/* The process: from the supervisor's first message to the last answer. Its exit status. */
int worker_main(void);

#endif
