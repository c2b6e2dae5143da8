// SPDX-License-Identifier: Apache-2.0
/* Plugins and knobs in words. Objects of json-c keep the order in which they are filled. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/describe.h"

#define KEY_WIDTH  20
#define OFFERS_MAX 4096
#define NOT_UTF8   "\xef\xbf\xbd" /* U+FFFD */
#define JSON_FORM  (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)

/* Control characters stay: JSON writes them as escapes. Those above 127 count as bytes. */
struct json_object *json_text(const char *text)
{
	struct json_object *json = NULL;
	char *shown, *clean, *end;

	if (!text)
		return NULL;
	shown = strdup(text);
	clean = end = malloc(strlen(text) * strlen(NOT_UTF8) + 1);
	if (shown && clean) {
		vaccel_str_make_printable(shown);
		for (size_t i = 0; text[i]; i++) {
			if (shown[i] == '?' && (unsigned char)text[i] > 127)
				end = stpcpy(end, NOT_UTF8);
			else
				*end++ = text[i];
		}
		*end = '\0';
		json = json_object_new_string(clean);
	}
	free(clean);
	free(shown);
	return json;
}

struct json_object *json_number(double value)
{
	char digits[32];

	/* JSON has neither infinity nor NaN. */
	if (!isfinite(value))
		return NULL;
	snprintf(digits, sizeof(digits), "%.7g", value);
	return json_object_new_double_s(value, digits);
}

void json_put(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

void json_append(struct json_object *array, struct json_object *value)
{
	json_object_array_add(array, value);
}

void json_print(struct json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_FORM));
	json_object_put(json);
}

void put_indent(void)
{
	printf("%*s", INDENT, "");
}

void put_failure(const char *what, const char *failure)
{
	terminal_put(STYLE_BAD, 0, what);
	puts(":");
	put_indent();
	terminal_wrap(INDENT, failure);
}

void put_fact(void *unused, const char *key, const char *value)
{
	(void)unused;
	put_indent();
	terminal_put(STYLE_PLAIN, KEY_WIDTH - 1, key);
	putchar(' ');
	terminal_wrap(INDENT + KEY_WIDTH, value);
}

/* The name of a type's bit, or NULL for one that is not known here. */
static const char *bit_name(unsigned int bit, char name[VACCEL_ENUM_STR_MAX])
{
	vaccel_plugin_type_name((vaccel_plugin_type_t)bit, name, VACCEL_ENUM_STR_MAX);
	return strcmp(name, "max") != 0 ? name : NULL;
}

static struct json_object *type_to_json(unsigned int type)
{
	struct json_object *json = json_object_new_array();
	char name[VACCEL_ENUM_STR_MAX];

	for (unsigned int bit = 1; bit < VACCEL_PLUGIN_ALL; bit <<= 1)
		if (type & bit && bit_name(bit, name))
			json_append(json, json_text(name));
	return json;
}

static void put_type(unsigned int type)
{
	char name[VACCEL_ENUM_STR_MAX];
	const char *before = "";

	for (unsigned int bit = 1; bit < VACCEL_PLUGIN_ALL; bit <<= 1) {
		if (!(type & bit) || !bit_name(bit, name))
			continue;
		printf("%s%s", before, name);
		before = ", ";
	}
}

void put_plugin(const struct vaccel_plugin *plugin, const char *state)
{
	const struct vaccel_plugin_info *info = plugin->info;

	terminal_put(STYLE_HEADING, 0, info->name);
	if (info->version)
		printf(" %s (", info->version);
	if (info->version)
		put_type(info->type);
	printf("%s%s%s\n", info->version ? ")" : "", state ? ": " : "", state ? state : "");
	if (info->sentence) {
		put_indent();
		terminal_wrap(INDENT, info->sentence);
	}
	put_indent();
	terminal_put(STYLE_QUIET, 0, vaccel_plugin_path(plugin));
	putchar('\n');
}

struct json_object *plugin_to_json(const struct vaccel_plugin *plugin)
{
	const struct vaccel_plugin_info *info = plugin->info;
	struct json_object *json = json_object_new_object();

	json_put(json, "name", json_text(info->name));
	json_put(json, "version", json_text(info->version));
	json_put(json, "type", type_to_json(info->type));
	json_put(json, "sentence", json_text(info->sentence));
	json_put(json, "path", json_text(vaccel_plugin_path(plugin)));
	return json;
}

void put_offers(const struct vaccel_plugin *plugin)
{
	const struct vaccel_op *op;
	char names[OFFERS_MAX];
	size_t used = 0, nr = 0, i;

	for (i = 0; (op = vaccel_op_at(i)); i++) {
		if (!vaccel_plugin_offers(plugin, op) || used >= sizeof(names))
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s ", op->name);
		nr++;
	}
	put_fact(NULL, "operations", !nr ? "none" : nr == i ? "all" : names);
}

struct json_object *offers_to_json(const struct vaccel_plugin *plugin)
{
	struct json_object *json = json_object_new_array();
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		if (vaccel_plugin_offers(plugin, op))
			json_append(json, json_text(op->name));
	return json;
}

static void add_fact(void *array, const char *key, const char *value)
{
	struct json_object *fact = json_object_new_object();

	json_put(fact, "key", json_text(key));
	json_put(fact, "value", json_text(value));
	json_append(array, fact);
}

struct json_object *report_to_json(const struct vaccel_plugin *plugin)
{
	struct json_object *json = json_object_new_array();

	if (plugin->report)
		plugin->report(add_fact, json);
	return json;
}

static const char *const knob_types[] = {
	[VACCEL_KNOB_TEXT] = "text",
	[VACCEL_KNOB_BOOL] = "bool",
	[VACCEL_KNOB_NUMBER] = "number",
};

void put_knob(const struct vaccel_knob *knob)
{
	const char *value = vaccel_knob_text(knob);
	const char *source = vaccel_knob_source(knob);

	terminal_put(STYLE_HEADING, 0, knob->name);
	if (value)
		printf(" = %s", value);
	if (!source)
		terminal_put(STYLE_QUIET, 0, value ? "  (default)" : "  (not set)");
	else if (strcmp(source, knob->name) != 0)
		printf("  (by its old name, %s)", source);
	putchar('\n');
	put_indent();
	terminal_wrap(INDENT, knob->sentence);
}

struct json_object *knob_to_json(const struct vaccel_knob *knob)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "name", json_text(knob->name));
	json_put(json, "value", json_text(vaccel_knob_text(knob)));
	json_put(json, "source", json_text(vaccel_knob_source(knob)));
	json_put(json, "default", json_text(knob->fallback));
	json_put(json, "type", json_text(knob_types[knob->type]));
	if (knob->type == VACCEL_KNOB_NUMBER) {
		json_put(json, "least", json_object_new_int64(knob->least));
		json_put(json, "most", json_object_new_int64(knob->most));
	}
	json_put(json, "sentence", json_text(knob->sentence));
	return json;
}
