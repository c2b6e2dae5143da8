// SPDX-License-Identifier: Apache-2.0
/* vaccel info: the plugins in force, what each offers, and the devices that it found. */
#include <stdio.h>

#include "base/describe.h"
#include "base/library.h"
#include "command.h"

static const struct vaccel_plugin *loaded_at(size_t index)
{
	const struct vaccel_plugin *plugin = vaccel_plugin_at(index);

	/* One that is only listed has no report to give. */
	if (plugin)
		vaccel_plugin_load(vaccel_plugin_path(plugin));
	return plugin;
}

static void show(const char *failure)
{
	const struct vaccel_plugin *plugin;

	puts("vaccel " VACCEL_VERSION);
	put_fact(NULL, "plugins", vaccel_plugindir());
	put_fact(NULL, "data", vaccel_datadir());
	if (failure)
		put_fact(NULL, "not ready", failure);
	for (size_t i = 0; (plugin = loaded_at(i)); i++) {
		putchar('\n');
		put_plugin(plugin, vaccel_plugin_failure(plugin) ? "cannot be loaded" : NULL);
		put_offers(plugin);
		if (vaccel_plugin_failure(plugin))
			put_fact(NULL, "because", vaccel_plugin_failure(plugin));
		else if (plugin->report)
			plugin->report(put_fact, NULL);
	}
}

static struct json_object *describe(const struct vaccel_plugin *plugin)
{
	struct json_object *json = plugin_to_json(plugin);
	const char *failure = vaccel_plugin_failure(plugin);

	json_put(json, "state", json_text(failure ? "failed" : "loaded"));
	json_put(json, "failure", json_text(failure));
	json_put(json, "ops", offers_to_json(plugin));
	json_put(json, "report", report_to_json(plugin));
	return json;
}

static void print_json(const char *failure)
{
	struct json_object *json = json_object_new_object();
	struct json_object *plugins = json_object_new_array();
	const struct vaccel_plugin *plugin;

	json_put(json, "version", json_text(VACCEL_VERSION));
	json_put(json, "plugin_directory", json_text(vaccel_plugindir()));
	json_put(json, "data_directory", json_text(vaccel_datadir()));
	json_put(json, "failure", json_text(failure));
	for (size_t i = 0; (plugin = loaded_at(i)); i++)
		json_append(plugins, describe(plugin));
	json_put(json, "plugins", plugins);
	json_print(json);
}

int info_main(const struct options *options)
{
	const char *failure = library_failure();

	if (options->json)
		print_json(failure);
	else
		show(failure);
	return STATUS_OK;
}
