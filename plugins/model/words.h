/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_WORDS_H
#define MODEL_WORDS_H

#include <stddef.h>
#include <stdint.h>

/** Room for the words of any tensor of a common shape; a longer one is cut. */
#define WORDS_MAX 160

/** struct words - a text to be put into a sentence: shape_words(…).text */
struct words {
	char text[WORDS_MAX];
};

/** shape_words() - a tensor's type and shape, "float [1, 3, any, 224]", dimensions below 0 being
 * any */
struct words shape_words(int32_t type, size_t nr_dims, const int64_t *dims);

/** words_flatten() - a framework's text in one line: one blank for any number */
void words_flatten(char *text);

/** type_name() - "float", "int64" and so on; "no tensor" for UNDEFINED */
const char *type_name(int32_t type);

#endif
