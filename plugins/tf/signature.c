// SPDX-License-Identifier: Apache-2.0
#include "tf/signature.h"

#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "model/util.h"
#include "tf/proto.h"

/* Numbers of fields in TensorFlow's messages, and of the two in an entry of any map */
enum {
	META_GRAPH_SIGNATURES = 5,
	SIGNATURE_INPUTS = 1,
	SIGNATURE_OUTPUTS = 2,
	TENSOR_NAME = 1,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
};

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

	while (part_next(&signature, &field)) {
		struct part name, node;

		if (field.number != SIGNATURE_INPUTS && field.number != SIGNATURE_OUTPUTS)
			continue;
		name = part_find(field.bytes, ENTRY_KEY);
		node = part_find(part_find(field.bytes, ENTRY_VALUE), TENSOR_NAME);
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

	while (part_next(&message, &field))
		if (field.number == META_GRAPH_SIGNATURES &&
		    part_is(part_find(field.bytes, ENTRY_KEY), name))
			signature = part_find(field.bytes, ENTRY_VALUE);
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
