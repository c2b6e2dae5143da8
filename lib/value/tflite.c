// SPDX-License-Identifier: Apache-2.0
/* The values of TensorFlow Lite. All is in the template, which see. */
#include <vaccel/ops/tflite.h>

#define TENSOR		vaccel_tflite_tensor
#define TENSOR_RANK	int
#define TENSOR_MIN_RANK 1
#define TENSOR_DIM	int32_t
#define TENSOR_TYPE	enum vaccel_tflite_data_type
#include "value/tensor_template.h"
