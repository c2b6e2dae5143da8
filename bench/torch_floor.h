/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of TorchScript models: libtorch called directly from C++, with one
 * thread. A module, bench-torch.so beside the plugins, that exports one
 * `const struct torch_floor torch_floor`.
 */
#ifndef BENCH_TORCH_FLOOR_H
#define BENCH_TORCH_FLOOR_H

#include <stddef.h>
#include <stdint.h>

#define TORCH_DIMS 4

struct torch_floor {
	/* The file of a model that does next to nothing; malloc'd. */
	int (*smallest)(void **ret_data, size_t *ret_size);
	/* A model's file. 0 or a VACCEL_E* code with words, as all of them. */
	int (*open)(const void *data, size_t size, void **ret_model);
	/* One input of floats; the first float of the first output. */
	int (*run)(void *model, float *in, const int64_t dims[TORCH_DIMS], float *ret_first);
	void (*close)(void *model);
};

#endif
