// SPDX-License-Identifier: Apache-2.0
/* See tend.h. What there is to show is a thread's own: it does one thing at a time. */
#include "agent/worker/tend.h"

#include "agent/worker/server.h"

static _Thread_local struct running *own;

void tend_at(struct running *place)
{
	own = place;
}

void tend_begin(struct worker *worker, uint32_t op)
{
	if (!own)
		return;
	atomic_fetch_add(&worker->tending, 1);
	atomic_store_explicit(&own->op, op, memory_order_relaxed);
	atomic_store_explicit(&own->since, time_now(), memory_order_release);
	server_wake(worker->server);
}

void tend_end(struct worker *worker)
{
	if (!own)
		return;
	atomic_store_explicit(&own->since, 0, memory_order_relaxed);
	atomic_fetch_sub(&worker->tending, 1);
}
