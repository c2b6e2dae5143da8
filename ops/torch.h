/* SPDX-License-Identifier: Apache-2.0 */
/* PyTorch: its tensors and buffers. */
#ifndef VACCEL_OPS_TORCH_H
#define VACCEL_OPS_TORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Our numbers for torch's kByte, kChar and so on. */
enum vaccel_torch_data_type {
	VACCEL_TORCH_BYTE = 1,
	VACCEL_TORCH_CHAR = 2,
	VACCEL_TORCH_SHORT = 3,
	VACCEL_TORCH_INT = 4,
	VACCEL_TORCH_LONG = 5,
	VACCEL_TORCH_HALF = 6,
	VACCEL_TORCH_FLOAT = 7,
	VACCEL_TORCH_DOUBLE = 8,
	VACCEL_TORCH_BOOL = 9,
	VACCEL_TORCH_BFLOAT16 = 10
};

/** struct vaccel_torch_tensor - a tensor of PyTorch */
struct vaccel_torch_tensor {
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_torch_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	int64_t nr_dims;
	int64_t *dims;
	enum vaccel_torch_data_type data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_torch_tensor, int64_t, int64_t, enum vaccel_torch_data_type)

/** struct vaccel_torch_buffer - bytes, such as run options */
struct vaccel_torch_buffer {
	/** malloc'd, and the buffer's own. */
	char *data;
	size_t size;
};

VACCEL_BUFFER_FUNCTIONS(vaccel_torch_buffer, char)

#ifdef __cplusplus
}
#endif

#endif
