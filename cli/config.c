// SPDX-License-Identifier: Apache-2.0
/* vaccel config: every knob of the library and of the plugins at hand. */
#include <stdio.h>

#include "base/describe.h"
#include "base/library.h"
#include "command.h"

static void show(const char *failure)
{
	const struct vaccel_plugin *plugin;
	const struct vaccel_knob *knob;

	if (failure) {
		put_failure("This does not work", failure);
		putchar('\n');
	}
	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++)
		put_knob(knob);
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++) {
		if (plugin->nr_knobs)
			printf("\nOf the plugin %s:\n", plugin->info->name);
		for (size_t k = 0; k < plugin->nr_knobs; k++)
			put_knob(&plugin->knobs[k]);
	}
}

static void add(struct json_object *array, const struct vaccel_knob *knob, const char *plugin)
{
	struct json_object *json = knob_to_json(knob);

	json_put(json, "plugin", json_text(plugin));
	json_append(array, json);
}

static void print_json(void)
{
	struct json_object *json = json_object_new_array();
	const struct vaccel_plugin *plugin;
	const struct vaccel_knob *knob;

	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++)
		add(json, knob, NULL);
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		for (size_t k = 0; k < plugin->nr_knobs; k++)
			add(json, &plugin->knobs[k], plugin->info->name);
	json_print(json);
}

int config_main(const struct options *options)
{
	const char *failure = library_failure();

	library_load_all();
	if (options->json)
		print_json();
	else
		show(failure);
	return STATUS_OK;
}
