/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLITE_TYPES_H
#define TFLITE_TYPES_H

#include <stdint.h>

/**
 * type_from_tflite() - the enum vaccel_tensor_type for an enum vaccel_tflite_data_type
 *
 * VACCEL_TENSOR_UNDEFINED for what is no tensor of values, and for unknown numbers.
 */
int32_t type_from_tflite(int32_t type);

#endif
