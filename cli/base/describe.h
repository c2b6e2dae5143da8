/* SPDX-License-Identifier: Apache-2.0 */
/* What several commands say of plugins and knobs, for people and in JSON. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

#include <json-c/json_object.h>

#include <vaccel.h>

#include "base/terminal.h"

#define INDENT 4

/* Begins a line that belongs to the one above. */
void put_indent(void);

/* "WHAT:", and indented below it a failure of the library's. */
void put_failure(const char *what, const char *failure);

/* One line "KEY VALUE" of what belongs to the line above; a vaccel_plugin_report_fn. */
void put_fact(void *unused, const char *key, const char *value);

/* A string, or null for NULL; bytes that are not UTF-8 become U+FFFD. */
struct json_object *json_text(const char *text);

/* A number, printed with as many digits as a measurement or a float has; null if it is none. */
struct json_object *json_number(double value);

/* Give @value away to an object, or to an array. */
void json_put(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

/* Prints it and gives it up. */
void json_print(struct json_object *json);

/* "onnx 0.9.0 (cpu, gpu): STATE", then what it does and where it lies. NULL for no state. */
void put_plugin(const struct vaccel_plugin *plugin, const char *state);
struct json_object *plugin_to_json(const struct vaccel_plugin *plugin);

/* The names of the operations that a plugin offers. */
void put_offers(const struct vaccel_plugin *plugin);
struct json_object *offers_to_json(const struct vaccel_plugin *plugin);

/* What its report hook says: [{"key","value"}]. */
struct json_object *report_to_json(const struct vaccel_plugin *plugin);

/* A knob, its value, and where that comes from. */
void put_knob(const struct vaccel_knob *knob);
struct json_object *knob_to_json(const struct vaccel_knob *knob);

#endif
