// SPDX-License-Identifier: Apache-2.0
/*
 * See queue.h. Both counts are halves of one word, so that "nobody waits and there
 * is room" is seen and acted on in one step; hence somebody waits only while all
 * places are taken, and a place that is given up goes straight to the first.
 */
#include "agent/worker/connection/queue.h"

#include "agent/worker/connection/request.h"
#include "base/util.h"

#define RUNNING(state) ((uint32_t)(state))
#define WAITING(state) ((uint32_t)((state) >> 32))
#define ONE_WAITING    (UINT64_C(1) << 32)

void queue_init(struct queue *queue, uint32_t running_max, uint32_t waiting_max)
{
	*queue = (struct queue){.running_max = running_max, .waiting_max = waiting_max};
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
}

void queue_release(struct queue *queue)
{
	pthread_mutex_destroy(&queue->lock);
}

uint32_t queue_running(const struct queue *queue)
{
	return RUNNING(atomic_load_explicit(&queue->state, memory_order_relaxed));
}

uint32_t queue_waiting(const struct queue *queue)
{
	return WAITING(atomic_load_explicit(&queue->state, memory_order_relaxed));
}

bool queue_try(struct queue *queue)
{
	uint64_t state = atomic_load(&queue->state);

	while (!WAITING(state) && RUNNING(state) < queue->running_max)
		if (atomic_compare_exchange_weak(&queue->state, &state, state + 1))
			return true;
	return false;
}

enum queue_answer queue_enter(struct queue *queue, struct request *request)
{
	uint64_t state, after;
	bool waits;

	SCOPED_LOCK(&queue->lock);
	state = atomic_load(&queue->state);
	do {
		waits = WAITING(state) || RUNNING(state) >= queue->running_max;
		if (waits && WAITING(state) >= queue->waiting_max)
			return QUEUE_FULL;
		after = state + (waits ? ONE_WAITING : 1);
	} while (!atomic_compare_exchange_weak(&queue->state, &state, after));
	if (!waits)
		return QUEUE_RUN;
	request->next = NULL;
	*queue->last = request;
	queue->last = &request->next;
	return QUEUE_WAIT;
}

/* The lock is held. */
static struct request *unlink_at(struct queue *queue, struct request **link)
{
	struct request *request = *link;

	*link = request->next;
	if (!*link)
		queue->last = link;
	request->next = NULL;
	atomic_fetch_sub(&queue->state, ONE_WAITING);
	return request;
}

struct request *queue_leave(struct queue *queue)
{
	uint64_t state = atomic_load(&queue->state);

	while (!WAITING(state))
		if (atomic_compare_exchange_weak(&queue->state, &state, state - 1))
			return NULL;
	SCOPED_LOCK(&queue->lock);
	if (queue->first)
		return unlink_at(queue, &queue->first);
	/* Whoever waited has been taken away meanwhile, and nobody can come before the lock goes.
	 */
	atomic_fetch_sub(&queue->state, 1);
	return NULL;
}

struct request *queue_take(struct queue *queue,
			   bool (*is_wanted)(const struct request *request, const void *context),
			   const void *context)
{
	SCOPED_LOCK(&queue->lock);
	for (struct request **link = &queue->first; *link; link = &(*link)->next)
		if (is_wanted(*link, context))
			return unlink_at(queue, link);
	return NULL;
}
