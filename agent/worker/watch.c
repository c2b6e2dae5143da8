// SPDX-License-Identifier: Apache-2.0
/*
 * The watcher of a server's threads: arms the connections whose threads are in a long call, ends
 * waits without a timer, closes connections from which nothing comes that must, and lets
 * the server drain.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/worker/threads.h"
#include "base/util.h"

/* The watcher comes once in so many turns at most: it costs a long call some of its caches. */
#define TURNS_A_TICK 8
#define TICK_MS	     10	 /* but not more often than that */
#define SLOW_TICK_MS 160 /* nor less */

#define SCAN_MS	 1000
#define RETRY_MS 100 /* until a thread that could not be made is tried again */

#define QUIET_NS (500 * MILLISECOND) /* after which the watcher sleeps */

/* After which nobody asks anything any more on connections that were told to go. */
#define DRAIN_NS SECOND

int server_fd(const struct server *server)
{
	return server->watcher_fd;
}

void server_wake(struct server *server)
{
	if (server && unlikely(atomic_load(&server->asleep)) &&
	    atomic_exchange(&server->asleep, false))
		(void)!write(server->watcher_fd, &one_more, sizeof(one_more));
}

static uint64_t count_turns(const struct server *server)
{
	uint64_t turns = 0;

	for (unsigned int i = 0; i < server->max_threads; i++)
		turns += atomic_load_explicit(&server->threads[i].turns, memory_order_relaxed);
	return turns;
}

bool server_is_busy(const struct server *server)
{
	return queue_running(&server->worker->calls) || queue_running(&server->worker->chores) ||
	       atomic_load(&server->worker->tending);
}

/*
 * Arms the connections whose thread has been in a call for a while. Where nothing has come
 * yet the thread keeps it: who asks one thing after another then finds it again, with all
 * that is in its processor's caches.
 */
static void take_over(struct server *server, int64_t now)
{
	for (unsigned int i = 0; i < server->max_threads; i++) {
		struct thread *thread = &server->threads[i];
		int64_t since = atomic_load(&server->worker->stats->running[i].since);
		struct connection *connection;

		if (!since || now - since < TICK_MS * MILLISECOND)
			continue;
		connection = bench_take_over(&thread->bench);
		if (connection && (link_has_news(connection->link) ||
				   !bench_give_back(&thread->bench, connection)))
			server_arm(server, connection, EPOLL_CTL_MOD);
	}
}

static bool is_any_awaited(const struct server *server)
{
	for (unsigned int i = 0; i < server->max_threads; i++)
		if (atomic_load(&server->threads[i].awaits))
			return true;
	return false;
}

/* The thread goes on with nothing else, and so keeps the connection, until the lock is free. */
static void end_wait(struct thread *thread)
{
	uintptr_t awaits = atomic_load(&thread->awaits);
	const struct connection *connection = (const void *)(awaits & ~(uintptr_t)DISTURBED);

	if (!awaits ||
	    !atomic_compare_exchange_strong(&thread->awaits, &awaits, awaits | DISTURBED))
		return;
	link_end_wait(connection->link);
	pthread_kill(thread->id, WAKE_SIGNAL);
}

/* Ends waits without a timer, if nothing has come since the last tick. */
static void end_waits(struct server *server)
{
	SCOPED_LOCK(&server->lock);
	for (unsigned int i = 0; i < server->max_threads; i++) {
		struct thread *thread = &server->threads[i];
		uint64_t turns = atomic_load_explicit(&thread->turns, memory_order_relaxed);

		if (turns == thread->turns_seen)
			end_wait(thread);
		thread->turns_seen = turns;
	}
}

/* Whether a scan could find anything; if so, one comes now and then though no call runs. */
static bool must_scan(const struct server *server)
{
	const struct worker *worker = server->worker;

	return atomic_load(&worker->owing) || spare_is_there(&server->worker->spare) ||
	       (worker->setup.policy.idle_timeout_ms && atomic_load(&worker->stats->connections));
}

/* Ends those from which nothing comes that must. */
static void scan(struct server *server, int64_t now)
{
	SCOPED_LOCK(&server->lock);
	for (struct connection *at = server->connections; at; at = at->next)
		if (connection_is_overdue(at, now))
			link_shut_down(at->link);
}

/* While nobody waits, connections are served by none. */
static void try_again(struct server *server, int64_t now)
{
	if (likely(!atomic_load_explicit(&server->lacks, memory_order_relaxed)) ||
	    now < server->next_try)
		return;
	server->next_try = now + RETRY_MS * MILLISECOND;
	atomic_store(&server->lacks, false);
	if (!atomic_load(&server->waiting))
		server_add_thread(server);
}

static void show_gauges(const struct server *server)
{
	const struct worker *worker = server->worker;

	atomic_store_explicit(&worker->stats->busy, queue_running(&worker->calls),
			      memory_order_relaxed);
	atomic_store_explicit(&worker->stats->queued, queue_waiting(&worker->calls),
			      memory_order_relaxed);
}

/* As refusals_tell(). */
static int tell_refusals(const struct server *server)
{
	struct worker *worker = server->worker;

	return refusals_tell(&worker->refusals, &(struct about){worker->setup.tenant});
}

/* How long the watcher may look away. */
static int next_tick(const struct server *server, uint64_t new_turns)
{
	if (new_turns >= TURNS_A_TICK || atomic_load(&server->worker->draining))
		return TICK_MS;
	return MAX_OF(TICK_MS, MIN_OF(2 * server->tick_ms, SLOW_TICK_MS));
}

/* Whether no calls come, so that the watcher may as well sleep. */
static bool is_quiet(struct server *server, int64_t now)
{
	uint64_t turns = count_turns(server);

	if (turns != server->turns_seen || server_is_busy(server))
		server->busy_last = now;
	server->tick_ms = next_tick(server, turns - server->turns_seen);
	server->turns_seen = turns;
	return now - server->busy_last >= QUIET_NS;
}

int server_watch(struct server *server)
{
	int64_t now = time_now();
	uint64_t count;

	(void)!read(server->watcher_fd, &count, sizeof(count));
	take_over(server, now);
	end_waits(server);
	try_again(server, now);
	show_gauges(server);
	tell_refusals(server);
	if (now >= server->next_scan && must_scan(server)) {
		scan(server, now);
		spare_age(&server->worker->spare);
		server->next_scan = now + SCAN_MS * MILLISECOND;
	}
	if (!is_quiet(server, now))
		return server->tick_ms;
	server->tick_ms = 0;
	atomic_store(&server->asleep, true);
	/* Who has begun a call or a wait before that does not wake anybody. */
	if (server_is_busy(server) || is_any_awaited(server) || atomic_load(&server->lacks) ||
	    atomic_load(&server->worker->draining)) {
		atomic_store(&server->asleep, false);
		return TICK_MS;
	}
	return must_scan(server) ? SCAN_MS : tell_refusals(server);
}

/* Drain */

static void tell_to_go(struct server *server)
{
	SCOPED_LOCK(&server->lock);
	for (struct connection *at = server->connections; at; at = at->next)
		connection_dismiss(at);
}

bool server_drain(struct server *server)
{
	uint64_t turns = count_turns(server);
	int64_t now = time_now();
	bool works;

	tell_to_go(server);
	SCOPED_LOCK(&server->lock);
	works = server_is_busy(server) || atomic_load(&server->waiting) < server->nr_threads;
	if (works || !server->drain_since || server->drain_turns != turns)
		server->drain_since = now;
	server->drain_turns = turns;
	return !works && (!server->connections || now - server->drain_since > DRAIN_NS);
}
