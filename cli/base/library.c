// SPDX-License-Identifier: Apache-2.0
/*
 * libvaccel does not bootstrap when this process starts, but where a command first asks
 * for it, who says then what went wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "base/library.h"
#include "base/terminal.h"

extern const char vaccel_program_bootstraps;
const char vaccel_program_bootstraps;

static const char *find_failure(void)
{
	static char text[1024];

	if (!vaccel_bootstrap())
		return NULL;
	snprintf(text, sizeof(text), "%s", vaccel_error_text());
	return text;
}

const char *library_failure(void)
{
	static const char *failure;
	static bool known;

	if (!known)
		failure = find_failure();
	known = true;
	return failure;
}

bool library_ready(void)
{
	const char *failure = library_failure();

	if (failure)
		complain("%s", failure);
	return !failure;
}

int library_empty(void)
{
	struct vaccel_config config = {.log_level = VACCEL_LOG_ERROR};
	int ret;

	/* Of an environment that does not work nothing is taken. */
	if (!library_failure() && vaccel_config_init_from_env(&config))
		return VACCEL_EINVAL;
	free(config.plugins);
	config.plugins = NULL;
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret;
}

static void load(void *unused, const struct vaccel_plugin *plugin)
{
	(void)unused;
	vaccel_plugin_load(vaccel_plugin_path(plugin));
}

void library_load_all(void)
{
	const struct vaccel_plugin *plugin;

	if (library_failure())
		library_empty();
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		load(NULL, plugin);
	vaccel_plugin_installed(load, NULL);
}

bool library_has(const char *path)
{
	const struct vaccel_plugin *plugin;

	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		if (!strcmp(vaccel_plugin_path(plugin), path))
			return true;
	return false;
}
