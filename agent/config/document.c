// SPDX-License-Identifier: Apache-2.0
/*
 * What can be wrong with a document as such. libcyaml would find most of it too, but
 * says it to its log in terms of its own; whoever writes the file is to read its
 * line, the key, and what to write instead.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/config/document.h"
#include "agent/config/guess.h"
#include "base/util.h"

#define PLACE_MAX 192

/* By a tab; all that the parser says of it is that no token starts by it. */
static bool is_indented_by_tab(const struct document *document, size_t line)
{
	const char *at = document->text, *end = at + document->size;

	for (; at && line > 1; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	while (at && at < end && *at == ' ')
		at++;
	return at && at < end && *at == '\t';
}

static int load(const struct document *document, yaml_parser_t *parser, yaml_document_t *ret_yaml)
{
	size_t line;

	if (yaml_parser_load(parser, ret_yaml))
		return VACCEL_OK;
	line = parser->problem_mark.line + 1;
	if (is_indented_by_tab(document, line))
		return vaccel_fail(VACCEL_EINVAL,
				   "%s:%zu: there is a tab; YAML is indented by spaces alone",
				   document->name, line);
	return vaccel_fail(VACCEL_EINVAL,
			   "%s:%zu: %s; look at indentation, colons and brackets up to here",
			   document->name, line, parser->problem ? parser->problem : "no memory");
}

/* Nobody would read another one. */
static int check_end(const struct document *document, yaml_parser_t *parser)
{
	yaml_document_t next;
	int ret = load(document, parser, &next);

	if (ret)
		return ret;
	if (yaml_document_get_root_node(&next))
		ret = vaccel_fail(VACCEL_EINVAL,
				  "%s:%zu: another document begins here; a configuration is one, "
				  "without '---' in between",
				  document->name, next.start_mark.line + 1);
	yaml_document_delete(&next);
	return ret;
}

int document_open(struct document *document)
{
	yaml_parser_t parser;
	int ret;

	if (!yaml_parser_initialize(&parser))
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a configuration");
	yaml_parser_set_input_string(&parser, (const unsigned char *)document->text,
				     document->size);
	ret = load(document, &parser, &document->yaml);
	if (!ret) {
		ret = check_end(document, &parser);
		if (ret)
			document_close(document);
	}
	yaml_parser_delete(&parser);
	return ret;
}

void document_close(struct document *document)
{
	yaml_document_delete(&document->yaml);
}

static const char *text_of(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
						      : NULL;
}

/* The first pair of that key in the mapping, from @pair on, or from the start; NULL: none. */
static const yaml_node_pair_t *pair_of(yaml_document_t *yaml, const yaml_node_t *mapping,
				       const yaml_node_pair_t *pair, const char *key)
{
	if (mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = pair ? pair : mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const char *name = text_of(yaml_document_get_node(yaml, pair->key));

		if (name && !strcmp(name, key))
			return pair;
	}
	return NULL;
}

static yaml_node_t *value_of(yaml_document_t *yaml, const yaml_node_t *mapping, const char *key)
{
	const yaml_node_pair_t *pair = pair_of(yaml, mapping, NULL, key);

	return pair ? yaml_document_get_node(yaml, pair->value) : NULL;
}

static yaml_node_t *item_of(yaml_document_t *yaml, const yaml_node_t *sequence, unsigned int index)
{
	const yaml_node_item_t *items = sequence->data.sequence.items.start;

	if (sequence->type != YAML_SEQUENCE_NODE ||
	    index >= (size_t)(sequence->data.sequence.items.top - items))
		return NULL;
	return yaml_document_get_node(yaml, items[index]);
}

yaml_node_t *document_find(struct document *document, const struct place *place)
{
	yaml_node_t *node;

	if (!place)
		return yaml_document_get_root_node(&document->yaml);
	node = document_find(document, place->in);
	if (!node)
		return NULL;
	return place->key ? value_of(&document->yaml, node, place->key)
			  : item_of(&document->yaml, node, place->index);
}

bool document_is_empty(struct document *document)
{
	const yaml_node_t *root = document_find(document, NULL);
	const char *text = text_of(root);

	return !root || (text && !*text);
}

/* "policies.gold.deadline" */
static void print_place(FILE *out, const struct place *place)
{
	if (!place)
		return;
	print_place(out, place->in);
	if (place->key)
		fprintf(out, "%s%s", place->in ? "." : "", place->key);
	else
		fprintf(out, "[%u]", place->index);
}

/* The last key of that name: of two that are the same the second is one too many. */
static yaml_node_t *key_of(yaml_document_t *yaml, const yaml_node_t *mapping, const char *key)
{
	const yaml_node_pair_t *pair = pair_of(yaml, mapping, NULL, key), *last = NULL;

	for (; pair; pair = pair_of(yaml, mapping, pair + 1, key))
		last = pair;
	return last ? yaml_document_get_node(yaml, last->key) : NULL;
}

/* What the place begins with: its key, where it has one. */
static yaml_node_t *start_of(struct document *document, const struct place *place)
{
	yaml_node_t *around = place && place->key ? document_find(document, place->in) : NULL;

	return around ? key_of(&document->yaml, around, place->key)
		      : document_find(document, place);
}

/* The line of the place, or of the nearest around it that is written there. */
static size_t line_of(struct document *document, const struct place *place)
{
	yaml_node_t *node = start_of(document, place);

	while (!node && place) {
		place = place->in;
		node = start_of(document, place);
	}
	return node ? node->start_mark.line + 1 : 1;
}

char *document_where(struct document *document, const struct place *place)
{
	char text[PLACE_MAX] = "";
	char line[24] = "";
	char *where;
	FILE *out = fmemopen(text, sizeof(text) - 1, "w");

	if (out) {
		print_place(out, place);
		fclose(out);
	}
	if (document->has_lines)
		snprintf(line, sizeof(line), ":%zu", line_of(document, place));
	if (asprintf(&where, "%s%s%s%s", document->name, line, place ? ": " : "", text) < 0)
		return NULL;
	return where;
}

int document_fail(struct document *document, const struct place *place, const char *format, ...)
{
	_cleanup_(freep) char *where = document_where(document, place);
	char words[512];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	return vaccel_fail(VACCEL_EINVAL, "%s: %s", where ? where : document->name, words);
}

static int check(struct document *document, const struct place *place,
		 const cyaml_schema_value_t *schema);

static int fail_unknown(struct document *document, const struct place *place,
			const cyaml_schema_field_t *fields, const char *key)
{
	struct guess guess = {.typed = key};

	for (; fields->key; fields++)
		guess_offer(&guess, fields->key);
	if (guess.best)
		return document_fail(document, AT(place, key),
				     "there is no such key; did you mean '%s'?", guess.best);
	return document_fail(document, AT(place, key), "there is no such key");
}

static int check_mapping(struct document *document, const struct place *place,
			 const yaml_node_t *node, const cyaml_schema_field_t *fields)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	int ret = VACCEL_OK;

	for (; !ret && pair < node->data.mapping.pairs.top; pair++) {
		const char *key = text_of(yaml_document_get_node(&document->yaml, pair->key));
		const cyaml_schema_field_t *field = fields;

		if (!key)
			return document_fail(document, place, "a key must be text");
		if (pair_of(&document->yaml, node, NULL, key) != pair)
			return document_fail(document, AT(place, key), "is there twice");
		while (field->key && strcmp(field->key, key))
			field++;
		ret = field->key ? check(document, AT(place, key), &field->value)
				 : fail_unknown(document, place, fields, key);
	}
	return ret;
}

static int check_sequence(struct document *document, const struct place *place,
			  const yaml_node_t *node, const cyaml_schema_value_t *entry)
{
	size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	int ret = VACCEL_OK;

	for (unsigned int i = 0; !ret && i < count; i++)
		ret = check(document, AT_INDEX(place, i), entry);
	return ret;
}

static int check(struct document *document, const struct place *place,
		 const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = document_find(document, place);

	switch (schema->type) {
	case CYAML_MAPPING:
		if (node->type == YAML_MAPPING_NODE)
			return check_mapping(document, place, node, schema->mapping.fields);
		return document_fail(document, place, "keys with values must follow");
	case CYAML_SEQUENCE:
		if (node->type == YAML_SEQUENCE_NODE)
			return check_sequence(document, place, node, schema->sequence.entry);
		return document_fail(document, place, "a list must follow, as in [one, two]");
	default:
		if (node->type == YAML_SCALAR_NODE)
			return VACCEL_OK;
		return document_fail(document, place, "one value must follow");
	}
}

int document_check(struct document *document, const cyaml_schema_value_t *schema)
{
	return document_is_empty(document) ? VACCEL_OK : check(document, NULL, schema);
}
