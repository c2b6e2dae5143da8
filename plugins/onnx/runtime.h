/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX Runtime itself, from the plugin's init to its fini. */
#ifndef ONNX_RUNTIME_H
#define ONNX_RUNTIME_H

#include <onnxruntime_c_api.h>

/** All of ONNX Runtime's functions. */
extern const OrtApi *ort;

/** What all sessions share. */
extern OrtEnv *runtime_env;

/** The memory of this process, for tensors that lie in it. */
extern OrtMemoryInfo *runtime_memory;

/** runtime_open() - 0; ELIBBAD if the library is older than its header; EBACKEND */
int runtime_open(void);
void runtime_close(void);

/** runtime_version() - the library's, such as "1.31.1" */
const char *runtime_version(void);

/** runtime_check() - 0 for NULL; else EBACKEND with ONNX Runtime's words. Releases the status. */
int runtime_check(OrtStatus *status);

/* For variables declared _cleanup_(…p) */
void value_releasep(OrtValue **value);
void options_releasep(OrtSessionOptions **options);
void shape_releasep(OrtTensorTypeAndShapeInfo **shape);

/** value_shape() - a tensor's type and dimensions; the caller frees *ret_dims */
int value_shape(const OrtValue *value, ONNXTensorElementDataType *ret_type, size_t *ret_nr_dims,
		int64_t **ret_dims);

#endif
