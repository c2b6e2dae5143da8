/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who runs now and who waits: at most so many at once, the others in the order in
 * which they came. Coming and going while nobody waits takes no lock.
 */
#ifndef VACCEL_AGENT_WORKER_CONNECTION_QUEUE_H
#define VACCEL_AGENT_WORKER_CONNECTION_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct request;

struct queue {
	uint32_t running_max;
	uint32_t waiting_max;
	_Atomic uint64_t state; /* running in the low half, waiting in the high one */
	pthread_mutex_t lock;	/* all below, and making waiting fewer */
	struct request *first;
	struct request **last;
};

void queue_init(struct queue *queue, uint32_t running_max, uint32_t waiting_max);
void queue_release(struct queue *queue);

/* A place to run at once, unless somebody waits or all are taken. */
bool queue_try(struct queue *queue);

enum queue_answer { QUEUE_RUN, QUEUE_WAIT, QUEUE_FULL };

/* A place now or later. On QUEUE_WAIT the queue has the request, until queue_leave() or
 * queue_take() returns it. */
enum queue_answer queue_enter(struct queue *queue, struct request *request);

/* Gives a place up. The request that has it from now on, if one waited. */
struct request *queue_leave(struct queue *queue);

/* Takes away the first that waits and that @is_wanted picks; NULL if there is none. */
struct request *queue_take(struct queue *queue,
			   bool (*is_wanted)(const struct request *request, const void *context),
			   const void *context);

uint32_t queue_running(const struct queue *queue);
uint32_t queue_waiting(const struct queue *queue);

#endif
