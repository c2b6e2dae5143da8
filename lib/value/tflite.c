// SPDX-License-Identifier: Apache-2.0
/* The values of TensorFlow Lite. All is in the template, which see. */
#include <vaccel/ops/tflite.h>

/* Bits of an element; 0 where elements have no one size. */
static const unsigned char element_bits[] = {
	[VACCEL_TFLITE_UINT8] = 8,	[VACCEL_TFLITE_BOOL] = 8,
	[VACCEL_TFLITE_INT8] = 8,	[VACCEL_TFLITE_INT16] = 16,
	[VACCEL_TFLITE_FLOAT16] = 16,	[VACCEL_TFLITE_UINT16] = 16,
	[VACCEL_TFLITE_FLOAT32] = 32,	[VACCEL_TFLITE_INT32] = 32,
	[VACCEL_TFLITE_UINT32] = 32,	[VACCEL_TFLITE_INT64] = 64,
	[VACCEL_TFLITE_COMPLEX64] = 64, [VACCEL_TFLITE_FLOAT64] = 64,
	[VACCEL_TFLITE_UINT64] = 64,	[VACCEL_TFLITE_COMPLEX128] = 128,
};

#define TENSOR		vaccel_tflite_tensor
#define TENSOR_RANK	int
#define TENSOR_MIN_RANK 1
#define TENSOR_DIM	int32_t
#define TENSOR_TYPE	enum vaccel_tflite_data_type
#define TENSOR_BITS	element_bits
#include "value/tensor_template.h"
