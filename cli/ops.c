// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel ops: the operations as they are described under ops/. Bindings and
 * documentation are made of the JSON, so what it says is fixed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/describe.h"
#include "command.h"

#define NAME_WIDTH   22
#define REPEAT_WIDTH 8
#define DIR_WIDTH    6
#define TYPE_WIDTH   16
#define ARG_WIDTH    14
#define SENTENCE_MAX 512

static const char *const repeats[] = {
	[VACCEL_REPEAT_EFFECT] = "EFFECT",
	[VACCEL_REPEAT_PURE] = "PURE",
	[VACCEL_REPEAT_LOAD] = "LOAD",
	[VACCEL_REPEAT_UNLOAD] = "UNLOAD",
};

static const char *const dirs[] = {
	[VACCEL_DIR_IN] = "IN",
	[VACCEL_DIR_OUT] = "OUT",
	[VACCEL_DIR_INOUT] = "INOUT",
};

static const char *const kinds[] = {
	[VACCEL_KIND_ONE] = "ONE",	     [VACCEL_KIND_SPAN] = "SPAN",
	[VACCEL_KIND_TEXT] = "TEXT",	     [VACCEL_KIND_LIST] = "LIST",
	[VACCEL_KIND_TENSORS] = "TENSORS",   [VACCEL_KIND_ARGS] = "ARGS",
	[VACCEL_KIND_RESOURCE] = "RESOURCE",
};

static const struct {
	enum vaccel_mark mark;
	const char *name;
} marks[] = {
	{VACCEL_MARK_OPTIONAL, "OPTIONAL"},
	{VACCEL_MARK_GROWS, "GROWS"},
	{VACCEL_MARK_STABLE, "STABLE"},
};

static struct json_object *marks_to_json(unsigned int set)
{
	struct json_object *json = json_object_new_array();

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (set & marks[i].mark)
			json_append(json, json_text(marks[i].name));
	return json;
}

static struct json_object *item_to_json(const struct vaccel_item *item)
{
	struct json_object *json = json_object_new_array();

	for (size_t i = 0; i < item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i];
		struct json_object *row = json_object_new_object();

		json_put(row, "name", json_text(field->name));
		json_put(row, "kind", json_text(kinds[field->kind]));
		json_put(row, "type", json_text(field->type));
		json_put(row, "sentence", json_text(field->sentence));
		json_append(json, row);
	}
	return json;
}

static struct json_object *arg_to_json(const struct vaccel_field *field)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "name", json_text(field->name));
	json_put(json, "dir", json_text(dirs[field->dir]));
	json_put(json, "kind", json_text(kinds[field->kind]));
	json_put(json, "type", json_text(field->type));
	json_put(json, "marks", marks_to_json(field->marks));
	json_put(json, "sentence", json_text(field->sentence));
	if (field->item)
		json_put(json, "item", item_to_json(field->item));
	return json;
}

static struct json_object *op_to_json(const struct vaccel_op *op)
{
	struct json_object *json = json_object_new_object();
	struct json_object *args = json_object_new_array();
	char hash[17];

	snprintf(hash, sizeof(hash), "%016" PRIx64, vaccel_op_hash(op->signature));
	json_put(json, "number", json_object_new_int(op->number));
	json_put(json, "name", json_text(op->name));
	json_put(json, "symbol", json_text(op->symbol));
	json_put(json, "sentence", json_text(op->sentence));
	json_put(json, "repeat", json_text(repeats[op->repeat]));
	json_put(json, "hash", json_text(hash));
	for (size_t i = 0; i < op->nr_fields; i++)
		json_append(args, arg_to_json(&op->fields[i]));
	json_put(json, "args", args);
	return json;
}

static void put_row(const struct vaccel_op *op)
{
	printf("%3d ", (int)op->number);
	terminal_put(STYLE_HEADING, NAME_WIDTH, op->name);
	terminal_put(STYLE_PLAIN, REPEAT_WIDTH, repeats[op->repeat]);
	terminal_wrap(4 + NAME_WIDTH + REPEAT_WIDTH, op->sentence);
}

static void put_arg(const struct vaccel_field *field)
{
	char text[SENTENCE_MAX];
	size_t used;

	put_indent();
	terminal_put(STYLE_PLAIN, DIR_WIDTH, dirs[field->dir]);
	snprintf(text, sizeof(text), "%s %s", kinds[field->kind], field->type);
	terminal_put(STYLE_PLAIN, TYPE_WIDTH, text);
	terminal_put(STYLE_HEADING, ARG_WIDTH, field->name);
	used = (size_t)snprintf(text, sizeof(text), "%s", field->sentence);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (field->marks & marks[i].mark && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, ", %s",
						 marks[i].name);
	terminal_wrap(INDENT + DIR_WIDTH + TYPE_WIDTH + ARG_WIDTH, text);
}

static void put_op(const struct vaccel_op *op)
{
	put_row(op);
	for (size_t i = 0; i < op->nr_fields; i++)
		put_arg(&op->fields[i]);
}

/* By its name, or by that of its function in C, of which "vaccel_" may be left out. */
static bool goes_by(const struct vaccel_op *op, const char *name)
{
	const char *function = op->symbol + strlen("vaccel_");

	return !strcmp(op->name, name) || !strcmp(op->symbol, name) || !strcmp(function, name);
}

static const struct vaccel_op *find_op(const char *name)
{
	struct guess guess = {.typed = name};
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++) {
		if (goes_by(op, name))
			return op;
		guess_offer(&guess, op->name);
	}
	if (guess_best(&guess))
		complain("there is no operation '%s'; did you mean '%s'?", name,
			 guess_best(&guess));
	else
		complain("there is no operation '%s'; `vaccel ops` lists them", name);
	return NULL;
}

/* The operation at @index of those asked for, or of all. NULL past the last. */
static const struct vaccel_op *op_at(const struct options *options, size_t index)
{
	if (!options->nr_operands)
		return vaccel_op_at(index);
	return index < options->nr_operands ? find_op(options->operands[index]) : NULL;
}

static void show(const struct options *options)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = op_at(options, i)); i++) {
		if (options->nr_operands)
			put_op(op);
		else
			put_row(op);
	}
}

int ops_main(const struct options *options)
{
	struct json_object *json;
	const struct vaccel_op *op;

	for (size_t i = 0; i < options->nr_operands; i++)
		if (!find_op(options->operands[i]))
			return STATUS_USAGE;
	if (!options->json) {
		show(options);
		return STATUS_OK;
	}
	json = json_object_new_array();
	for (size_t i = 0; (op = op_at(options, i)); i++)
		json_append(json, op_to_json(op));
	json_print(json);
	return STATUS_OK;
}
