// SPDX-License-Identifier: Apache-2.0
/*
 * See machine.h. Monitors cannot all connect again, so their socket stays here while workers
 * come and go: each gets a channel of its own, as if it were a connection, and is
 * told on it all that has been said so far.
 */
#include "agent/vhost/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "agent/supervisor/tenant/tenant.h"
#include "agent/vhost/model.h"
#include "agent/vhost/update.h"
#include "agent/vhost/vhost.h"
#include "base/util.h"
#include "transport/carrier.h"

/* Between a worker's end and the next try; it doubles while workers do not live long. */
#define AGAIN_MS     20
#define AGAIN_MS_MAX 5000
#define LONG_NS	     (10 * SECOND)

/* For a worker to stop a queue; then it is ended, and the next one has as long. */
#define STOP_MS 5000

struct machine {
	struct machine *next;
	struct supervisor *supervisor;
	char *address;	       /* of its listener */
	struct config *config; /* counted; @tenant is its */
	const char *tenant;    /* whose worker it has, or had last */
	char peer[64];
	struct model model;
	struct backend backend;
	struct source monitor;
	bool changed; /* its listener has another tenant, and the worker is to end */
	bool listens; /* @monitor is in the loop */
	struct source channel;
	int64_t attached;
	struct timer again; /* when a worker is to be had */
	int64_t again_ms;
	struct timer patience; /* while a queue is to stop */
	bool impatient;	       /* a worker has been ended for that */
};

bool listener_is_for_machine(const struct listener_config *how)
{
	return device_by_scheme(how->address.carrier->scheme);
}

static struct listener *listener_of(const struct machine *machine)
{
	struct listener *listener = machine->supervisor->listeners;

	while (listener && strcmp(listener->how->address.text, machine->address))
		listener = listener->next;
	return listener;
}

/* Whose machine it is says the listener: after a reload that may be another. */
static void take_name(struct machine *machine, const struct listener *listener)
{
	struct config *before = machine->config;

	machine->config = config_ref(listener->config);
	machine->tenant = listener->how->tenant;
	machine->changed = false;
	config_unref(before);
}

static void log_machine(const struct machine *machine, vaccel_log_level_t level, const char *words)
{
	const struct about about = {.tenant = machine->tenant};

	log_line(level, &about, "%s at %s: %s", machine->peer, machine->address, words);
}

static void close_channel(struct machine *machine)
{
	if (machine->channel.fd < 0)
		return;
	loop_remove(&machine->supervisor->loop, &machine->channel);
	close_own_elsewhere(TAKE_FD(machine->channel.fd));
}

static void machine_delete(struct machine *machine)
{
	struct supervisor *supervisor = machine->supervisor;
	struct machine **at = &supervisor->machines;

	while (*at && *at != machine)
		at = &(*at)->next;
	if (*at)
		*at = machine->next;
	timer_clear(&supervisor->loop, &machine->again);
	timer_clear(&supervisor->loop, &machine->patience);
	if (machine->listens)
		loop_remove(&supervisor->loop, &machine->monitor);
	close_channel(machine);
	backend_release(&machine->backend);
	config_unref(machine->config);
	free(machine->address);
	free(machine);
}

/* What workers have left */

/* Where the memory for requests under way has what is known of a queue. */
static off_t inflight_place(const struct backend *backend, unsigned int queue)
{
	return (off_t)(backend->inflight.offset +
		       INFLIGHT_STRIDE(backend->inflight.queue_size) * queue);
}

/*
 * Where the queue goes on when all that is under way has been given back. A front end that
 * brings what is no memory could have who reads it wait.
 */
static uint16_t inflight_base(const struct backend *backend, unsigned int queue)
{
	union {
		unsigned char bytes[INFLIGHT_STRIDE(QUEUE_SIZE_MAX)];
		struct inflight_queue queue;
	} left = {{0}};
	size_t size = INFLIGHT_STRIDE(backend->inflight.queue_size);
	uint16_t base;

	if (fcntl(backend->inflight_fd, F_GET_SEALS) < 0 ||
	    pread(backend->inflight_fd, &left, size, inflight_place(backend, queue)) < 0)
		return 0;
	base = left.queue.used;
	for (uint16_t i = 0; i < backend->inflight.queue_size; i++)
		base = (uint16_t)(base + !!left.queue.entries[i].under_way);
	return base;
}

/* Telling the worker */

static void try_again(struct machine *machine)
{
	close_channel(machine);
	if (time_now() - machine->attached > LONG_NS)
		machine->again_ms = AGAIN_MS;
	timer_set(&machine->supervisor->loop, &machine->again, machine->again_ms);
	machine->again_ms = MIN_OF(2 * machine->again_ms, AGAIN_MS_MAX);
}

/*
 * A worker that cannot take it now is told all anew, later; of one that is gone is heard first
 * what it has said before.
 */
static void tell(struct machine *machine, const struct update *update, int first, int second)
{
	int channel = machine->channel.fd;
	int ret = channel >= 0 ? update_send(channel, update, first, second) : VACCEL_OK;

	if (ret == VACCEL_EAGAIN)
		try_again(machine);
	else if (ret)
		shutdown(channel, SHUT_RDWR);
}

static struct machine *machine_of(struct backend *backend)
{
	return CONTAINER_OF(backend, struct machine, backend);
}

static void tell_memory(struct backend *backend)
{
	struct machine *machine = machine_of(backend);

	for (unsigned int i = 0; i < backend->nr_regions; i++) {
		const struct update update = {
			.kind = UPDATE_REGION,
			.region = backend->regions[i].at,
		};

		tell(machine, &update, backend->regions[i].fd, -1);
	}
	if (backend->nr_regions)
		tell(machine, &(struct update){.kind = UPDATE_MEMORY}, -1, -1);
}

static void tell_inflight(struct backend *backend)
{
	const struct update update = {
		.kind = UPDATE_INFLIGHT,
		.inflight = backend->inflight,
	};

	if (backend->inflight_fd >= 0)
		tell(machine_of(backend), &update, backend->inflight_fd, -1);
}

static void tell_started(struct backend *backend, unsigned int queue, bool anew)
{
	const struct vring *ring = &backend->rings[queue];
	const struct update update = {
		.kind = UPDATE_START,
		.queue = queue,
		.size = ring->size,
		.base = ring->base,
		.enabled = ring->enabled,
		.anew = anew,
		.features = backend->features,
		.addresses = ring->addresses,
	};

	tell(machine_of(backend), &update, ring->kick, ring->call);
}

/* A queue that starts anew, or goes on from where it was stopped without a worker. */
static void tell_start(struct backend *backend, unsigned int queue)
{
	uint16_t base = backend->rings[queue].base;

	/* Not by a word to the worker, which may be gone before it has heard it. */
	if (backend->inflight_own && (!base || base != inflight_base(backend, queue)))
		memset(backend->inflight_own + inflight_place(backend, queue), 0,
		       sizeof(struct inflight_queue));
	tell_started(backend, queue, backend->rings[queue].anew);
}

static void tell_enable(struct backend *backend, unsigned int queue)
{
	const struct update update = {
		.kind = UPDATE_ENABLE,
		.queue = queue,
		.enabled = backend->rings[queue].enabled,
	};

	tell(machine_of(backend), &update, -1, -1);
}

static void tell_call(struct backend *backend, unsigned int queue)
{
	const struct update update = {.kind = UPDATE_CALL, .queue = queue};

	tell(machine_of(backend), &update, backend->rings[queue].call, -1);
}

static void tell_stop(struct backend *backend, unsigned int queue)
{
	struct machine *machine = machine_of(backend);

	tell(machine, &(struct update){.kind = UPDATE_STOP, .queue = queue}, -1, -1);
	if (!machine->patience.due)
		timer_set(&machine->supervisor->loop, &machine->patience, STOP_MS);
}

static const struct backend_events backend_events = {
	.memory = tell_memory,
	.inflight = tell_inflight,
	.start = tell_start,
	.enable = tell_enable,
	.call = tell_call,
	.stop = tell_stop,
};

/* All that has been said so far. */
static void tell_all(struct backend *backend)
{
	tell_memory(backend);
	tell_inflight(backend);
	for (unsigned int i = 0; i < backend->model->queues; i++) {
		if (backend->rings[i].started)
			tell_started(backend, i, false);
		if (backend->rings[i].stopping)
			tell_stop(backend, i);
	}
}

/* Workers */

static void hear(struct source *source, uint32_t events);

static void attach(struct machine *machine)
{
	struct listener *listener = listener_of(machine);
	struct arrival *arrival;
	int ends[2];

	take_name(machine, listener);
	if (ipc_pair(ends)) {
		log_machine(machine, VACCEL_LOG_ERROR, vaccel_error_text());
		try_again(machine);
		return;
	}
	machine->channel = (struct source){.fd = ends[0], .ready = hear};
	machine->attached = time_now();
	if (arrival_new(listener, machine->model.scheme, machine->peer, ends[1], &arrival)) {
		try_again(machine);
		return;
	}
	if (loop_add(&machine->supervisor->loop, &machine->channel, EPOLLIN)) {
		arrival_delete(arrival);
		try_again(machine);
		return;
	}
	snprintf(arrival->message.text, sizeof(arrival->message.text), "%s", machine->address);
	tenant_take(machine->supervisor, machine->tenant, arrival);
	tell_all(&machine->backend);
}

static void again_expired(struct timer *timer)
{
	attach(CONTAINER_OF(timer, struct machine, again));
}

static bool is_stopping(const struct backend *backend)
{
	for (unsigned int i = 0; i < backend->model->queues; i++)
		if (backend->rings[i].stopping)
			return true;
	return false;
}

/* What the monitor has said; it is not heard while it must wait for a queue to stop. */
static void go_on(struct machine *machine, int ret)
{
	struct loop *loop = &machine->supervisor->loop;

	if (!ret)
		ret = backend_read(&machine->backend);
	if (ret) {
		log_machine(machine, VACCEL_LOG_WARN, vaccel_error_text());
		machine_delete(machine);
		return;
	}
	if (machine->listens && backend_waits(&machine->backend)) {
		loop_remove(loop, &machine->monitor);
		machine->listens = false;
	} else if (!machine->listens && !backend_waits(&machine->backend)) {
		machine->listens = !loop_add(loop, &machine->monitor, EPOLLIN);
	}
}

static void stopped(struct machine *machine, unsigned int queue, uint16_t base)
{
	int ret = backend_stopped(&machine->backend, queue, base);

	if (!is_stopping(&machine->backend)) {
		timer_clear(&machine->supervisor->loop, &machine->patience);
		machine->impatient = false;
	}
	go_on(machine, ret);
}

/* What the worker has to say. */
static void hear(struct source *source, uint32_t events)
{
	struct machine *machine = CONTAINER_OF(source, struct machine, channel);
	int fds[UPDATE_FDS];
	struct update update;
	int ret = update_receive(source->fd, &update, fds);

	if (ret == VACCEL_EAGAIN)
		return;
	if (ret) {
		try_again(machine);
		return;
	}
	for (size_t i = 0; i < UPDATE_FDS; i++)
		close_elsewhere(fds[i]);
	if (update.kind == UPDATE_FAILED) {
		log_machine(machine, VACCEL_LOG_ERROR, update.words);
		machine_delete(machine);
	} else if (update.kind == UPDATE_STUCK) {
		log_machine(machine, VACCEL_LOG_WARN, update.words);
		tenants_end_machine(machine->supervisor, machine->address);
	} else if (update.kind == UPDATE_STOPPED && update.queue < machine->model.queues) {
		stopped(machine, update.queue, update.base);
	}
}

/* The worker is ended, and if that does not help the monitor has waited long enough. */
static void patience_expired(struct timer *timer)
{
	struct machine *machine = CONTAINER_OF(timer, struct machine, patience);
	struct backend *backend = &machine->backend;
	struct supervisor *supervisor = machine->supervisor;

	if (!machine->impatient) {
		machine->impatient = true;
		log_machine(machine, VACCEL_LOG_WARN,
			    "a queue is to stop, and a call goes on; its worker is ended");
		timer_set(&supervisor->loop, timer, STOP_MS);
		tenants_end_machine(supervisor, machine->address);
		return;
	}
	for (unsigned int i = 0; i < backend->model->queues; i++)
		if (backend->rings[i].stopping &&
		    backend_stopped(backend, i, inflight_base(backend, i)))
			break;
	machine->impatient = false;
	close_channel(machine);
	try_again(machine);
	go_on(machine, VACCEL_OK);
}

/* Monitors */

static void monitor_ready(struct source *source, uint32_t events)
{
	go_on(CONTAINER_OF(source, struct machine, monitor), VACCEL_OK);
}

static struct machine *machine_at(const struct supervisor *supervisor, const char *address)
{
	struct machine *machine = supervisor->machines;

	while (machine && strcmp(machine->address, address))
		machine = machine->next;
	return machine;
}

static struct machine *machine_new(struct listener *listener, const char *peer, int fd)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	machine->supervisor = listener->supervisor;
	machine->address = strdup(listener->how->address.text);
	take_name(machine, listener);
	strncpy(machine->peer, peer, sizeof(machine->peer) - 1);
	machine->channel.fd = -1;
	machine->monitor = (struct source){.fd = fd, .ready = monitor_ready};
	machine->again.expired = again_expired;
	machine->again_ms = AGAIN_MS;
	machine->patience.expired = patience_expired;
	if (listener->how->address.carrier == &carrier_vhost_user_blk)
		model_blk(&machine->model);
	else
		model_accel(listener->how->policy, &machine->model);
	backend_init(&machine->backend, &machine->model, &backend_events, fd);
	if (machine->address && !loop_add(&machine->supervisor->loop, &machine->monitor, EPOLLIN)) {
		machine->listens = true;
		return machine;
	}
	machine->backend.fd = -1;
	machine_delete(machine);
	return NULL;
}

void machine_take(struct listener *listener, const char *peer, int fd)
{
	struct supervisor *supervisor = listener->supervisor;
	const struct listener_config *how = listener->how;
	const struct about about = {.tenant = how->tenant};
	struct machine *machine;

	if (machine_at(supervisor, how->address.text)) {
		log_line(VACCEL_LOG_WARN, &about,
			 "%s is refused at %s: it has a machine; give each a listener of its own",
			 peer, how->address.text);
		close_own_elsewhere(fd);
		return;
	}
	machine = machine_new(listener, peer, fd);
	if (!machine) {
		log_line(VACCEL_LOG_ERROR, &about, "%s: no memory for a machine", peer);
		close_own_elsewhere(fd);
		return;
	}
	machine->next = supervisor->machines;
	supervisor->machines = machine;
	log_machine(machine, VACCEL_LOG_INFO, "has connected");
	attach(machine);
}

/* Its worker answers what it has of the machine, which has that of the other name then. */
static void change_tenant(struct machine *machine)
{
	/* Once: that name may have another worker before this one has ended. */
	if (machine->changed)
		return;
	machine->changed = true;
	log_machine(machine, VACCEL_LOG_INFO, "its listener has another tenant now");
	tenant_let_go(machine->supervisor, machine->tenant);
}

void machines_reload(struct supervisor *supervisor)
{
	struct machine *next;

	for (struct machine *machine = supervisor->machines; machine; machine = next) {
		const struct listener *listener = listener_of(machine);

		next = machine->next;
		if (!listener)
			machine_delete(machine);
		else if (machine->channel.fd >= 0 && strcmp(machine->tenant, listener->how->tenant))
			change_tenant(machine);
	}
}

void machines_close(struct supervisor *supervisor)
{
	while (supervisor->machines)
		machine_delete(supervisor->machines);
}
