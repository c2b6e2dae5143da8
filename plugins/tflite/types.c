// SPDX-License-Identifier: Apache-2.0
/*
 * TensorFlow Lite and ONNX number the same types differently. Programs give the
 * former; what models have in common, words included, is told in the latter.
 */
#include "tflite/types.h"

#include <stddef.h>

#include <vaccel/ops/tflite.h>
#include <vaccel/tensor.h>

int32_t type_from_tflite(int32_t type)
{
	static const int32_t types[] = {
		[VACCEL_TFLITE_FLOAT32] = VACCEL_TENSOR_FLOAT,
		[VACCEL_TFLITE_INT32] = VACCEL_TENSOR_INT32,
		[VACCEL_TFLITE_UINT8] = VACCEL_TENSOR_UINT8,
		[VACCEL_TFLITE_INT64] = VACCEL_TENSOR_INT64,
		[VACCEL_TFLITE_STRING] = VACCEL_TENSOR_STRING,
		[VACCEL_TFLITE_BOOL] = VACCEL_TENSOR_BOOL,
		[VACCEL_TFLITE_INT16] = VACCEL_TENSOR_INT16,
		[VACCEL_TFLITE_COMPLEX64] = VACCEL_TENSOR_COMPLEX64,
		[VACCEL_TFLITE_INT8] = VACCEL_TENSOR_INT8,
		[VACCEL_TFLITE_FLOAT16] = VACCEL_TENSOR_FLOAT16,
		[VACCEL_TFLITE_FLOAT64] = VACCEL_TENSOR_DOUBLE,
		[VACCEL_TFLITE_COMPLEX128] = VACCEL_TENSOR_COMPLEX128,
		[VACCEL_TFLITE_UINT64] = VACCEL_TENSOR_UINT64,
		[VACCEL_TFLITE_UINT32] = VACCEL_TENSOR_UINT32,
		[VACCEL_TFLITE_UINT16] = VACCEL_TENSOR_UINT16,
		[VACCEL_TFLITE_INT4] = VACCEL_TENSOR_INT4,
	};

	if (type < 0 || (size_t)type >= sizeof(types) / sizeof(types[0]))
		return VACCEL_TENSOR_UNDEFINED;
	return types[type];
}
