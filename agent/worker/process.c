// SPDX-License-Identifier: Apache-2.0
/*
 * The main thread of a worker's process: starts, then acts on what the supervisor
 * says and watches the threads that serve. The supervisor's end is this process's
 * end, too: nobody else would ever stop it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/error.h>

#include "agent/base/ipc.h"
#include "agent/vhost/vhost.h"
#include "agent/worker/machines.h"
#include "agent/worker/resource/models.h"
#include "agent/worker/server.h"
#include "agent/worker/start.h"
#include "base/util.h"
#include "transport/carrier.h"
#include "transport/tls.h"

/* Connections that have not yet said who they are, beyond those that the policy permits. */
#define CONNECTIONS_SPARE 256

struct listener {
	struct listener *next;
	uint32_t number;
	struct listener_setup setup;
	struct tls *tls; /* NULL: none to do */
};

struct process {
	struct worker worker;
	struct machine *machines;
	struct server *server;
	struct listener *listeners; /* the newest first; connections point into their setups */
};

static struct about about(const struct process *process)
{
	return (struct about){.tenant = process->worker.setup.tenant};
}

static void listener_delete(struct listener *listener)
{
	tls_delete(listener->tls);
	listener_setup_release(&listener->setup);
	free(listener);
}

static int add_listener(struct process *process, uint32_t number, int fd)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	struct tls_pem pem;
	int ret;

	if (!listener)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a listener");
	listener->number = number;
	ret = listener_setup_read(fd, &listener->setup);
	pem = (struct tls_pem){listener->setup.cert, listener->setup.key,
			       listener->setup.client_ca};
	if (!ret && pem.cert)
		ret = tls_server_new(&pem, false, &listener->tls);
	if (ret) {
		listener_delete(listener);
		return ret;
	}
	listener->next = process->listeners;
	process->listeners = listener;
	return VACCEL_OK;
}

static const struct listener *find_listener(const struct process *process, uint32_t number)
{
	const struct listener *listener = process->listeners;

	while (listener && listener->number != number)
		listener = listener->next;
	return listener;
}

/* Takes the descriptor; -1: the kernel had no number left for it, and has closed it. */
static int add_connection(struct process *process, const struct ipc_message *message, int fd)
{
	const struct carrier *carrier = carrier_by_scheme(message->carrier);
	const struct listener *listener = find_listener(process, message->listener);
	struct worker *worker = &process->worker;
	struct connection *connection;
	struct link *link;
	int ret;

	if (fd < 0) {
		count_refusal(worker, REFUSED_QUOTA);
		return vaccel_fail(VACCEL_EDQUOT, "no descriptor left for a connection; raise the "
						  "limit of open files");
	}
	if (message->listener && !listener) {
		close(fd);
		count_refusal(worker, REFUSED_AUTH);
		return vaccel_fail(VACCEL_EACCES,
				   "came by a listener of which this worker knows nothing");
	}
	if (device_by_scheme(message->carrier))
		return machines_add(&process->machines, worker, message,
				    listener ? &listener->setup : NULL, fd);
	if (!carrier || atomic_load(&worker->stats->connections) >
				worker->setup.policy.connections + CONNECTIONS_SPARE) {
		close(fd);
		count_refusal(worker, REFUSED_QUOTA);
		return vaccel_fail(VACCEL_EDQUOT, "there are too many connections");
	}
	ret = link_adopt(carrier, fd, listener ? listener->tls : NULL, &link);
	if (!ret)
		ret = connection_new(worker, link, message->peer,
				     listener ? &listener->setup : NULL, &connection);
	if (!ret)
		server_add(process->server, connection);
	return ret;
}

static int act(struct process *process, const struct ipc_message *message, int fd)
{
	_cleanup_(closep) int passed = fd;

	switch (message->kind) {
	case IPC_LISTENER:
		return add_listener(process, message->listener, passed);
	case IPC_CONNECTION:
		return add_connection(process, message, TAKE_FD(passed));
	case IPC_ALIVE:
		ipc_live(IPC_FD);
		return VACCEL_OK;
	case IPC_DRAIN:
		atomic_store(&process->worker.draining, true);
		return VACCEL_OK;
	default:
		return vaccel_fail(VACCEL_EINVAL, "the supervisor says %" PRIu32, message->kind);
	}
}

/*
 * All that the supervisor has said. False: it is gone; or a listener's token and key did
 * not arrive, which it sends once, and to the next process again.
 */
static bool listen_to_supervisor(struct process *process)
{
	const struct about tenant = about(process);
	struct ipc_message message;
	int fd, ret;

	while (!(ret = ipc_receive(IPC_FD, false, &message, &fd))) {
		if (!act(process, &message, fd))
			continue;
		if (message.kind == IPC_LISTENER) {
			log_line(VACCEL_LOG_ERROR, &tenant,
				 "cannot know what a listener asks for, and ends: %s",
				 vaccel_error_text());
			return false;
		}
		log_line(VACCEL_LOG_WARN, &tenant, "%s: %s", message.peer, vaccel_error_text());
	}
	return ret == VACCEL_EAGAIN;
}

/* Where calls have a deadline, somebody who can end this process must watch the clock. */
static void ask_for_watch(struct process *process)
{
	struct worker *worker = &process->worker;
	const struct ipc_message message = {.kind = IPC_BUSY};

	if (!worker->setup.policy.deadline_ms || !server_is_busy(process->server) ||
	    atomic_exchange(&worker->stats->watched, 1))
		return;
	if (ipc_send(IPC_FD, &message, -1))
		atomic_store(&worker->stats->watched, 0);
}

/* True: all that was asked is answered, and nothing more is to come. */
static bool drain(struct process *process)
{
	bool left = machines_drop(&process->machines);
	bool answered;

	if (!atomic_load(&process->worker.draining))
		return false;
	answered = server_drain(process->server);
	if (answered)
		machines_drain(process->machines);
	return answered && left;
}

static void serve(struct process *process)
{
	struct pollfd fds[] = {
		{.fd = IPC_FD, .events = POLLIN},
		{.fd = server_fd(process->server), .events = POLLIN},
	};

	for (;;) {
		int timeout = server_watch(process->server);

		ask_for_watch(process);
		if (drain(process))
			return;
		if (poll(fds, ARRAY_SIZE(fds), timeout) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && !listen_to_supervisor(process))
			_exit(EXIT_FAILURE);
	}
}

static int start(struct process *process)
{
	struct worker_setup setup;
	struct stats *stats;
	int ret = ipc_receive_setup(IPC_FD, &setup);

	if (ret)
		return ret;
	log_open_child(&setup.log);
	ret = stats_map(STATS_FD, true, &stats);
	if (ret) {
		worker_setup_release(&setup);
		return ret;
	}
	tls_prepare();
	ret = worker_init(&process->worker, &setup, stats);
	if (!ret)
		ret = start_plugins(&process->worker);
	if (!ret)
		ret = start_sandbox(&process->worker);
	if (ret)
		return ret;
	models_load(&process->worker);
	return server_new(&process->worker, &process->server);
}

/* The kernel and the next start clean up what is left after a failure. */
int worker_main(void)
{
	static struct process process;
	int ret = start(&process);

	ipc_report(IPC_FD, ret);
	if (ret)
		return EXIT_FAILURE;
	serve(&process);
	server_delete(process.server);
	models_release(&process.worker);
	while (process.listeners) {
		struct listener *listener = process.listeners;

		process.listeners = listener->next;
		listener_delete(listener);
	}
	vaccel_cleanup();
	stats_unmap(process.worker.stats);
	worker_release(&process.worker);
	return EXIT_SUCCESS;
}
