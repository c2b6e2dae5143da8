/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker counts, in memory that it shares with the supervisor and the
 * monitor. The supervisor makes it and keeps it over the worker's restarts, so
 * counters only ever rise. Written by the worker alone, with relaxed atomics;
 * readers take numbers only and index nothing by them.
 */
#ifndef VACCEL_AGENT_BASE_STATS_H
#define VACCEL_AGENT_BASE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/setup.h"

/* Upper bounds of the histograms' buckets: 1 µs << index, the last one without a bound. */
#define STATS_BUCKETS 28
#define STATS_OPS     128 /* by number; VACCEL_OP_MAX */
#define STATS_CODES   32  /* by status on the wire */
#define STATS_RUNNING 256 /* threads */

/* Threads beyond those that calls may take: for reading and for slow peers. */
#define SPARE_THREADS 8
#define CALLS_MAX     (STATS_RUNNING - SPARE_THREADS)

/* As many are known at a time. */
#define TENANTS_MAX 1024

struct histogram {
	_Atomic uint64_t bucket[STATS_BUCKETS];
	_Atomic uint64_t sum_ns;
};

enum refusal {
	REFUSED_BUSY,	   /* the queue is full */
	REFUSED_QUOTA,	   /* sessions, memory, content, payload, connections */
	REFUSED_POLICY,	   /* an operation, a library */
	REFUSED_FOREIGN,   /* a session, resource, region, request or token not the client's */
	REFUSED_STALE,	   /* a request or token of an earlier epoch */
	REFUSED_MALFORMED, /* bytes that are no protocol */
	REFUSED_AUTH,	   /* no or a wrong token or certificate */
	REFUSED_COUNT
};

/*
 * A call that a thread runs: for the deadline, and for words if the worker dies.
 * The supervisor looks at them by a timer while @watched is set, and sleeps while
 * it is not: where the policy has a deadline, a worker that has set @since of a
 * call and then finds @watched clear, sets it and sends IPC_BUSY.
 */
struct running {
	_Atomic int64_t since; /* time_now(); 0: none */
	_Atomic uint32_t op;
};

struct stats {
	_Atomic uint64_t calls[STATS_OPS][STATS_CODES];
	struct histogram queue;
	struct histogram compute[STATS_OPS];
	_Atomic uint64_t bytes_in, bytes_out; /* payload */
	_Atomic uint64_t refused[REFUSED_COUNT];
	_Atomic uint64_t connections, sessions, resources, models, region_bytes, queued, busy;
	_Atomic uint64_t strangers; /* connections that have not said yet who they are; the front's
				     * too, which are in the handshake */
	_Atomic uint64_t restarts;  /* the supervisor's */
	_Atomic uint32_t watched;
	struct running running[STATS_RUNNING];
};

const char *refusal_name(enum refusal refusal);

/* The supervisor's: a memfd of a struct stats, all zero, whose size nobody can change. */
int stats_make(int *ret_fd);

/* EINVAL for what stats_make() did not make. */
int stats_map(int fd, bool writable, struct stats **ret_stats);
void stats_unmap(struct stats *stats);

void histogram_add(struct histogram *histogram, int64_t ns);

/* The upper bound of a bucket, in ns; INT64_MAX of the last. */
int64_t histogram_bound(unsigned int bucket);

/* A copy, of numbers that may rise meanwhile. */
void histogram_read(const struct histogram *histogram, struct histogram *ret_copy);
void histogram_join(struct histogram *into, const struct histogram *from);
uint64_t histogram_count(const struct histogram *histogram);

/*
 * In ns, what @permille of a thousand do not exceed, as nearly as the buckets tell; 0 if
 * nothing was counted. Of a copy.
 */
int64_t histogram_quantile(const struct histogram *histogram, unsigned int permille);

#endif
