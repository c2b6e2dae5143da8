// SPDX-License-Identifier: Apache-2.0
/*
 * Flags are written as the YAML that says the same, so that there is one place in
 * which a configuration is understood and checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/config/arguments.h"
#include "base/util.h"

/* As a YAML string in single quotes, up to @length bytes. */
static void print_quoted(FILE *out, const char *text, size_t length)
{
	fputc('\'', out);
	for (size_t i = 0; i < length; i++)
		fprintf(out, text[i] == '\'' ? "''" : "%c", text[i]);
	fputc('\'', out);
}

/* "key=value", up to @length bytes. */
static int print_assignment(FILE *out, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);

	if (!equals)
		return vaccel_fail(VACCEL_EINVAL, "'%.*s' is no KEY=VALUE", (int)length, text);
	print_quoted(out, text, (size_t)(equals - text));
	fputs(": ", out);
	print_quoted(out, equals + 1, length - (size_t)(equals + 1 - text));
	return VACCEL_OK;
}

/*
 * All of a carrier whose peers have no names is one tenant; as it is the only one, it
 * needs no name to be told from others.
 */
static bool needs_tenant(const char *text)
{
	return strncmp(text, "unix:", 5) && strncmp(text, "tls:", 4) && !strstr(text, ",tenant=");
}

static int print_listener(FILE *out, const char *text)
{
	size_t length = strcspn(text, ",");
	int ret = VACCEL_OK;

	fputs("  - {address: ", out);
	print_quoted(out, text, length);
	if (needs_tenant(text))
		fputs(", tenant: default", out);
	for (text += length; !ret && *text; text += length) {
		text++;
		length = strcspn(text, ",");
		fputs(", ", out);
		ret = print_assignment(out, text, length);
	}
	fputs("}\n", out);
	return ret;
}

static void print_plugins(FILE *out, const char *list, size_t length)
{
	fputs("policies: {default: {plugins: [", out);
	while (length) {
		const char *end = memchr(list, ':', length);
		size_t part = end ? (size_t)(end - list) : length;

		print_quoted(out, list, part);
		fputs(", ", out);
		list += part + (end != NULL);
		length -= part + (end != NULL);
	}
	fputs("]}}\n", out);
}

static int print_vaccel(FILE *out, const char *text)
{
	static const char plugins[] = "plugins=";
	static const char level[] = "log_level=";

	while (*text) {
		size_t length = strcspn(text, ",");

		if (!strncmp(text, plugins, strlen(plugins))) {
			print_plugins(out, text + strlen(plugins), length - strlen(plugins));
		} else if (!strncmp(text, level, strlen(level))) {
			fputs("log: {level: ", out);
			print_quoted(out, text + strlen(level), length - strlen(level));
			fputs("}\n", out);
		} else {
			return vaccel_fail(
				VACCEL_EINVAL,
				"--vaccel-config knows plugins and log_level, not '%.*s'; "
				"use --config for all there is",
				(int)length, text);
		}
		text += length + (text[length] == ',');
	}
	return VACCEL_OK;
}

int config_from_arguments(char *const *listeners, size_t nr_listeners, const char *vaccel,
			  struct config **ret_config)
{
	_cleanup_(freep) char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int ret = VACCEL_OK;

	if (!out)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	if (nr_listeners)
		fputs("listeners:\n", out);
	for (size_t i = 0; !ret && i < nr_listeners; i++)
		ret = print_listener(out, listeners[i]);
	if (!ret && vaccel)
		ret = print_vaccel(out, vaccel);
	if (fclose(out))
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	return ret ? ret : config_parse("command line", text, size, ret_config);
}
