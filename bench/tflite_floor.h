/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of TensorFlow Lite models: TensorFlow Lite called directly, with one thread and
 * XNNPACK. A module, bench-tflite.so beside the plugins, that exports one
 * `const struct tflite_floor tflite_floor`.
 */
#ifndef BENCH_TFLITE_FLOOR_H
#define BENCH_TFLITE_FLOOR_H

#include <stddef.h>

#include <vaccel/ops/tflite.h>

/* More inputs or outputs than these are not measured. */
#define TFLITE_ENDS_MAX 8

struct tflite_floor {
	/* The file of a model that does next to nothing. */
	const char *smallest;
	const char *smallest_end;
	/* A model's file, whose bytes stay. 0 or a VACCEL_E* code with words, as all of them. */
	int (*open)(const void *data, size_t size, void **ret_model);
	/* What the model takes: tensors that belong to it, with data; and how many it gives. */
	size_t (*inputs)(void *model, struct vaccel_tflite_tensor *ret_in, size_t *ret_nr_out);
	/* Runs it on these, and copies its outputs; the first byte of the first output. */
	int (*run)(void *model, unsigned char *ret_first);
	void (*close)(void *model);
};

#endif
