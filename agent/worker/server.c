// SPDX-License-Identifier: Apache-2.0
/*
 * Threads, and an epoll set whose entries are disarmed by each event: a connection
 * is read by one thread at a time. That thread keeps the read side while it runs a
 * call, so that a short call costs no system call but its receive and its send. A
 * call that takes longer than a tick of the watcher has its connection armed as soon
 * as something comes meanwhile, PING or CANCEL or another request.
 *
 * There is always a thread left that waits for other connections, as long as there
 * may be more threads; one that is left over goes after a while.
 */
#include "agent/worker/threads.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/worker/tend.h"
#include "base/util.h"

/* So many may always be in the midst of a handshake. */
#define STRANGERS_TLS_LEAST 32

#define SPARE_MS 10000 /* a thread that waited so long is not needed */

/* After so many messages one after another a thread waits for the next without a timer. */
#define WARM_TURNS 3

static void *thread_main(void *context);
static void end_connection(struct server *server, struct connection *connection);

int server_add_thread(struct server *server)
{
	int code;

	SCOPED_LOCK(&server->lock);
	/* Who ends the server takes the lock after it has said so, and counts on what is there. */
	if (atomic_load(&server->ending))
		return VACCEL_OK;
	for (unsigned int i = 0; i < server->max_threads; i++) {
		struct thread *thread = &server->threads[i];

		if (thread->runs)
			continue;
		if (thread->ended)
			pthread_join(thread->id, NULL);
		thread->ended = false;
		code = pthread_create(&thread->id, NULL, thread_main, thread);
		thread->runs = !code;
		server->nr_threads += thread->runs;
		if (!code)
			return VACCEL_OK;
		atomic_store(&server->lacks, true);
		server_wake(server);
		return vaccel_fail(VACCEL_ENOMEM, "cannot make a thread: %s", strerror(code));
	}
	return VACCEL_OK;
}

/* Connections */

void server_arm(struct server *server, struct connection *connection, int how)
{
	struct epoll_event event = {
		.events = link_events(connection->link) | EPOLLRDHUP | EPOLLONESHOT,
		.data.ptr = connection,
	};
	int fd = link_fd(connection->link);

	/* What its owner wrote is for the next one to read; of epoll_ctl() C knows nothing. */
	atomic_store_explicit(&connection->armed, true, memory_order_release);
	if (epoll_ctl(server->epoll, how, fd, &event))
		end_connection(server, connection);
}

/* The read side is done with. */
static void end_connection(struct server *server, struct connection *connection)
{
	link_shut_down(connection->link);
	requests_drop(connection);
	pthread_mutex_lock(&server->lock);
	*connection->link_to = connection->next;
	if (connection->next)
		connection->next->link_to = connection->link_to;
	pthread_mutex_unlock(&server->lock);
	connection_unref(connection);
}

unsigned int server_threads(const struct policy *policy)
{
	return (unsigned int)MIN_OF((uint64_t)STATS_RUNNING,
				    (uint64_t)policy->calls + policy->queue + SPARE_THREADS);
}

/* They take half of the connections at most. */
uint64_t server_strangers(const struct policy *policy)
{
	return policy->connections / 2;
}

uint64_t server_strangers_tls(const struct policy *policy)
{
	return MAX_OF(server_strangers(policy) / 12, (uint64_t)STRANGERS_TLS_LEAST);
}

/* Of too many strangers who has been one for longest goes. */
static void make_room(struct server *server)
{
	struct worker *worker = server->worker;
	const struct policy *policy = &worker->setup.policy;
	bool too_many_tls = atomic_load(&worker->by_tls) > server_strangers_tls(policy);
	struct connection *oldest = NULL;

	if (atomic_load(&worker->stats->strangers) <= server_strangers(policy) && !too_many_tls)
		return;
	for (struct connection *at = server->connections; at; at = at->next)
		if (atomic_load(&at->is_stranger) && (connection_is_tls(at) || !too_many_tls))
			oldest = at;
	if (oldest && connection_no_stranger(oldest)) {
		count_refusal(worker, REFUSED_QUOTA);
		link_shut_down(oldest->link);
	}
}

void server_add(struct server *server, struct connection *connection)
{
	pthread_mutex_lock(&server->lock);
	make_room(server);
	connection->next = server->connections;
	connection->link_to = &server->connections;
	if (connection->next)
		connection->next->link_to = &connection->next;
	server->connections = connection;
	pthread_mutex_unlock(&server->lock);
	connection_rest(connection);
	server_arm(server, connection, EPOLL_CTL_ADD);
}

/* Somebody must be left for the other connections. */
static bool may_linger(const struct server *server)
{
	return atomic_load_explicit(&server->waiting, memory_order_relaxed) &&
	       !atomic_load_explicit(&server->worker->draining, memory_order_relaxed);
}

/*
 * Reads without a timer; the watcher, which looks for that before it sleeps, ends the wait. Its
 * signal comes in here, and nowhere that might take it amiss: it has been sent when the lock is
 * free again, and comes no later than a system call after that.
 */
static int await(struct thread *thread, struct connection *connection, int64_t until)
{
	struct server *server = thread->server;
	int ret;

	link_time_outside(connection->link, true);
	atomic_store(&thread->awaits, (uintptr_t)connection);
	server_wake(server);
	ret = connection_read(connection, until);
	link_time_outside(connection->link, false);
	if (unlikely(atomic_exchange(&thread->awaits, 0) & DISTURBED)) {
		pthread_mutex_lock(&server->lock);
		pthread_mutex_unlock(&server->lock);
		sched_yield();
	}
	return ret;
}

/* By the thread that has the read side, until it gives that up. */
static void serve(struct thread *thread, struct connection *connection)
{
	struct server *server = thread->server;
	struct bench *bench = &thread->bench;
	int64_t until = 0;
	unsigned int nr = 0;
	enum turn turn;
	int ret;

	atomic_exchange_explicit(&connection->armed, false, memory_order_acquire);
	bench->now = time_now();
	for (;;) {
		if (nr++ < WARM_TURNS)
			ret = connection_read(connection, until);
		else
			ret = await(thread, connection, until);
		turn = connection_act(connection, ret, bench);
		atomic_store_explicit(&thread->turns, thread->turns + 1, memory_order_relaxed);
		if (turn != TURN_NEXT || !may_linger(server))
			break;
		until = bench->now + LINGER_NS;
	}
	if (turn == TURN_END) {
		end_connection(server, connection);
	} else if (turn != TURN_LENT) {
		connection_rest(connection);
		server_wake(server); /* somebody has to see what is due */
		server_arm(server, connection, EPOLL_CTL_MOD);
	}
}

/* Requests whose turn has come */

void server_post(struct server *server, struct request *request)
{
	pthread_mutex_lock(&server->lock);
	*server->last_posted = request;
	server->last_posted = &request->next;
	pthread_mutex_unlock(&server->lock);
	/* It cannot overflow: there are as many as may run at once. */
	(void)!write(server->posted_fd, &one_more, sizeof(one_more));
}

static void serve_posted(struct thread *thread)
{
	struct server *server = thread->server;
	struct request *request;
	uint64_t one;

	if (read(server->posted_fd, &one, sizeof(one)) < 0)
		return; /* another thread was quicker */
	pthread_mutex_lock(&server->lock);
	request = server->posted;
	server->posted = request->next;
	if (!server->posted)
		server->last_posted = &server->posted;
	pthread_mutex_unlock(&server->lock);
	thread->bench.now = time_now();
	request_run_waiting(request, &thread->bench);
}

/* Threads */

/* A thread that nobody needs goes, if another one waits. */
static bool may_go(struct server *server)
{
	unsigned int waiting = atomic_load(&server->waiting);

	while (waiting > 1)
		if (atomic_compare_exchange_weak(&server->waiting, &waiting, waiting - 1))
			return true;
	return false;
}

/* What a library that exec has run closes or puts in its place is of no use: nor is the process. */
static _Noreturn void give_up(const struct server *server)
{
	const struct about tenant = {.tenant = server->worker->setup.tenant};

	log_line(VACCEL_LOG_ERROR, &tenant, "cannot wait for connections: %s", strerror(errno));
	_exit(EXIT_FAILURE);
}

/* VACCEL_EAGAIN: it is not needed any more. */
static int wait_for_event(struct server *server, struct epoll_event *ret_event)
{
	int nr;

	atomic_fetch_add(&server->waiting, 1);
	do {
		bool spare = atomic_load_explicit(&server->waiting, memory_order_relaxed) > 1;

		nr = epoll_wait(server->epoll, ret_event, 1, spare ? SPARE_MS : -1);
		if (nr == 0 && may_go(server))
			return VACCEL_EAGAIN;
		if (nr < 0 && errno != EINTR)
			give_up(server);
	} while (nr <= 0);
	if (atomic_fetch_sub(&server->waiting, 1) == 1)
		server_add_thread(server);
	return VACCEL_OK;
}

static void *thread_main(void *context)
{
	struct thread *thread = context;
	struct server *server = thread->server;
	struct epoll_event event;

	bench_init(&thread->bench, &server->worker->stats->running[thread - server->threads]);
	tend_at(thread->bench.running);
	while (!wait_for_event(server, &event) && !atomic_load(&server->ending)) {
		if (event.data.ptr)
			serve(thread, event.data.ptr);
		else
			serve_posted(thread);
	}
	bench_release(&thread->bench);
	SCOPED_LOCK(&server->lock);
	thread->runs = false;
	thread->ended = true;
	server->nr_threads--;
	return NULL;
}

/* Beginning and end */

static void do_nothing(int signal)
{
}

/* See link_end_wait(). */
static void let_waits_end(void)
{
	const struct sigaction action = {
		.sa_handler = do_nothing,
		.sa_flags = SA_RESTART | SA_ONSTACK,
	};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, WAKE_SIGNAL);
	sigaction(WAKE_SIGNAL, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

int server_new(struct worker *worker, struct server **ret_server)
{
	const struct policy *policy = &worker->setup.policy;
	struct epoll_event event = {.events = EPOLLIN};
	struct server *server = aligned_alloc(_Alignof(struct thread), sizeof(*server));
	int ret;

	if (!server)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a server");
	memset(server, 0, sizeof(*server));
	let_waits_end();
	server->worker = worker;
	server->last_posted = &server->posted;
	server->max_threads = server_threads(policy);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->posted_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	server->watcher_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&server->lock, NULL);
	for (unsigned int i = 0; i < STATS_RUNNING; i++)
		server->threads[i].server = server;
	worker->server = server;
	if (server->epoll < 0 || server->posted_fd < 0 || server->watcher_fd < 0 ||
	    epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->posted_fd, &event)) {
		int code = errno;

		server_delete(server);
		return vaccel_fail(code, "cannot wait for connections: %s", strerror(code));
	}
	ret = server_add_thread(server);
	if (ret) {
		server_delete(server);
		return ret;
	}
	*ret_server = server;
	return VACCEL_OK;
}

static void end_threads(struct server *server)
{
	(void)!write(server->posted_fd, &(uint64_t){UINT32_MAX}, sizeof(uint64_t));
	for (unsigned int i = 0; i < server->max_threads; i++) {
		struct thread *thread = &server->threads[i];
		bool there;

		pthread_mutex_lock(&server->lock);
		there = thread->runs || thread->ended;
		pthread_mutex_unlock(&server->lock);
		if (there)
			pthread_join(thread->id, NULL);
	}
}

void server_delete(struct server *server)
{
	struct connection *connection;

	if (!server)
		return;
	atomic_store(&server->ending, true);
	pthread_mutex_lock(&server->lock);
	for (connection = server->connections; connection; connection = connection->next)
		link_shut_down(connection->link);
	pthread_mutex_unlock(&server->lock);
	end_threads(server);
	while (server->connections)
		end_connection(server, server->connections);
	server->worker->server = NULL;
	closep(&server->epoll);
	closep(&server->posted_fd);
	closep(&server->watcher_fd);
	pthread_mutex_destroy(&server->lock);
	free(server);
}
