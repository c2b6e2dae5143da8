// SPDX-License-Identifier: Apache-2.0
/*
 * Workers from outside. One is told all that it must know in a memory file, gets
 * connections once it says that it is ready, and ends by being asked to or by
 * dying; service.c decides what comes after.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/tenant/tenant.h"
#include "base/util.h"

#define START_MS 300000 /* until plugins and models must be loaded */

/* Beyond what a worker counts as content: folders, and what file systems need themselves. */
#define CONTENT_SPARE (UINT64_C(16) << 20)

static int make_epoch(uint64_t *ret_epoch)
{
	do {
		if (getrandom(ret_epoch, sizeof(*ret_epoch), 0) != sizeof(*ret_epoch))
			return vaccel_fail(errno, "no random number: %s", strerror(errno));
	} while (!*ret_epoch);
	return VACCEL_OK;
}

/* All but what is the worker's own. */
static struct worker_setup rules_of(const struct tenant *tenant, const struct config *config,
				    const struct policy *policy)
{
	return (struct worker_setup){
		.tenant = tenant->name,
		.policy = *policy,
		.models = config->models,
		.log = config->log,
	};
}

bool worker_rules_are_same(const struct tenant *tenant, const struct policy *policy)
{
	struct worker_setup before = rules_of(tenant, tenant->config, tenant->policy);
	struct worker_setup now = rules_of(tenant, tenant->supervisor->config, policy);
	_cleanup_(closep) int before_fd = -1;
	_cleanup_(closep) int now_fd = -1;

	return !worker_setup_write(&before, &before_fd) && !worker_setup_write(&now, &now_fd) &&
	       setup_is_same(before_fd, now_fd);
}

/* The first message. */
static int send_setup(struct worker *worker)
{
	const struct tenant *tenant = worker->tenant;
	struct worker_setup setup = rules_of(tenant, tenant->config, tenant->policy);
	_cleanup_(closep) int fd = -1;
	int ret;

	setup.epoch = worker->epoch;
	setup.directory = worker->directory;
	memcpy(setup.fates, tenant->fates, sizeof(setup.fates));
	ret = worker_setup_write(&setup, &fd);
	return ret ? ret : child_tell(&worker->child, IPC_SETUP, fd);
}

static void become_ready(struct worker *worker)
{
	worker->ready = true;
	if (worker->leaving)
		return;
	timer_clear(worker->child.loop, &worker->patience);
	tenant_worker_ready(worker);
}

static void worker_said(struct child *child, const struct ipc_message *message, int *fd)
{
	struct worker *worker = CONTAINER_OF(child, struct worker, child);

	if (message->kind == IPC_FAILED && !worker->ready)
		memcpy(worker->failed, message->text, sizeof(worker->failed));
	else if (message->kind == IPC_READY && !worker->ready)
		become_ready(worker);
	else if (message->kind == IPC_BUSY)
		tenant_worker_busy(worker);
}

static void worker_writable(struct child *child)
{
	struct worker *worker = CONTAINER_OF(child, struct worker, child);

	if (!worker->leaving)
		tenant_worker_ready(worker);
}

static void worker_ended(struct child *child, int status, const struct rusage *usage)
{
	tenant_worker_ended(CONTAINER_OF(child, struct worker, child), status, usage);
}

static bool worker_is_needed(const struct child *child)
{
	const struct worker *worker = CONTAINER_OF(child, const struct worker, child);
	const struct tenant *tenant = worker->tenant;

	return !worker->leaving &&
	       (tenant->waiting || atomic_load(&tenant->tally.stats->connections));
}

static void patience_expired(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, patience);
	struct about about = {.tenant = worker->tenant->name};

	log_line(VACCEL_LOG_WARN, &about, "worker %ld does not %s in time, and is killed",
		 (long)worker->child.pid, worker->leaving ? "end" : "become ready");
	child_kill(&worker->child);
}

static uint64_t most_of(const struct policy *policy)
{
	uint64_t spare = policy->content / 8 + CONTENT_SPARE;

	return policy->content > UINT64_MAX - spare ? UINT64_MAX : policy->content + spare;
}

int worker_start(struct tenant *tenant)
{
	static const struct child_events events = {worker_said, worker_writable, worker_ended,
						   worker_is_needed};
	struct worker *worker = calloc(1, sizeof(*worker));
	char role[TENANT_NAME_MAX + 16];
	int ret;

	if (!worker)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a worker");
	*worker = (struct worker){
		.tenant = tenant,
		.tally.fd = -1,
		.started = time_now(),
		.patience.expired = patience_expired,
		.child.events = &events,
	};
	snprintf(role, sizeof(role), "worker %s", tenant->name);
	ret = make_epoch(&worker->epoch);
	if (!ret && !tenant->directory)
		ret = directory_new(&tenant->supervisor->directory, tenant->name,
				    &tenant->directory);
	if (!ret)
		ret = surveyor_add(tenant->supervisor->surveyor, tenant->directory,
				   most_of(tenant->policy), &worker->survey);
	if (!ret)
		ret = child_start(&worker->child, &tenant->supervisor->loop, role, tenant->name,
				  tenant->directory, tenant->tally.fd);
	if (ret) {
		surveyor_drop(tenant->supervisor->surveyor, worker->survey);
		free(worker);
		return ret;
	}
	worker->config = config_ref(tenant->config);
	worker->policy = tenant->policy;
	worker->directory = TAKE(tenant->directory);
	tenant->worker = worker;
	timer_set(worker->child.loop, &worker->patience, START_MS);
	/* If it cannot hear this it is about to end. */
	send_setup(worker);
	return VACCEL_OK;
}

static int tell_listener(struct worker *worker, const struct listener *listener)
{
	struct ipc_message message = {.kind = IPC_LISTENER, .listener = listener->number};
	uint32_t *told;
	int ret;

	for (size_t i = 0; i < worker->nr_told; i++)
		if (worker->told[i] == listener->number)
			return VACCEL_OK;
	told = reallocarray(worker->told, worker->nr_told + 1, sizeof(*told));
	if (!told)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a listener's number");
	worker->told = told;
	ret = ipc_send(worker->child.ipc.fd, &message, listener->setup);
	if (!ret)
		told[worker->nr_told++] = listener->number;
	return ret;
}

bool worker_has_had(const struct worker *worker, const char *machine)
{
	for (size_t i = 0; i < worker->nr_machines; i++)
		if (!strcmp(worker->machines[i], machine))
			return true;
	return false;
}

static int note_machine(struct worker *worker, const char *machine)
{
	char **machines;

	if (worker_has_had(worker, machine))
		return VACCEL_OK;
	machines = reallocarray(worker->machines, worker->nr_machines + 1, sizeof(*machines));
	if (machines) {
		worker->machines = machines;
		machines[worker->nr_machines] = strdup(machine);
	}
	if (!machines || !machines[worker->nr_machines])
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a machine's address");
	worker->nr_machines++;
	return VACCEL_OK;
}

int worker_pass(struct worker *worker, const struct arrival *arrival)
{
	const struct listener *listener = arrival->listener;
	struct ipc_message message = arrival->message;
	int ret = VACCEL_OK;

	if (worker->child.ipc.fd < 0)
		return VACCEL_EREMOTEIO;
	/* Where the front does TLS, no tenant's process needs the key. */
	if (listener->setup >= 0 && !listener_is_relayed(listener->how))
		ret = tell_listener(worker, listener);
	else
		message.listener = 0;
	if (!ret && message.text[0])
		ret = note_machine(worker, message.text);
	return ret ? ret : ipc_send(worker->child.ipc.fd, &message, arrival->fd);
}

void worker_drain(struct worker *worker)
{
	struct tenant *tenant = worker->tenant;

	if (worker->leaving)
		return;
	worker->leaving = true;
	timer_set(worker->child.loop, &worker->patience, tenant->config->drain_ms);
	if (child_tell(&worker->child, IPC_DRAIN, -1))
		child_kill(&worker->child);
}

void worker_delete(struct worker *worker)
{
	timer_clear(worker->child.loop, &worker->patience);
	child_release(&worker->child);
	surveyor_drop(worker->tenant->supervisor->surveyor, worker->survey);
	directory_remove(&worker->tenant->supervisor->directory, worker->directory);
	tally_release(&worker->tally);
	config_unref(worker->config);
	free(worker->told);
	while (worker->nr_machines)
		free(worker->machines[--worker->nr_machines]);
	free(worker->machines);
	free(worker);
}
