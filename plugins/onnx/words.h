/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ONNX_WORDS_H
#define ONNX_WORDS_H

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

/** type_name() - "float", "int64" and so on; "no tensor" for UNDEFINED */
const char *type_name(int32_t type);

#endif
