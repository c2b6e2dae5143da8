// SPDX-License-Identifier: Apache-2.0
/*
 * Plugins and the sandbox. Plugins are loaded now, since nothing can be
 * opened once the sandbox is closed. One that the policy names must be there; of those that are
 * merely installed, what cannot be loaded is left out, and what would have nothing to do: a
 * framework takes seconds and hundreds of megabytes.
 */
#include "agent/worker/start.h"

#include <pthread.h>
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/error.h>
#include <vaccel/ops/noop.h>
#include <vaccel/plugin.h>

#include "agent/sandbox/sandbox.h"
#include "agent/worker/server.h"
#include "base/util.h"
#include "transport/transport.h"

/* What a sanitizer adds to stacks needs room. */
#ifdef SANITIZED
#define STACK ((size_t)8 << 20)
#else
#define STACK ((size_t)2 << 20)
#endif

/* A connection that has not said HELLO: its message, and what else there is of it. */
#define STRANGER (HELLO_HEAD_MAX + HELLO_PAYLOAD_MAX + 4096)

/* And what OpenSSL holds in the midst of a handshake: a record each way, and a message. */
#define STRANGER_TLS ((uint64_t)80 << 10)

static struct about about(const struct worker *worker)
{
	return (struct about){.tenant = worker->setup.tenant};
}

/* Of noop nobody needs a plugin. One that has no manifest says only once it is loaded what it has.
 */
static bool has_permitted(const struct worker *worker, const struct vaccel_plugin *plugin)
{
	const struct vaccel_op *op;
	bool has_any = false;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++) {
		if (op->number == VACCEL_OP_NOOP || !vaccel_plugin_offers(plugin, op))
			continue;
		if (worker->permitted[op->number])
			return true;
		has_any = true;
	}
	return !has_any;
}

/* What `auto` would list, but for plugins that forward to another agent. */
static void load(const struct worker *worker, const struct vaccel_plugin *plugin)
{
	const struct vaccel_plugin_info *info = plugin->info;
	const struct about tenant = about(worker);

	if (info->type & (VACCEL_PLUGIN_DEBUG | VACCEL_PLUGIN_REMOTE) ||
	    !strcmp(info->name, "remote"))
		return;
	if (vaccel_plugin_load(info->name))
		log_line(VACCEL_LOG_INFO, &tenant, "plugin %s is left out: %s", info->name,
			 vaccel_error_text());
}

static void load_permitted(void *context, const struct vaccel_plugin *plugin)
{
	if (has_permitted(context, plugin))
		load(context, plugin);
}

/* Sessions are of a plugin, even where a policy permits no more than noop. */
static void load_one(void *context, const struct vaccel_plugin *plugin)
{
	if (!vaccel_plugin_at(0))
		load(context, plugin);
}

static int load_installed(const struct worker *worker)
{
	int ret = vaccel_plugin_installed(load_permitted, (void *)worker);

	return ret ? ret : vaccel_plugin_installed(load_one, (void *)worker);
}

/* Of backends' threads, too, unless they choose; on other systems they run with less. */
static void choose_stacks(void)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

int start_plugins(const struct worker *worker)
{
	const struct names *names = &worker->setup.policy.plugins;
	struct vaccel_config config;
	int ret = vaccel_config_init(&config, NULL, (vaccel_log_level_t)worker->setup.log.level,
				     NULL, false, false);

	if (ret)
		return ret;
	choose_stacks();
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	for (unsigned int i = 0; !ret && i < names->count; i++)
		ret = vaccel_plugin_load(names->at[i]);
	if (!ret && !names->count)
		ret = load_installed(worker);
	if (!ret && !vaccel_plugin_at(0))
		ret = vaccel_fail(VACCEL_ENOENT, "policy '%s': no plugin can be loaded",
				  worker->setup.policy.name);
	return ret;
}

/* The model directory and the libraries that exec may load by their paths. */
static size_t list_paths(const struct worker *worker, const char **paths)
{
	const struct names *libraries = &worker->setup.policy.exec_libraries;
	size_t nr = 0;

	if (worker->setup.models.path)
		paths[nr++] = worker->setup.models.path;
	for (unsigned int i = 0; i < libraries->count; i++)
		if (libraries->at[i][0] == '/')
			paths[nr++] = libraries->at[i];
	return nr;
}

/*
 * All of a stack is data from the start, little as is used of it: so what the server's threads
 * may take comes on top. So does what strangers may take, lest clients go without.
 */
static uint64_t data_of(const struct policy *policy)
{
	uint64_t stacks = (uint64_t)server_threads(policy) * STACK;
	uint64_t tls, data;

	if (__builtin_mul_overflow(server_strangers(policy), STRANGER, &data) ||
	    __builtin_mul_overflow(server_strangers_tls(policy), STRANGER_TLS, &tls) ||
	    __builtin_add_overflow(data, tls, &data) ||
	    __builtin_add_overflow(data, stacks, &data) ||
	    __builtin_add_overflow(data, policy->memory, &data))
		return UINT64_MAX;
	return data;
}

int start_sandbox(const struct worker *worker)
{
	const struct policy *policy = &worker->setup.policy;
	_cleanup_(freep) const char **paths =
		calloc(policy->exec_libraries.count + 1, sizeof(*paths));
	_cleanup_(freep) char *missing = NULL;
	const struct about tenant = about(worker);
	struct sandbox sandbox = {
		.role = SANDBOX_WORKER,
		.directory = worker->setup.directory,
		.read_paths = paths,
		.memory = data_of(policy),
		.file = policy->content,
		.libraries = policy->exec_libraries.count || policy->exec_uploads.count,
	};
	int ret;

	if (!paths)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of paths");
	sandbox.nr_read_paths = list_paths(worker, paths);
	ret = sandbox_enter(&sandbox, &missing);
	if (!ret && missing)
		log_line(VACCEL_LOG_WARN, &tenant, "the sandbox lacks: %s", missing);
	return ret;
}
