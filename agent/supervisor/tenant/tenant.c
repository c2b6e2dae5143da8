// SPDX-License-Identifier: Apache-2.0
/*
 * Tenants: which one a connection is of, whether it is let in, and by which policy.
 * What becomes of their workers is in service.c.
 */
#include <inttypes.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/tenant/service.h"
#include "base/util.h"

#define COMPLAINT_NS  SECOND	   /* between lines on refused connections */
#define SUCCESSION_NS (5 * SECOND) /* for a worker to be done with a machine */

static void tenant_delete(struct tenant *tenant)
{
	struct supervisor *supervisor = tenant->supervisor;
	struct tenant **at = &supervisor->tenants;

	while (*at && *at != tenant)
		at = &(*at)->next;
	if (*at) {
		*at = tenant->next;
		supervisor->nr_tenants--;
	}
	service_end(tenant);
	directory_remove(&supervisor->directory, TAKE(tenant->directory));
	tally_release(&tenant->tally);
	config_unref(tenant->config);
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
	service_init(tenant);
	tenant->config = config_ref(supervisor->config);
	tenant->policy = policy;
	tenant->name = strdup(name);
	ret = tenant->name ? tally_new(&tenant->tally)
			   : vaccel_fail(VACCEL_ENOMEM, "no memory for a tenant");
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

static struct tenant *find(const struct supervisor *supervisor, const char *name)
{
	struct tenant *tenant = supervisor->tenants;

	while (tenant && strcmp(tenant->name, name))
		tenant = tenant->next;
	return tenant;
}

const struct stats *tenant_stats(const struct supervisor *supervisor, const char *name)
{
	const struct tenant *tenant = find(supervisor, name);

	return tenant ? tenant->tally.stats : NULL;
}

/* By the supervisor's configuration from now on; a worker that lives by other rules goes. */
static void live_by(struct tenant *tenant, const struct policy *policy, bool same)
{
	struct config *before = tenant->config;

	if (!same)
		service_let_go(tenant);
	tenant->config = config_ref(tenant->supervisor->config);
	tenant->policy = policy;
	config_unref(before);
	if (!same && tenant->waiting)
		service_start(tenant);
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
			service_give_up(tenant);
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
	struct about whom = {.tenant = tenant->name};
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

	if (refused) {
		atomic_fetch_add(&supervisor->nobody.stats->refused[REFUSED_AUTH], 1);
		return vaccel_fail(VACCEL_EACCES, "a peer that says to be '%s' is refused: %s",
				   name, refused);
	}
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
	service_wait(tenant, arrival);
	if (!tenant->worker)
		service_start(tenant);
	else if (tenant->worker->ready && tenant->nr_waiting == 1)
		service_pass_waiting(tenant);
}

static void end_if_had(struct worker *worker, const char *machine)
{
	if (worker && worker_has_had(worker, machine))
		child_kill(&worker->child);
}

void tenants_end_machine(struct supervisor *supervisor, const char *machine)
{
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next) {
		end_if_had(tenant->worker, machine);
		for (struct worker *worker = tenant->leaving; worker; worker = worker->next)
			end_if_had(worker, machine);
	}
}

static bool holds_machine(struct worker *worker, const char *machine)
{
	const struct about about = {.tenant = worker->tenant->name};
	int64_t now = time_now();

	if (!worker_has_had(worker, machine))
		return false;
	if (!worker->wanted)
		worker->wanted = now;
	if (now - worker->wanted >= SUCCESSION_NS) {
		log_line(VACCEL_LOG_WARN, &about,
			 "worker %ld keeps the machine at %s waiting, and is killed",
			 (long)worker->child.pid, machine);
		child_kill(&worker->child);
	}
	return true;
}

bool tenants_hold_machine(struct supervisor *supervisor, const char *machine,
			  const struct worker *next)
{
	bool held = false;

	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next) {
		/* The listener was this tenant's before. */
		if (tenant->worker && tenant->worker != next &&
		    worker_has_had(tenant->worker, machine)) {
			held = true;
			service_let_go(tenant);
			if (tenant->waiting)
				service_start(tenant);
		}
		for (struct worker *worker = tenant->leaving; worker; worker = worker->next)
			held |= holds_machine(worker, machine);
	}
	return held;
}

void tenant_let_go(struct supervisor *supervisor, const char *name)
{
	struct tenant *tenant = find(supervisor, name);

	if (!tenant)
		return;
	service_let_go(tenant);
	service_stop(tenant);
}

void tenants_look_at_directories(void *context)
{
	const struct supervisor *supervisor = context;

	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next)
		service_look_at_directory(tenant);
}

void tenants_brief_monitor(struct supervisor *supervisor)
{
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next)
		service_show(tenant);
}

void tenants_drain(struct supervisor *supervisor)
{
	for (struct tenant *tenant = supervisor->tenants; tenant; tenant = tenant->next)
		service_stop(tenant);
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
