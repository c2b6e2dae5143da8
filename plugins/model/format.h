/* SPDX-License-Identifier: Apache-2.0 */
/* Which framework a model is for, as far as that can be seen without one. */
#ifndef MODEL_FORMAT_H
#define MODEL_FORMAT_H

#include "model/files.h"

#ifdef __cplusplus
extern "C" {
#endif

enum model_format {
	FORMAT_UNKNOWN,
	FORMAT_ONNX,
	FORMAT_TFLITE,
	FORMAT_TF,
	FORMAT_TORCH,
};

/**
 * format_of() - the format of a model
 *
 * By the names of its files; of one file whose name says nothing, by its first bytes.
 * FORMAT_UNKNOWN is no error: an ONNX file, for one, starts like any other.
 */
enum model_format format_of(const struct model_files *files);

#ifdef __cplusplus
}
#endif

#endif
