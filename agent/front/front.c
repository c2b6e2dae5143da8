// SPDX-License-Identifier: Apache-2.0
/*
 * The front's process: hears of listeners and connections from the supervisor, and
 * lets passages go on as epoll says. One thread does it all: none of it waits.
 */
#include "agent/front/front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/front/passage.h"
#include "agent/sandbox/sandbox.h"
#include "base/util.h"
#include "transport/tls.h"

#define EVENTS 64

void front_refuse(struct front *front, const char *peer, enum refusal reason)
{
	if (front->stats)
		atomic_fetch_add_explicit(&front->stats->refused[reason], 1, memory_order_relaxed);
	refusals_line(&front->refusals, NULL, peer, vaccel_error_text());
}

static struct gate **find_gate(struct front *front, uint32_t number)
{
	struct gate **at = &front->gates;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

static void remove_gate(struct front *front, struct gate **at)
{
	struct gate *gate = *at;

	passages_end_half_open(front, gate, true);
	*at = gate->next;
	tls_delete(gate->tls);
	free(gate);
}

/* Without a descriptor, the listener is closed. */
static int take_listener(struct front *front, uint32_t number, int fd)
{
	struct gate **at = find_gate(front, number);
	struct listener_setup setup;
	struct tls_pem pem;
	struct gate *gate;
	int ret;

	if (*at && fd < 0)
		remove_gate(front, at);
	if (*at || fd < 0)
		return VACCEL_OK;
	gate = calloc(1, sizeof(*gate));
	if (!gate)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a listener");
	ret = listener_setup_read(fd, &setup);
	if (!ret) {
		pem = (struct tls_pem){setup.cert, setup.key, setup.client_ca};
		ret = tls_server_new(&pem, true, &gate->tls);
		listener_setup_release(&setup);
	}
	if (ret) {
		free(gate);
		return ret;
	}
	gate->number = number;
	*at = gate;
	return VACCEL_OK;
}

/* Takes the descriptor. */
static int take_connection(struct front *front, const struct ipc_message *message, int fd)
{
	struct gate *gate = *find_gate(front, message->listener);

	if (gate && fd >= 0 && !front->draining)
		return passage_new(front, gate, message, fd);
	closep(&fd);
	return VACCEL_OK;
}

/* VACCEL_EAGAIN: it says nothing now. VACCEL_EREMOTEIO: it is gone. */
static int hear(struct front *front)
{
	_cleanup_(closep) int fd = -1;
	struct ipc_message message;
	int ret = ipc_receive(front->ipc, false, &message, &fd);

	if (ret)
		return ret;
	if (message.kind == IPC_LISTENER) {
		ret = take_listener(front, message.listener, fd);
	} else if (message.kind == IPC_CONNECTION) {
		ret = take_connection(front, &message, TAKE_FD(fd));
	} else if (message.kind == IPC_ALIVE) {
		ipc_live(front->ipc);
	} else if (message.kind == IPC_DRAIN) {
		front->draining = true;
		passages_end_half_open(front, NULL, true);
	}
	if (ret)
		log_line(VACCEL_LOG_ERROR, NULL, "front: %s", vaccel_error_text());
	return VACCEL_OK;
}

/* As much as there may be of other things to do, lest new connections wait for all those before. */
static int hear_all(struct front *front)
{
	int ret = VACCEL_OK;

	for (int i = 0; !ret && i < EVENTS; i++)
		ret = hear(front);
	return ret == VACCEL_EAGAIN ? VACCEL_OK : ret;
}

static void show_half_open(const struct front *front)
{
	uint64_t half_open = 0;

	for (const struct gate *gate = front->gates; gate; gate = gate->next)
		half_open += gate->half_open;
	if (front->stats)
		atomic_store_explicit(&front->stats->strangers, half_open, memory_order_relaxed);
}

/* For how long there is nothing to do of itself, in ms; -1: for ever. */
static int expire(struct front *front)
{
	int passages = passages_expire(front);
	int lines = refusals_tell(&front->refusals, NULL);

	return lines < 0 ? passages : passages < 0 ? lines : MIN_OF(passages, lines);
}

int front_serve(struct front *front)
{
	int ret = VACCEL_OK;

	while (!ret && !(front->draining && !front->passages)) {
		struct epoll_event events[EVENTS];
		int patience = expire(front);
		int nr;

		passages_bury(front);
		show_half_open(front);
		nr = epoll_wait(front->epoll, events, EVENTS, patience);
		if (nr < 0 && errno != EINTR)
			return vaccel_fail(VACCEL_EIO, "cannot wait: %s", strerror(errno));
		for (int i = 0; i < nr; i++)
			if (events[i].data.ptr)
				passage_ready(events[i].data.ptr, events[i].events);
			else
				ret = hear_all(front);
	}
	return ret;
}

int front_open(struct front *front, int ipc)
{
	struct epoll_event event = {.events = EPOLLIN};

	*front = (struct front){
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.ipc = ipc,
		.greeting.patience_ns = TLS_HANDSHAKE_NS,
		.leaving.patience_ns = LEAVING_NS,
	};
	if (front->epoll < 0 || epoll_ctl(front->epoll, EPOLL_CTL_ADD, ipc, &event))
		return vaccel_fail(errno, "no epoll: %s", strerror(errno));
	return VACCEL_OK;
}

void front_close(struct front *front)
{
	passages_bury(front);
	while (front->gates)
		remove_gate(front, &front->gates);
	close(front->epoll);
}

static int set_up(struct front *front)
{
	_cleanup_(freep) char *missing = NULL;
	struct sandbox sandbox = {.role = SANDBOX_FRONT};
	struct worker_setup setup;
	int ret = front_open(front, IPC_FD);

	if (!ret)
		ret = ipc_receive_setup(IPC_FD, &setup);
	if (ret)
		return ret;
	log_open_child(&setup.log);
	worker_setup_release(&setup);
	if (stats_map(STATS_FD, true, &front->stats))
		front->stats = NULL;
	tls_prepare();
	ret = sandbox_enter(&sandbox, &missing);
	if (!ret && missing)
		log_line(VACCEL_LOG_WARN, NULL, "the front's sandbox lacks: %s", missing);
	return ret;
}

/* The kernel cleans up. */
int front_main(void)
{
	static struct front front;
	int ret = set_up(&front);

	ipc_report(IPC_FD, ret);
	if (!ret)
		ret = front_serve(&front);
	return !ret || ret == VACCEL_EREMOTEIO ? EXIT_SUCCESS : EXIT_FAILURE;
}
