// SPDX-License-Identifier: Apache-2.0
/* Types and shapes in words, for error sentences. */
#include "model/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/tensor.h>

const char *type_name(int32_t type)
{
	static const char *const names[] = {
		[VACCEL_TENSOR_UNDEFINED] = "no tensor", [VACCEL_TENSOR_FLOAT] = "float",
		[VACCEL_TENSOR_UINT8] = "uint8",	 [VACCEL_TENSOR_INT8] = "int8",
		[VACCEL_TENSOR_UINT16] = "uint16",	 [VACCEL_TENSOR_INT16] = "int16",
		[VACCEL_TENSOR_INT32] = "int32",	 [VACCEL_TENSOR_INT64] = "int64",
		[VACCEL_TENSOR_STRING] = "string",	 [VACCEL_TENSOR_BOOL] = "bool",
		[VACCEL_TENSOR_FLOAT16] = "float16",	 [VACCEL_TENSOR_DOUBLE] = "double",
		[VACCEL_TENSOR_UINT32] = "uint32",	 [VACCEL_TENSOR_UINT64] = "uint64",
		[VACCEL_TENSOR_COMPLEX64] = "complex64", [VACCEL_TENSOR_COMPLEX128] = "complex128",
		[VACCEL_TENSOR_BFLOAT16] = "bfloat16",
	};

	if (type < 0 || (size_t)type >= sizeof(names) / sizeof(names[0]))
		return "an exotic type";
	return names[type];
}

struct words shape_words(int32_t type, size_t nr_dims, const int64_t *dims)
{
	struct words words;
	size_t used = (size_t)snprintf(words.text, WORDS_MAX, "%s [", type_name(type));

	for (size_t i = 0; i < nr_dims && used < WORDS_MAX; i++) {
		const char *comma = i ? ", " : "";

		if (dims[i] < 0)
			used += (size_t)snprintf(words.text + used, WORDS_MAX - used, "%sany",
						 comma);
		else
			used += (size_t)snprintf(words.text + used, WORDS_MAX - used, "%s%" PRId64,
						 comma, dims[i]);
	}
	if (used < WORDS_MAX)
		snprintf(words.text + used, WORDS_MAX - used, "]");
	return words;
}

void words_flatten(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		bool blank = strchr(" \n\t", *from);

		if (!blank)
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}
