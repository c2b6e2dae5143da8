/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow Lite: its tensors. */
#ifndef VACCEL_OPS_TFLITE_H
#define VACCEL_OPS_TFLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers of TfLiteType in TensorFlow Lite's C API. */
enum vaccel_tflite_data_type {
	VACCEL_TFLITE_NOTYPE = 0,
	VACCEL_TFLITE_FLOAT32 = 1,
	VACCEL_TFLITE_INT32 = 2,
	VACCEL_TFLITE_UINT8 = 3,
	VACCEL_TFLITE_INT64 = 4,
	VACCEL_TFLITE_STRING = 5,
	VACCEL_TFLITE_BOOL = 6,
	VACCEL_TFLITE_INT16 = 7,
	VACCEL_TFLITE_COMPLEX64 = 8,
	VACCEL_TFLITE_INT8 = 9,
	VACCEL_TFLITE_FLOAT16 = 10,
	VACCEL_TFLITE_FLOAT64 = 11,
	VACCEL_TFLITE_COMPLEX128 = 12,
	VACCEL_TFLITE_UINT64 = 13,
	VACCEL_TFLITE_RESOURCE = 14,
	VACCEL_TFLITE_VARIANT = 15,
	VACCEL_TFLITE_UINT32 = 16,
	VACCEL_TFLITE_UINT16 = 17,
	VACCEL_TFLITE_INT4 = 18
};

/** struct vaccel_tflite_tensor - a tensor of TensorFlow Lite */
struct vaccel_tflite_tensor {
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_tflite_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	int nr_dims;
	int32_t *dims;
	enum vaccel_tflite_data_type data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_tflite_tensor, int, int32_t, enum vaccel_tflite_data_type)

#ifdef __cplusplus
}
#endif

#endif
