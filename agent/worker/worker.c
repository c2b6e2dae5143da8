// SPDX-License-Identifier: Apache-2.0
/*
 * The process of one tenant: reads what it is to be, makes libvaccel ready with the policy's
 * plugins, closes the sandbox around itself and then serves the connections that the
 * supervisor passes. The main thread talks to the supervisor and watches the others.
 */
#include "agent/worker/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/error.h>

#include "agent/base/ipc.h"
#include "agent/sandbox/sandbox.h"
#include "agent/worker/policy.h"
#include "agent/worker/resource/resource.h"
#include "agent/worker/resource/store.h"
#include "agent/worker/server.h"
#include "base/util.h"
#include "call/call.h"

/* Control operations that write to the disk: so many at once, and so many may wait. */
#define CHORES_RUN  2
#define CHORES_WAIT 64

bool meter_take(struct meter *meter, uint64_t amount)
{
	uint64_t used = atomic_load_explicit(&meter->used, memory_order_relaxed);

	do {
		if (amount > meter->limit || used > meter->limit - amount)
			return false;
	} while (!atomic_compare_exchange_weak(&meter->used, &used, used + amount));
	return true;
}

void meter_give(struct meter *meter, uint64_t amount)
{
	if (amount)
		atomic_fetch_sub(&meter->used, amount);
}

void count_refusal(struct worker *worker, enum refusal refusal)
{
	atomic_fetch_add_explicit(&worker->stats->refused[refusal], 1, memory_order_relaxed);
}

int memory_fail(struct worker *worker, uint64_t bytes)
{
	count_refusal(worker, REFUSED_QUOTA);
	return vaccel_fail(VACCEL_EDQUOT,
			   "no room for %" PRIu64 " bytes: policy '%s' permits %" PRIu64
			   " of memory, of which %" PRIu64 " are in use",
			   bytes, worker->setup.policy.name, worker->memory.limit,
			   atomic_load(&worker->memory.used));
}

int memory_take(struct worker *worker, uint64_t bytes)
{
	return meter_take(&worker->memory, bytes) ? VACCEL_OK : memory_fail(worker, bytes);
}

int worker_init(struct worker *worker, struct worker_setup *setup, struct stats *stats)
{
	struct policy *policy;
	int ret;

	memset(worker, 0, sizeof(*worker));
	worker->setup = *setup;
	*setup = (struct worker_setup){0};
	policy = &worker->setup.policy;
	/* What this machine's memory cannot be is past the limits, and refused as such. */
	policy->memory = MIN_OF(policy->memory, (uint64_t)SIZE_MAX);
	policy->payload = MIN_OF(policy->payload, (uint64_t)PTRDIFF_MAX);
	worker->stats = stats;
	worker->memory.limit = policy->memory;
	worker->sessions.limit = policy->sessions;
	worker->models.limit =
		worker->setup.models.memory ? worker->setup.models.memory : UINT64_MAX;
	queue_init(&worker->calls, MAX_OF(policy->calls, 1), policy->queue);
	queue_init(&worker->chores, CHORES_RUN, CHORES_WAIT);
	pthread_mutex_init(&worker->lock, NULL);
	ret = policy_init(worker);
	resources_sweep(worker);
	if (!ret)
		ret = store_open(worker->setup.directory, policy->content, policy->name,
				 &worker->store);
	if (ret)
		worker_release(worker);
	return ret;
}

void worker_release(struct worker *worker)
{
	store_close(worker->store);
	spare_release(&worker->spare);
	queue_release(&worker->calls);
	queue_release(&worker->chores);
	pthread_mutex_destroy(&worker->lock);
	worker_setup_release(&worker->setup);
}
