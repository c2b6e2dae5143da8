/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays in files as NumPy has them: .npy, little-endian, in C order. */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include <stddef.h>

#include <vaccel.h>

/**
 * struct number_type - a type of numbers by its names
 * @descr: NumPy's, "<f4"
 * @name: everybody's, "float32"
 * @size: bytes of one
 * @type: an enum vaccel_tensor_type
 */
struct number_type {
	const char *descr;
	const char *name;
	size_t size;
	int32_t type;
};

/* The type of that number, or NULL if such a tensor is not for a file. */
const struct number_type *number_type_of(int32_t type);

/*
 * Reads a file, all of it and nothing else. The tensor is the caller's to release. 0, or a code
 * of vaccel_fail().
 */
int npy_read(const char *path, struct vaccel_tensor *ret_tensor);

/* Writes a tensor of such a type; a file that is there is replaced. 0, or a code of vaccel_fail().
 */
int npy_write(const char *path, const struct vaccel_tensor *tensor);

#endif
