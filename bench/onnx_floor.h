/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of classification: ONNX Runtime, libjpeg-turbo and libpng called
 * directly, with the same resize. It is a module, bench-onnx.so beside the
 * plugins, so that the command itself needs no ONNX Runtime; it exports one
 * `const struct onnx_floor onnx_floor`.
 */
#ifndef BENCH_ONNX_FLOOR_H
#define BENCH_ONNX_FLOOR_H

#include <stddef.h>

struct onnx_floor {
	/* A model directory with a card, one thread. 0 or a VACCEL_E* code with words. */
	int (*open)(const char *directory, void **ret_model);
	/* The most likely class of a picture, and its probability. */
	int (*classify)(void *model, const void *picture, size_t size, size_t *ret_class,
			float *ret_probability);
	void (*close)(void *model);
};

#endif
