// SPDX-License-Identifier: Apache-2.0
/*
 * Configuration from an environment that makes no sense, and manifests of
 * plugins: the first byte says which. An environment is lines of NAME=VALUE,
 * of which the library's own names count.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/config.h>

#include "base/knob.h"
#include "plugin/load.h"
#include "plugin/manifest.h"

static void set_line(char *line)
{
	char *value = strchr(line, '=');
	const struct vaccel_knob *knob;

	if (!value)
		return;
	*value++ = '\0';
	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++)
		if (!strcmp(knob->name, line))
			setenv(line, value, 1);
}

static void try_environment(char *text)
{
	struct vaccel_config config;
	const struct vaccel_knob *knob;
	char *line;

	while ((line = strsep(&text, "\n")))
		set_line(line);
	if (!vaccel_config_init_from_env(&config)) {
		if (config.log_level < VACCEL_LOG_ERROR || config.log_level >= VACCEL_LOG_MAX)
			abort();
		vaccel_config_release(&config);
	}
	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++) {
		if (knob->type == VACCEL_KNOB_NUMBER && (vaccel_knob_number(knob) < knob->least ||
							 vaccel_knob_number(knob) > knob->most))
			abort();
		unsetenv(knob->name);
	}
}

static void try_manifest(const char *text)
{
	struct plugin *plugin = plugin_new("/nowhere/libvaccel-fuzz.so");

	if (plugin)
		manifest_take(plugin, strdup(text));
	plugin_delete(plugin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (!text)
		return 0;
	if (data[0] % 2)
		try_environment(text);
	else
		try_manifest(text);
	free(text);
	return 0;
}
