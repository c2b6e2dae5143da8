// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel plugins: those at hand, which is to say those of the configuration and
 * those of the plugin directory; and all that a plugin says of itself.
 */
#include <stdio.h>
#include <string.h>

#include "base/describe.h"
#include "base/library.h"
#include "command.h"

/* What a plugin is to the configuration in force; NULL if it is no part of it. */
static const char *state_of(const struct vaccel_plugin *plugin)
{
	if (vaccel_plugin_failure(plugin))
		return "cannot be loaded";
	return plugin->size ? "loaded" : "loaded when needed";
}

static void list_one(struct json_object *array, const struct vaccel_plugin *plugin,
		     const char *state)
{
	struct json_object *json;

	if (!array) {
		put_plugin(plugin, state);
		put_offers(plugin);
		if (vaccel_plugin_failure(plugin))
			put_fact(NULL, "because", vaccel_plugin_failure(plugin));
		return;
	}
	json = plugin_to_json(plugin);
	json_put(json, "state", json_text(state));
	json_put(json, "ops", offers_to_json(plugin));
	json_append(array, json);
}

static void list_other(void *array, const struct vaccel_plugin *plugin)
{
	if (!library_has(vaccel_plugin_path(plugin)))
		list_one(array, plugin, "not in use");
}

static int list(bool as_json)
{
	struct json_object *array = as_json ? json_object_new_array() : NULL;
	const char *failure = library_failure();
	const struct vaccel_plugin *plugin;
	int ret;

	if (failure && !as_json)
		put_failure("None is in use", failure);
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		list_one(array, plugin, state_of(plugin));
	ret = vaccel_plugin_installed(list_other, array);
	if (ret && vaccel_plugin_at(0))
		ret = VACCEL_OK;
	if (ret)
		complain("%s", vaccel_error_text());
	if (array)
		json_print(array);
	return ret ? STATUS_FAILED : STATUS_OK;
}

static void put_need(const char *key, const char *const *list)
{
	for (; list && *list; list++)
		put_fact(NULL, key, *list);
}

static void put_needs(const struct vaccel_plugin_needs *needs)
{
	puts("\nNeeds in a sandbox:");
	put_need("reads", needs->read_paths);
	put_need("writes", needs->write_paths);
	put_need("device", needs->devices);
	put_need("system call", needs->system_calls);
	if (needs->jit)
		put_fact(NULL, "jit", "makes machine code while it runs");
	if (needs->children)
		put_fact(NULL, "children", "starts processes");
}

static void show(const struct vaccel_plugin *plugin)
{
	const struct vaccel_op *op;

	put_plugin(plugin, NULL);
	put_fact(NULL, "built against", plugin->info->vaccel_version);
	if (plugin->report)
		plugin->report(put_fact, NULL);
	puts("\nOperations:");
	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		if (vaccel_plugin_offers(plugin, op))
			put_fact(NULL, op->name, op->sentence);
	if (plugin->nr_knobs)
		puts("\nSettings:");
	for (size_t i = 0; i < plugin->nr_knobs; i++)
		put_knob(&plugin->knobs[i]);
	if (plugin->needs)
		put_needs(plugin->needs);
}

static struct json_object *list_to_json(const char *const *list)
{
	struct json_object *json = json_object_new_array();

	for (; list && *list; list++)
		json_append(json, json_text(*list));
	return json;
}

static struct json_object *needs_to_json(const struct vaccel_plugin_needs *needs)
{
	static const struct vaccel_plugin_needs none;
	struct json_object *json = json_object_new_object();

	if (!needs)
		needs = &none;
	json_put(json, "read_paths", list_to_json(needs->read_paths));
	json_put(json, "write_paths", list_to_json(needs->write_paths));
	json_put(json, "devices", list_to_json(needs->devices));
	json_put(json, "system_calls", list_to_json(needs->system_calls));
	json_put(json, "jit", json_object_new_boolean(needs->jit));
	json_put(json, "children", json_object_new_boolean(needs->children));
	return json;
}

static struct json_object *describe(const struct vaccel_plugin *plugin)
{
	struct json_object *json = plugin_to_json(plugin);
	struct json_object *knobs = json_object_new_array();

	for (size_t i = 0; i < plugin->nr_knobs; i++)
		json_append(knobs, knob_to_json(&plugin->knobs[i]));
	json_put(json, "vaccel_version", json_text(plugin->info->vaccel_version));
	json_put(json, "ops", offers_to_json(plugin));
	json_put(json, "knobs", knobs);
	json_put(json, "needs", needs_to_json(plugin->needs));
	json_put(json, "report", report_to_json(plugin));
	return json;
}

/* Loads @files into a library that has no other plugins. */
static int show_all(char *const *files, size_t nr, bool as_json)
{
	struct json_object *array;
	const struct vaccel_plugin *plugin;
	int status = STATUS_OK;

	if (library_empty()) {
		complain("%s", vaccel_error_text());
		return STATUS_FAILED;
	}
	array = as_json ? json_object_new_array() : NULL;
	for (size_t i = 0; i < nr; i++) {
		if (!vaccel_plugin_load(files[i]))
			continue;
		complain("%s", vaccel_error_text());
		status = STATUS_FAILED;
	}
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++) {
		if (array)
			json_append(array, describe(plugin));
		else
			show(plugin);
	}
	if (array)
		json_print(array);
	return status;
}

int plugins_main(const struct options *options)
{
	if (!options->nr_operands)
		return list(options->json);
	if (strcmp(options->operands[0], "show") != 0 || options->nr_operands < 2) {
		complain("usage: vaccel plugins show FILE...");
		return STATUS_USAGE;
	}
	return show_all(options->operands + 1, options->nr_operands - 1, options->json);
}
