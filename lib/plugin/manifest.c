// SPDX-License-Identifier: Apache-2.0
/*
 * Reading manifests; manifest.h shows one. They are made when plugins are built
 * and belong to the installation, as plugins do; a line that is not understood
 * is one of a newer vaccel, and passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/log.h>

#include "base/util.h"
#include "plugin/manifest.h"
#include "plugin/registry.h"

#define MANIFEST_MAX_BYTES 65536
#define FIRST_LINE	   "vaccel-plugin 1"

static char *read_beside(const char *path)
{
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(fclosep) FILE *file = NULL;
	const char *dot = strrchr(path, '.');
	size_t size;

	if (!dot || asprintf(&name, "%.*s.manifest", (int)(dot - path), path) < 0)
		return NULL;
	file = fopen(name, "re");
	text = file ? malloc(MANIFEST_MAX_BYTES) : NULL;
	if (!text)
		return NULL;
	size = fread(text, 1, MANIFEST_MAX_BYTES - 1, file);
	text[size] = '\0';
	return TAKE(text);
}

static void offer(struct plugin *plugin, const char *name)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		if (!strcmp(name, "*") || !strcmp(name, op->name))
			plugin->offers[op->index] = true;
}

static void take_line(struct plugin *plugin, const char *key, char *value)
{
	if (!strcmp(key, "name"))
		plugin->info.name = value;
	else if (!strcmp(key, "version"))
		plugin->info.version = value;
	else if (!strcmp(key, "type"))
		plugin->info.type = (unsigned int)strtoul(value, NULL, 0);
	else if (!strcmp(key, "sentence"))
		plugin->info.sentence = value;
	else if (!strcmp(key, "op"))
		offer(plugin, value);
}

bool manifest_take(struct plugin *plugin, char *text)
{
	char *rest = text, *line;

	plugin->manifest = text;
	line = strsep(&rest, "\n");
	if (strcmp(line, FIRST_LINE) != 0) {
		vaccel_warn("the manifest of '%s' is not understood; the plugin is loaded at once",
			    plugin->path);
		return false;
	}
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ' ');

		if (!value)
			continue;
		*value++ = '\0';
		take_line(plugin, line, value);
	}
	return plugin->info.name != NULL;
}

bool manifest_read(struct plugin *plugin)
{
	char *text = read_beside(plugin->path);

	return text && manifest_take(plugin, text);
}
