/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the tflite plugin. */
#ifndef TESTS_TFLITE_SUPPORT_H
#define TESTS_TFLITE_SUPPORT_H

#include "../support/framework.h"

#define MODEL(name) MODELS "/" name ".tflite"

#define DIMS(...)               \
	(int32_t[])             \
	{                       \
		__VA_ARGS__, -1 \
	}

FRAMEWORK_TENSORS(vaccel_tflite_tensor, vaccel_tflite_data_type, int32_t)

#endif
