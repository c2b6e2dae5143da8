// SPDX-License-Identifier: Apache-2.0
/*
 * Protocol buffers as far as it takes: a message is a row of fields, each a number with
 * a kind, then a number of variable length, or bytes with their count before them.
 */
#include "tf/signature.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "model/util.h"

/* Numbers of fields in TensorFlow's messages, and of the two in an entry of any map */
enum {
	META_GRAPH_SIGNATURES = 5,
	SIGNATURE_INPUTS = 1,
	SIGNATURE_OUTPUTS = 2,
	TENSOR_NAME = 1,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
};

/* What is left of a message, or the bytes of a field. */
struct part {
	const uint8_t *data;
	size_t size;
};

struct field {
	uint32_t number;
	struct part bytes; /* none for fields of other kinds */
};

static bool read_number(struct part *part, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64 && part->size; shift += 7) {
		uint8_t byte = *part->data++;

		part->size--;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_number = number;
			return true;
		}
	}
	return false;
}

static bool skip(struct part *part, uint64_t size)
{
	if (size > part->size)
		return false;
	part->data += size;
	part->size -= (size_t)size;
	return true;
}

/* Reads the next field; false at the end and where it makes no sense: then something is left. */
static bool next(struct part *part, struct field *field)
{
	enum { NUMBER, EIGHT_BYTES, BYTES, FOUR_BYTES = 5 };
	struct part rest = *part;
	uint64_t key, value;
	bool whole;

	*field = (struct field){0};
	if (!read_number(&rest, &key))
		return false;
	field->number = (uint32_t)(key >> 3);
	switch (key & 7) {
	case NUMBER:
		whole = read_number(&rest, &value);
		break;
	case EIGHT_BYTES:
		whole = skip(&rest, 8);
		break;
	case FOUR_BYTES:
		whole = skip(&rest, 4);
		break;
	case BYTES:
		whole = read_number(&rest, &value);
		field->bytes = (struct part){rest.data, whole ? (size_t)value : 0};
		whole = whole && skip(&rest, value);
		break;
	default:
		whole = false;
	}
	if (whole)
		*part = rest;
	return whole;
}

/* The bytes of a message's last field of that number; none if it has none. */
static struct part find(struct part message, uint32_t number)
{
	struct part found = {0};
	struct field field;

	while (next(&message, &field))
		if (field.number == number)
			found = field.bytes;
	return found;
}

static bool is(struct part part, const char *text)
{
	return part.data && part.size == strlen(text) && !memcmp(part.data, text, part.size);
}

/* Copies a name to where the text goes on. */
static const char *keep(char **text, struct part part)
{
	const char *kept = *text;

	if (part.size)
		memcpy(*text, part.data, part.size);
	(*text)[part.size] = '\0';
	*text += part.size + 1;
	return kept;
}

/* All inputs and outputs. Both have names of their own, which are seldom the same. */
static void read_aliases(struct part signature, struct signature *result)
{
	char *text = result->text;
	struct field field;

	while (next(&signature, &field)) {
		struct part name, node;

		if (field.number != SIGNATURE_INPUTS && field.number != SIGNATURE_OUTPUTS)
			continue;
		name = find(field.bytes, ENTRY_KEY);
		node = find(find(field.bytes, ENTRY_VALUE), TENSOR_NAME);
		if (!node.size)
			continue;
		result->alias[result->nr].name = keep(&text, name);
		result->alias[result->nr++].node = keep(&text, node);
	}
}

int signature_read(const void *data, size_t size, const char *name, struct signature *ret_signature)
{
	struct part message = {data, size};
	struct part signature = {0};
	struct field field;

	while (next(&message, &field))
		if (field.number == META_GRAPH_SIGNATURES && is(find(field.bytes, ENTRY_KEY), name))
			signature = find(field.bytes, ENTRY_VALUE);
	if (message.size)
		return vaccel_fail(VACCEL_EINVAL, "the SavedModel's description makes no sense");
	/* An entry takes more than two bytes, so there is room for all names and the ends of each.
	 */
	*ret_signature = (struct signature){
		.text = malloc(2 * signature.size + 1),
		.alias = calloc(signature.size + 1, sizeof(struct alias)),
	};
	if (!ret_signature->text || !ret_signature->alias) {
		signature_release(ret_signature);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model's signature");
	}
	read_aliases(signature, ret_signature);
	return VACCEL_OK;
}

const char *signature_find(const struct signature *signature, const char *name)
{
	for (size_t i = 0; i < signature->nr; i++)
		if (!strcmp(signature->alias[i].name, name))
			return signature->alias[i].node;
	return NULL;
}

void signature_release(struct signature *signature)
{
	free(signature->text);
	free(signature->alias);
	*signature = (struct signature){0};
}
