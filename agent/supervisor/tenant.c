// SPDX-License-Identifier: Apache-2.0
/*
 * Tenants and what becomes of their workers. A worker is started when a connection
 * comes and again when it has died with clients; connections wait while there is
 * none that is ready. How the last ones died is told to the next, which tells it
 * to the clients that come back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/fate.h"
#include "agent/supervisor/tenant.h"
#include "base/util.h"

#define TENANTS_MAX  1024
#define NS_PER_MS    INT64_C(1000000)
#define NS_PER_S     INT64_C(1000000000)
#define YOUNG_NS     (10 * NS_PER_S) /* a worker that dies sooner is started more slowly */
#define SLOWEST_MS   1000	     /* between a death and the next start */
#define OVERRUN_MS   1000	     /* past the deadline until a worker is killed */
#define COMPLAINT_NS NS_PER_S	     /* between lines on refused connections */

static struct about about(const struct tenant *tenant)
{
	return (struct about){.tenant = tenant->name};
}

static bool is_stopping(const struct tenant *tenant)
{
	return tenant->supervisor->stopping;
}

/* The monitor */

static void tell_monitor(struct tenant *tenant)
{
	const struct worker *worker = tenant->worker;
	struct ipc_message message = {.kind = IPC_STATS, .pid = worker->child.pid};

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

void tenants_brief_monitor(struct supervisor *supervisor)
{
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next)
		if (tenant->worker)
			tell_monitor(tenant);
}

/* Connections that wait */

static void enqueue(struct tenant *tenant, struct arrival *arrival)
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

static void start_worker(struct tenant *tenant)
{
	struct about whom = about(tenant);

	if (tenant->worker || tenant->restart.due || is_stopping(tenant))
		return;
	if (worker_start(tenant)) {
		log_line(VACCEL_LOG_ERROR, &whom, "no worker: %s", vaccel_error_text());
		drop_waiting(tenant);
		return;
	}
	log_line(VACCEL_LOG_INFO, &whom, "worker %ld started with policy '%s'",
		 (long)tenant->worker->child.pid, tenant->policy->name);
	tell_monitor(tenant);
}

static void restart_expired(struct timer *timer)
{
	start_worker(CONTAINER_OF(timer, struct tenant, restart));
}

/* Until it takes no more, or none wait. */
static void pass_waiting(struct tenant *tenant)
{
	int ret = VACCEL_OK;

	while (tenant->waiting && !ret) {
		struct arrival *arrival = dequeue(tenant);
		struct arrival *rest = tenant->waiting;

		ret = worker_pass(tenant->worker, arrival);
		if (!ret) {
			tenant->passed++;
			continue;
		}
		/* Back to its place. */
		arrival->next = rest;
		tenant->waiting = arrival;
		if (!rest)
			tenant->waiting_end = &arrival->next;
		tenant->nr_waiting++;
	}
	/* One that is gone will soon be known to have ended. */
	if (ret == VACCEL_EAGAIN)
		child_want_room(&tenant->worker->child);
}

void tenant_worker_ready(struct worker *worker)
{
	struct tenant *tenant = worker->tenant;

	worker->ready = true;
	if (worker->leaving)
		return;
	if (tenant->policy->worker_idle_ms && !tenant->rest.due)
		timer_set(&tenant->supervisor->loop, &tenant->rest, tenant->policy->worker_idle_ms);
	pass_waiting(tenant);
}

/* The worker answers what it has; the tenant's next one counts on in memory of its own. */
static void let_worker_go(struct tenant *tenant)
{
	struct worker *worker = TAKE(tenant->worker);
	struct tally fresh;

	if (!worker)
		return;
	if (tally_new(&fresh)) {
		/* Without memory its calls are lost, but nothing is counted twice. */
		child_kill(&worker->child);
	} else {
		tally_copy(&fresh, &tenant->tally);
		worker->tally = tenant->tally;
		tenant->tally = fresh;
	}
	worker->next = tenant->leaving;
	tenant->leaving = worker;
	timer_clear(&tenant->supervisor->loop, &tenant->rest);
	timer_clear(&tenant->supervisor->loop, &tenant->deadline);
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
		let_worker_go(tenant);
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
	int64_t most = ((int64_t)tenant->policy->deadline_ms + OVERRUN_MS) * NS_PER_MS;
	int64_t left;
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
	left = since + most - time_now();
	if (left > 0) {
		/* Whatever the worker has written there, it is looked at in time. */
		timer_set(&tenant->supervisor->loop, &tenant->deadline,
			  MIN_OF(left, most) / NS_PER_MS + 1);
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

	if (tenant->worker == worker && tenant->policy->deadline_ms && !tenant->deadline.due)
		watch_calls(tenant);
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

static void replace_worker(struct tenant *tenant, struct worker *worker, const struct fate *fate)
{
	struct about whom = about(tenant);
	bool wanted = atomic_load(&tenant->tally.stats->connections) || tenant->waiting;

	log_line(VACCEL_LOG_ERROR, &whom, "%s", fate->text);
	remember(tenant, fate);
	timer_clear(&tenant->supervisor->loop, &tenant->rest);
	timer_clear(&tenant->supervisor->loop, &tenant->deadline);
	tally_settle(&tenant->tally);
	tenant->worker = NULL;
	if (!worker->ready)
		/* Clients shall hear of it rather than wait; they come again. */
		drop_waiting(tenant);
	schedule_restart(tenant, worker);
	tell_monitor_gone(tenant, fate->text);
	if (!wanted || !worker->ready)
		return;
	atomic_fetch_add(&tenant->tally.stats->restarts, 1);
	start_worker(tenant);
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
		.policy = tenant->policy,
		.stats = tally->stats,
		.overran = worker->overran,
		.failed = worker->failed,
	});

	if (worker->leaving || worker != tenant->worker) {
		log_line(status ? VACCEL_LOG_WARN : VACCEL_LOG_INFO, &whom, "%s",
			 status ? fate.text : "worker ended");
		if (status)
			remember(tenant, &fate);
		forget_leaving(tenant, worker);
		if (worker == tenant->worker)
			tenant->worker = NULL;
	} else {
		replace_worker(tenant, worker, &fate);
	}
	worker_delete(worker);
	supervisor_step(supervisor);
}

/* Tenants */

static void tenant_delete(struct tenant *tenant)
{
	struct supervisor *supervisor = tenant->supervisor;
	struct loop *loop = &supervisor->loop;
	struct tenant **at = &supervisor->tenants;

	while (*at && *at != tenant)
		at = &(*at)->next;
	if (*at) {
		*at = tenant->next;
		supervisor->nr_tenants--;
	}
	if (tenant->worker)
		worker_delete(tenant->worker);
	while (tenant->leaving) {
		struct worker *worker = tenant->leaving;

		tenant->leaving = worker->next;
		worker_delete(worker);
	}
	drop_waiting(tenant);
	timer_clear(loop, &tenant->restart);
	timer_clear(loop, &tenant->rest);
	timer_clear(loop, &tenant->deadline);
	if (tenant->directory)
		directory_remove_tenant(&supervisor->directory, tenant->name);
	tally_release(&tenant->tally);
	config_unref(tenant->config);
	free(tenant->directory);
	free(tenant->name);
	free(tenant);
}

/* Makes room by forgetting the tenant that was away longest. EUSERS. */
static int make_room(struct supervisor *supervisor)
{
	struct tenant *oldest = NULL;

	if (supervisor->nr_tenants < TENANTS_MAX)
		return VACCEL_OK;
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next)
		if (!tenant->worker && !tenant->leaving && !tenant->waiting &&
		    (!oldest || tenant->last_used < oldest->last_used))
			oldest = tenant;
	if (!oldest)
		return vaccel_fail(VACCEL_EUSERS, "%d tenants have workers already", TENANTS_MAX);
	tenant_delete(oldest);
	return VACCEL_OK;
}

static int tenant_new(struct supervisor *supervisor, const char *name, const struct policy *policy,
		      struct tenant **ret_tenant)
{
	struct tenant *tenant;
	int ret = make_room(supervisor);

	if (ret)
		return ret;
	tenant = calloc(1, sizeof(*tenant));
	if (!tenant)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a tenant");
	tenant->supervisor = supervisor;
	tenant->tally.fd = -1;
	tenant->waiting_end = &tenant->waiting;
	tenant->restart.expired = restart_expired;
	tenant->rest.expired = rest_expired;
	tenant->deadline.expired = deadline_expired;
	tenant->config = config_ref(supervisor->config);
	tenant->policy = policy;
	tenant->name = strdup(name);
	ret = tenant->name ? directory_of_tenant(&supervisor->directory, name, &tenant->directory)
			   : vaccel_fail(VACCEL_ENOMEM, "no memory for a tenant");
	if (!ret)
		ret = tally_new(&tenant->tally);
	if (ret) {
		tenant_delete(tenant);
		return ret;
	}
	tenant->next = supervisor->tenants;
	supervisor->tenants = tenant;
	supervisor->nr_tenants++;
	*ret_tenant = tenant;
	return VACCEL_OK;
}

static struct tenant *find(struct supervisor *supervisor, const char *name)
{
	struct tenant *tenant = supervisor->tenants;

	while (tenant && strcmp(tenant->name, name))
		tenant = tenant->next;
	return tenant;
}

/* By the supervisor's configuration from now on; a worker that lives by other rules goes. */
static void live_by(struct tenant *tenant, const struct policy *policy, bool same)
{
	struct config *before = tenant->config;

	if (!same)
		let_worker_go(tenant);
	tenant->config = config_ref(tenant->supervisor->config);
	tenant->policy = policy;
	config_unref(before);
	if (!same && tenant->waiting)
		start_worker(tenant);
}

void tenants_reload(struct supervisor *supervisor)
{
	const struct config *config = supervisor->config;

	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next) {
		const struct policy *policy = config_policy(config, tenant->policy->name);

		/* Where its policy is gone the next connection says by which it is to live. */
		if (policy)
			live_by(tenant, policy, worker_rules_are_same(tenant, policy));
		else
			let_worker_go(tenant);
	}
}

/*
 * A name that a certificate bears may be one that another listener gives, and the
 * policies of the two differ: then it is not let in by its certificate.
 */
static const char *why_refused(const struct supervisor *supervisor, const char *name,
			       const struct listener_config *how)
{
	const struct config *config = supervisor->config;

	if (!name_is_valid(name))
		return "its name is none that a tenant can have";
	if (how->tenant)
		return NULL;
	if (!listener_names_user(how) && name_is_of_user(name))
		return "its name is that of a user";
	for (unsigned int i = 0; i < config->nr_listeners; i++) {
		const struct listener_config *other = &config->listeners[i];

		if (other->tenant && !strcmp(other->tenant, name) &&
		    strcmp(other->policy->name, how->policy->name))
			return "its name is that of another listener's tenant, with another policy";
	}
	return NULL;
}

static void refuse(struct tenant *tenant, struct arrival *arrival)
{
	struct about whom = about(tenant);
	int64_t now = time_now();

	atomic_fetch_add(&tenant->tally.stats->refused[REFUSED_QUOTA], 1);
	if (now - tenant->last_complaint > COMPLAINT_NS)
		log_line(VACCEL_LOG_WARN, &whom,
			 "policy '%s' permits %" PRIu64 " connections; more are refused",
			 tenant->policy->name, tenant->policy->connections);
	tenant->last_complaint = now;
	arrival_delete(arrival);
}

static int tenant_of(struct supervisor *supervisor, const char *name, const struct arrival *arrival,
		     struct tenant **ret_tenant)
{
	const struct listener_config *how = arrival->listener->how;
	const struct policy *policy = config_policy(supervisor->config, how->policy->name);
	const char *refused = why_refused(supervisor, name, how);
	struct tenant *tenant = find(supervisor, name);
	int ret = VACCEL_OK;

	if (refused)
		return vaccel_fail(VACCEL_EACCES, "a peer that says to be '%s' is refused: %s",
				   name, refused);
	if (!policy)
		return vaccel_fail(VACCEL_EACCES, "policy '%s' is gone", how->policy->name);
	if (!tenant)
		ret = tenant_new(supervisor, name, policy, &tenant);
	else if (strcmp(tenant->policy->name, policy->name))
		live_by(tenant, policy, false);
	if (!ret)
		*ret_tenant = tenant;
	return ret;
}

void tenant_take(struct supervisor *supervisor, const char *name, struct arrival *arrival)
{
	struct tenant *tenant = NULL;

	if (supervisor->stopping || tenant_of(supervisor, name, arrival, &tenant)) {
		if (!supervisor->stopping)
			log_line(VACCEL_LOG_WARN, NULL, "%s: %s", arrival->message.peer,
				 vaccel_error_text());
		arrival_delete(arrival);
		return;
	}
	tenant->last_used = time_now();
	if (atomic_load(&tenant->tally.stats->connections) + tenant->nr_waiting >=
	    tenant->policy->connections) {
		refuse(tenant, arrival);
		return;
	}
	enqueue(tenant, arrival);
	if (!tenant->worker)
		start_worker(tenant);
	else if (tenant->worker->ready && tenant->nr_waiting == 1)
		pass_waiting(tenant);
}

void tenants_drain(struct supervisor *supervisor)
{
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next) {
		timer_clear(&supervisor->loop, &tenant->restart);
		timer_clear(&supervisor->loop, &tenant->rest);
		drop_waiting(tenant);
		if (tenant->worker)
			worker_drain(tenant->worker);
	}
}

bool tenants_have_workers(const struct supervisor *supervisor)
{
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next)
		if (tenant->worker || tenant->leaving)
			return true;
	return false;
}

void tenants_delete(struct supervisor *supervisor)
{
	while (supervisor->tenants)
		tenant_delete(supervisor->tenants);
}
