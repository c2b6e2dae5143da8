// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of a tenant's worker. One is started when a connection comes and again
 * when it has died with clients, after a pause only for those that have come back;
 * connections wait while there is none that is ready. How the last ones died is told
 * to the next, which tells it to the clients that come back.
 */
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/tenant/fate.h"
#include "agent/supervisor/tenant/service.h"
#include "base/util.h"

#define YOUNG_NS   (10 * SECOND) /* a worker that dies sooner is started more slowly */
#define SLOWEST_MS 800		 /* between a death and the next start */
#define OVERRUN_MS 1000		 /* past the deadline until a worker is killed */

static struct about about(const struct tenant *tenant)
{
	return (struct about){.tenant = tenant->name};
}

/* The monitor */

void service_show(struct tenant *tenant)
{
	const struct worker *worker = tenant->worker;
	struct ipc_message message = {.kind = IPC_STATS, .pid = worker ? worker->child.pid : 0};

	strncpy(message.peer, tenant->name, sizeof(message.peer) - 1);
	strncpy(message.text, tenant->policy->name, sizeof(message.text) - 1);
	/* Where it fails the monitor is on its way out, and is told all when it is back. */
	helper_tell(&tenant->supervisor->monitor, &message, tenant->tally.fd);
}

static void tell_monitor_gone(struct tenant *tenant, const char *how)
{
	struct ipc_message message = {.kind = IPC_GONE};

	strncpy(message.peer, tenant->name, sizeof(message.peer) - 1);
	strncpy(message.text, how, sizeof(message.text) - 1);
	helper_tell(&tenant->supervisor->monitor, &message, -1);
}

/* Connections that wait */

void service_wait(struct tenant *tenant, struct arrival *arrival)
{
	arrival->next = NULL;
	*tenant->waiting_end = arrival;
	tenant->waiting_end = &arrival->next;
	tenant->nr_waiting++;
}

static struct arrival *dequeue(struct tenant *tenant)
{
	struct arrival *first = tenant->waiting;

	tenant->waiting = first->next;
	if (!tenant->waiting)
		tenant->waiting_end = &tenant->waiting;
	tenant->nr_waiting--;
	return first;
}

static void drop_waiting(struct tenant *tenant)
{
	while (tenant->waiting)
		arrival_delete(dequeue(tenant));
}

/* Workers */

void service_start(struct tenant *tenant)
{
	struct about whom = about(tenant);

	if (tenant->worker || tenant->restart.due || tenant->supervisor->stopping)
		return;
	if (worker_start(tenant)) {
		log_line(VACCEL_LOG_ERROR, &whom, "no worker: %s", vaccel_error_text());
		drop_waiting(tenant);
		return;
	}
	log_line(VACCEL_LOG_INFO, &whom, "worker %ld started with policy '%s'",
		 (long)tenant->worker->child.pid, tenant->policy->name);
	service_show(tenant);
}

static void restart_expired(struct timer *timer)
{
	struct tenant *tenant = CONTAINER_OF(timer, struct tenant, restart);

	if (tenant->waiting)
		service_start(tenant);
}

/* A machine that another worker may still give something back to is to come again. */
static int pass_first(struct tenant *tenant)
{
	const char *machine = tenant->waiting->message.text;
	int ret = VACCEL_OK;

	if (!machine[0] || !tenants_hold_machine(tenant->supervisor, machine, tenant->worker)) {
		ret = worker_pass(tenant->worker, tenant->waiting);
		tenant->passed += !ret;
	}
	if (!ret)
		arrival_delete(dequeue(tenant));
	return ret;
}

/* Until it takes no more, or none wait. */
void service_pass_waiting(struct tenant *tenant)
{
	int ret = VACCEL_OK;

	while (tenant->waiting && !ret)
		ret = pass_first(tenant);
	child_watch(&tenant->worker->child);
	/* One that is gone will soon be known to have ended. */
	if (ret == VACCEL_EAGAIN)
		child_want_room(&tenant->worker->child);
}

void tenant_worker_ready(struct worker *worker)
{
	struct tenant *tenant = worker->tenant;

	if (tenant->policy->worker_idle_ms && !tenant->rest.due) {
		tenant->was_idle = false;
		timer_set(&tenant->supervisor->loop, &tenant->rest, tenant->policy->worker_idle_ms);
	}
	service_pass_waiting(tenant);
}

static void stop_watching(struct tenant *tenant)
{
	timer_clear(&tenant->supervisor->loop, &tenant->rest);
	timer_clear(&tenant->supervisor->loop, &tenant->deadline);
}

void service_let_go(struct tenant *tenant)
{
	struct worker *worker = tenant->worker;
	struct about whom = about(tenant);

	if (!worker)
		return;
	if (tally_part(&tenant->tally, &worker->tally)) {
		/* It must not count on in the next one's. */
		log_line(VACCEL_LOG_ERROR, &whom,
			 "worker %ld cannot end in peace, and is killed: %s",
			 (long)worker->child.pid, vaccel_error_text());
		child_kill(&worker->child);
		return;
	}
	service_show(tenant);
	tenant->worker = NULL;
	worker->next = tenant->leaving;
	tenant->leaving = worker;
	stop_watching(tenant);
	tell_monitor_gone(tenant, "");
	worker_drain(worker);
}

static void rest_expired(struct timer *timer)
{
	struct tenant *tenant = CONTAINER_OF(timer, struct tenant, rest);
	struct about whom = about(tenant);
	bool idle = !tenant->waiting && tenant->passed == tenant->passed_before &&
		    !atomic_load(&tenant->tally.stats->connections);

	if (idle && tenant->was_idle) {
		log_line(VACCEL_LOG_INFO, &whom, "worker %ld is idle, and is to end",
			 (long)tenant->worker->child.pid);
		service_let_go(tenant);
		return;
	}
	tenant->was_idle = idle;
	tenant->passed_before = tenant->passed;
	timer_set(&tenant->supervisor->loop, timer, tenant->policy->worker_idle_ms);
}

/* The deadline of calls */

/* When the call that has run longest began, 0 if there is none; and what it is. */
static int64_t longest_running(const struct stats *stats, uint32_t *ret_op)
{
	int64_t longest = 0;

	for (size_t i = 0; i < STATS_RUNNING; i++) {
		int64_t since = atomic_load(&stats->running[i].since);

		if (since <= 0 || (longest && since >= longest))
			continue;
		longest = since;
		*ret_op = atomic_load(&stats->running[i].op);
	}
	return longest;
}

static void watch_calls(struct tenant *tenant)
{
	struct stats *stats = tenant->tally.stats;
	int64_t most = ((int64_t)tenant->policy->deadline_ms + OVERRUN_MS) * MILLISECOND;
	int64_t now, left;
	uint32_t op = 0;
	int64_t since = longest_running(stats, &op);

	if (!since) {
		/* A call that began before it could see this is seen now; a later one says so. */
		atomic_store(&stats->watched, 0);
		since = longest_running(stats, &op);
		if (!since)
			return;
		atomic_store(&stats->watched, 1);
	}
	/* Whatever the worker has written there, it is looked at in time. */
	now = time_now();
	left = MIN_OF(since, now) + most - now;
	if (left > 0) {
		timer_set(&tenant->supervisor->loop, &tenant->deadline, left / MILLISECOND + 1);
		return;
	}
	tenant->worker->overran = op ? op : UINT32_MAX;
	child_kill(&tenant->worker->child);
}

static void deadline_expired(struct timer *timer)
{
	watch_calls(CONTAINER_OF(timer, struct tenant, deadline));
}

void tenant_worker_busy(struct worker *worker)
{
	struct tenant *tenant = worker->tenant;

	if (tenant->worker == worker && !worker->leaving && tenant->policy->deadline_ms &&
	    !tenant->deadline.due)
		watch_calls(tenant);
}

/* Too much in its directory */

static bool has_exceeded(const struct worker *worker)
{
	return !worker->exceeded &&
	       surveyor_found(worker->tenant->supervisor->surveyor, worker->survey);
}

static void look_at_directory(struct worker *worker)
{
	if (!has_exceeded(worker))
		return;
	worker->exceeded = true;
	child_kill(&worker->child);
}

void service_look_at_directory(struct tenant *tenant)
{
	if (tenant->worker)
		look_at_directory(tenant->worker);
	for (struct worker *worker = tenant->leaving; worker; worker = worker->next)
		look_at_directory(worker);
}

/*
 * The next worker has the contents, unless it is there already; or there was too much: nobody
 * knows what of it is worth keeping, and clients bring their contents again.
 */
static void leave_directory(struct tenant *tenant, struct worker *worker)
{
	bool is_followed = tenant->worker && tenant->worker != worker;

	if (!worker->exceeded && !is_followed && !tenant->directory)
		tenant->directory = TAKE(worker->directory);
}

/* The end of a worker */

static void remember(struct tenant *tenant, const struct fate *fate)
{
	tenant->fates[tenant->nr_fates++ % FATES_MAX] = *fate;
}

static void schedule_restart(struct tenant *tenant, const struct worker *worker)
{
	bool young = !worker->ready || time_now() - worker->started < YOUNG_NS;
	unsigned int failures = young ? ++tenant->failures : (tenant->failures = 0);

	if (failures > 1)
		timer_set(&tenant->supervisor->loop, &tenant->restart,
			  MIN_OF(50 << MIN_OF(failures, 10U), SLOWEST_MS));
}

/* It is gone, and nothing is under way. */
static void forget_worker(struct tenant *tenant)
{
	stop_watching(tenant);
	tally_settle(&tenant->tally);
	tenant->worker = NULL;
}

static void replace_worker(struct tenant *tenant, struct worker *worker, const struct fate *fate)
{
	struct about whom = about(tenant);
	bool wanted = atomic_load(&tenant->tally.stats->connections) || tenant->waiting;

	/* Where nobody is there the next client has it replaced. */
	atomic_fetch_add(&tenant->tally.stats->restarts, 1);
	log_line(VACCEL_LOG_ERROR, &whom, "%s", fate->text);
	remember(tenant, fate);
	forget_worker(tenant);
	if (!worker->ready)
		/* Clients shall hear of it rather than wait; they come again. */
		drop_waiting(tenant);
	schedule_restart(tenant, worker);
	tell_monitor_gone(tenant, fate->text);
	if (wanted && worker->ready)
		service_start(tenant);
}

static void forget_leaving(struct tenant *tenant, struct worker *worker)
{
	struct worker **at = &tenant->leaving;

	while (*at && *at != worker)
		at = &(*at)->next;
	if (*at)
		*at = worker->next;
}

void tenant_worker_ended(struct worker *worker, int status, const struct rusage *usage)
{
	struct tenant *tenant = worker->tenant;
	struct supervisor *supervisor = tenant->supervisor;
	struct tally *tally = worker->tally.fd >= 0 ? &worker->tally : &tenant->tally;
	struct about whom = about(tenant);
	struct fate fate = fate_of(&(struct ending){
		.epoch = worker->epoch,
		.status = status,
		.usage = usage,
		.policy = worker->policy,
		.stats = tally->stats,
		.overran = worker->overran,
		.frozen = worker->child.frozen,
		.exceeded = worker->exceeded,
		.failed = worker->failed,
	});

	leave_directory(tenant, worker);
	if (worker->leaving || worker != tenant->worker) {
		log_line(status ? VACCEL_LOG_WARN : VACCEL_LOG_INFO, &whom, "%s",
			 status ? fate.text : "worker ended");
		if (status)
			remember(tenant, &fate);
		forget_leaving(tenant, worker);
		if (worker == tenant->worker)
			forget_worker(tenant);
		else
			tally_join(&tenant->tally, &worker->tally);
		/* They had to wait for its end if it could not be parted from. */
		if (tenant->waiting)
			service_start(tenant);
	} else {
		replace_worker(tenant, worker, &fate);
	}
	worker_delete(worker);
	supervisor_step(supervisor);
}

void service_init(struct tenant *tenant)
{
	tenant->waiting_end = &tenant->waiting;
	tenant->restart.expired = restart_expired;
	tenant->rest.expired = rest_expired;
	tenant->deadline.expired = deadline_expired;
}

void service_give_up(struct tenant *tenant)
{
	drop_waiting(tenant);
	service_let_go(tenant);
}

void service_stop(struct tenant *tenant)
{
	stop_watching(tenant);
	timer_clear(&tenant->supervisor->loop, &tenant->restart);
	drop_waiting(tenant);
	if (tenant->worker)
		worker_drain(tenant->worker);
}

void service_end(struct tenant *tenant)
{
	stop_watching(tenant);
	timer_clear(&tenant->supervisor->loop, &tenant->restart);
	drop_waiting(tenant);
	if (tenant->worker)
		worker_delete(TAKE(tenant->worker));
	while (tenant->leaving) {
		struct worker *worker = tenant->leaving;

		tenant->leaving = worker->next;
		worker_delete(worker);
	}
}
