/* SPDX-License-Identifier: Apache-2.0 */
/* What tensors of all frameworks have in common; see tensor_template.h. */
#ifndef VACCEL_VALUE_TENSOR_H
#define VACCEL_VALUE_TENSOR_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <vaccel/tensor.h>

/*
 * A malloc'd copy of the dimensions, or zeros. EINVAL if there are fewer than
 * @min or more than VACCEL_TENSOR_DIMS_MAX.
 */
int tensor_copy_dims(int64_t nr_dims, int64_t min, const void *dims, size_t dim_size,
		     void **ret_copy);

/*
 * Between a framework's tensors and the one form that calls carry, struct vaccel_tensor.
 *
 * import_X() borrows the data of @nr tensors; one free() gives back what it made.
 * EINVAL for NULL among them, ENOMEM. export_X() moves the data of @nr tensors
 * into new ones of the framework's and leaves @from empty, also when it fails: ENOMEM, or
 * EBACKEND for dimensions that the data do not fill. @to holds NULLs then as far as it got.
 */
#define TENSOR_CONVERSIONS(tensor_)                                  \
	int import_##tensor_(struct tensor_ *const *from, size_t nr, \
			     struct vaccel_tensor **ret_to);         \
	int export_##tensor_(struct vaccel_tensor *from, size_t nr, struct tensor_ **to);

struct vaccel_tensor;
struct vaccel_tf_tensor;
struct vaccel_tflite_tensor;
struct vaccel_torch_tensor;
TENSOR_CONVERSIONS(vaccel_tensor)
TENSOR_CONVERSIONS(vaccel_tf_tensor)
TENSOR_CONVERSIONS(vaccel_tflite_tensor)
TENSOR_CONVERSIONS(vaccel_torch_tensor)

/* For the templates: @nr empty tensors and room for the dimensions of each in one block. */
int tensor_array_new(const void *const *from, size_t nr, struct vaccel_tensor **ret_array,
		     int64_t **ret_dims);
int tensor_check_rank(size_t index, int64_t nr_dims, const void *dims);

/* Bits of an element of @type, by an array that has them for each type; 0 if they are not known. */
#define TENSOR_BITS_OF(bits, type) \
	((type) >= 0 && (size_t)(type) < ARRAY_SIZE(bits) ? (bits)[type] : 0u)

/*
 * Whether an output, which may be an agent's word, has no dimension below 0 or above @dim_most,
 * and as many bytes as its dimensions tell, if @bits of an element are known. EBACKEND.
 */
int tensor_check_output(const struct vaccel_tensor *tensor, size_t index, unsigned int bits,
			int64_t dim_most);

/* A number of tensors as programs give it; a negative one becomes one that there cannot be. */
static inline size_t tensor_count(int64_t nr)
{
	return nr < 0 ? SIZE_MAX : (size_t)nr;
}

/* For operations: @nr empty tensors for a backend to fill, at least 1; @out is where they will go.
 */
int tensor_outputs_new(const char *op, const void *out, size_t nr,
		       struct vaccel_tensor **ret_array);

/* Frees the data and dimensions of @nr tensors, not the array. */
static inline void tensor_array_release(struct vaccel_tensor *tensors, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(tensors[i].data);
		free(tensors[i].dims);
		tensors[i] = (struct vaccel_tensor){0};
	}
}

#endif
