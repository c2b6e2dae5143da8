/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of a server, of which the watcher knows as well. */
#ifndef VACCEL_AGENT_WORKER_THREADS_H
#define VACCEL_AGENT_WORKER_THREADS_H

#include "agent/worker/server.h"

/*
 * Ends a wait without a timer. No library is known to use it, nor does the kernel. It is not one of
 * those that queue: of such a user may have so many, all his processes together.
 */
#define WAKE_SIGNAL SIGSTKFLT

/* In thread->awaits: the watcher ends the wait by a signal. */
#define DISTURBED 1

struct thread {
	_Alignas(64) struct bench bench;
	_Atomic uint64_t turns; /* that it has taken */
	uint64_t turns_seen;	/* the watcher's own */
	/* The connection at which it waits without a timer; and DISTURBED. */
	_Atomic uintptr_t awaits;
	struct server *server;
	pthread_t id;
	bool runs;  /* server->lock */
	bool ended; /* server->lock; to be joined */
};

struct server {
	struct worker *worker;
	int epoll;
	int posted_fd;	     /* counts requests in @posted; readable for good at the end */
	int watcher_fd;	     /* wakes the watcher */
	atomic_uint waiting; /* threads at the epoll set */
	atomic_bool asleep;  /* the watcher */
	atomic_bool lacks;   /* a thread that could not be made */
	atomic_bool ending;

	/* The watcher's own */
	uint64_t turns_seen;
	int tick_ms; /* for which it looked away; 0 after a sleep */
	int64_t busy_last, next_scan, next_try, drain_since;
	uint64_t drain_turns;

	pthread_mutex_t lock; /* all below */
	struct connection *connections;
	struct request *posted, **last_posted;
	unsigned int nr_threads, max_threads;
	struct thread threads[STATS_RUNNING];
};

static const uint64_t one_more = 1; /* for eventfds */

/* A thread more, if there may be one. Where that fails the watcher tries again. */
int server_add_thread(struct server *server);

/* Hands the read side to whoever finds it readable; @how as for epoll_ctl(). */
void server_arm(struct server *server, struct connection *connection, int how);

#endif
