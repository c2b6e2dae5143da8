/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TFLITE_FLAT_H
#define TFLITE_FLAT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * flat_has_graph() - whether a model has what TensorFlow Lite takes for granted
 * @model: its bytes, which TensorFlow Lite has taken for a model
 * @size: how many
 */
bool flat_has_graph(const void *model, size_t size);

/**
 * flat_has_variables() - whether a model has operations that keep something from run to run
 * @model: its bytes, which TensorFlow Lite has taken for a model
 * @size: how many
 */
bool flat_has_variables(const void *model, size_t size);

#endif
