// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "agent/base/environment.h"
#include "agent/base/log.h"
#include "agent/supervisor/check.h"
#include "agent/supervisor/listener.h"
#include "base/util.h"

#define RUN "/run/"

struct wanted {
	const char *name;
	bool found;
};

static void compare(void *context, const struct vaccel_plugin *plugin)
{
	struct wanted *wanted = context;

	wanted->found |= !strcmp(plugin->info->name, wanted->name);
}

/* Of a name alone: the dynamic linker may find a file elsewhere. */
static void look_for_plugin(const char *policy, const char *name)
{
	struct wanted wanted = {.name = name};

	if (!strpbrk(name, "/.") && !vaccel_plugin_installed(compare, &wanted) && !wanted.found)
		log_line(VACCEL_LOG_WARN, NULL,
			 "policy '%s': there is no plugin '%s' in '%s'; `vaccel plugins` lists "
			 "those that are",
			 policy, name, vaccel_plugindir());
}

static void look_at_policy(const struct policy *policy)
{
	for (unsigned int i = 0; i < policy->plugins.count; i++)
		look_for_plugin(policy->name, policy->plugins.at[i]);
	for (unsigned int i = 0; i < policy->exec_libraries.count; i++)
		if (access(policy->exec_libraries.at[i], R_OK))
			log_line(VACCEL_LOG_WARN, NULL, "policy '%s': exec_libraries '%s': %s",
				 policy->name, policy->exec_libraries.at[i], strerror(errno));
}

static void look_at_models(const struct models *models)
{
	_cleanup_(closep) int path = -1;

	if (!models->path)
		return;
	path = open(models->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (path < 0 || access(models->path, X_OK))
		log_line(VACCEL_LOG_WARN, NULL, "models.path '%s': %s", models->path,
			 strerror(errno));
	for (unsigned int i = 0; path >= 0 && i < models->preload.count; i++)
		if (faccessat(path, models->preload.at[i], R_OK, 0))
			log_line(VACCEL_LOG_WARN, NULL, "models.preload '%s': %s",
				 models->preload.at[i], strerror(errno));
}

void check_ahead(const struct config *config)
{
	for (unsigned int i = 0; i < config->nr_policies; i++)
		look_at_policy(&config->policies[i]);
	look_at_models(&config->models);
}

/* However many slashes there are between names, and behind the last one. */
static bool is_same(const char *one, const char *other)
{
	while (*one && *one == *other) {
		size_t slashes = strspn(one, "/");

		one += MAX_OF(slashes, (size_t)1);
		other += slashes ? strspn(other, "/") : 1;
	}
	return !one[strspn(one, "/")] && !other[strspn(other, "/")];
}

/* The agent makes its own directory, and the service's is there while that runs. */
static bool is_made(const char *directory, const char *base)
{
	return is_same(directory, base) || is_same(directory, SYSTEM_DIRECTORY);
}

/* Of other services, who make them as they start. */
static bool may_come(const char *directory)
{
	return !strncmp(directory, RUN, strlen(RUN));
}

static int check_directory(const char *where, const char *file, const char *base)
{
	const char *slash = strrchr(file, '/');
	_cleanup_(freep) char *directory = strndup(file, (size_t)MAX_OF(slash - file, 1));
	struct stat status;
	int code;

	if (!directory)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	code = stat(directory, &status) ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
	if (!code || (code == ENOENT && is_made(directory, base)))
		return VACCEL_OK;
	if (code != ENOENT || !may_come(directory))
		return vaccel_fail(code,
				   "%s: directory '%s' for the socket file: %s; make it, or take "
				   "another",
				   where, directory, strerror(code));
	log_line(VACCEL_LOG_WARN, NULL,
		 "%s: directory '%s' for the socket file: %s; it must be there when the agent "
		 "starts",
		 where, directory, strerror(code));
	return VACCEL_OK;
}

static int check_listener(const struct listener_config *how, const char *base)
{
	_cleanup_(closep) int setup = -1;
	char file[ADDRESS_FILE_ROOM];
	int ret = listener_read_files(how, &setup);

	if (ret || !address_file(&how->address, file))
		return ret;
	return check_directory(how->where, file, base);
}

int check_config(const struct config *config, const char *base)
{
	int ret = VACCEL_OK;

	check_ahead(config);
	if (config->admin_socket)
		ret = check_directory(config->admin_where, config->admin_socket, base);
	for (unsigned int i = 0; !ret && i < config->nr_listeners; i++)
		ret = check_listener(&config->listeners[i], base);
	return ret;
}
