/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models, read and not yet parsed. */
#ifndef ONNX_CONTENT_H
#define ONNX_CONTENT_H

#include "model/files.h"

/** The largest ONNX file; it is the format's own limit. Larger weights lie in files beside it. */
#define ONNX_SIZE_MAX INT32_MAX

/**
 * struct content - an ONNX model, ready to be parsed
 * @onnx: the ONNX file
 * @folder: the directory of the files that its weights lie in; NULL if it has none
 * @digest: of all that
 * @words: what messages call it; as the files it was read from
 */
struct content {
	struct bytes onnx;
	char *folder;
	struct digest digest;
	const char *words;
};

/** content_read() - read a model's ONNX file, and what goes with it */
int content_read(struct model_files *files, struct content *ret_content);

void content_release(struct content *content);

#endif
