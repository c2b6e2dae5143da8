/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tensors. There is one struct for each framework, as programs know them from
 * there, and one for ONNX and everything new, struct vaccel_tensor. All begin
 * alike and have the same functions, with the framework's name in theirs.
 *
 * A tensor is not protected against use from several threads.
 */
#ifndef VACCEL_TENSOR_H
#define VACCEL_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** More dimensions than this are refused; no framework takes as many. */
#define VACCEL_TENSOR_DIMS_MAX 254

/*
 * VACCEL_TENSOR_FUNCTIONS() - declare the functions of a kind of tensor
 *
 * TENSOR_init(tensor, nr_dims, dims, type) - a tensor without data
 * TENSOR_new(&tensor, nr_dims, dims, type) - the same, allocated
 *	@nr_dims: 1 to VACCEL_TENSOR_DIMS_MAX; struct vaccel_tensor takes 0, for a scalar
 *	@dims: copied; NULL for zeros
 *	@type: the framework's number, not looked at
 * TENSOR_allocate(&tensor, nr_dims, dims, type, total_size) - with data of its own
 *	@total_size: zero bytes to allocate; 0 for none
 * TENSOR_release(tensor) - free dims, and data if owned; all is zero then
 * TENSOR_delete(tensor) - release, and free what new or allocate made
 * TENSOR_set_data(tensor, data, size) - use the caller's memory; data that was there
 *	before is left alone: take it first if it is owned
 * TENSOR_take_data(tensor, &data, &size) - give the data away, leaving none; the caller
 *	frees it if the tensor owned it
 *
 * They return VACCEL_OK; VACCEL_EINVAL for NULL, a bad number of dimensions, or
 * a size without data; VACCEL_ENOMEM.
 */
#define VACCEL_TENSOR_FUNCTIONS(tensor_, rank_type, dim_type, element_type)                      \
	int tensor_##_init(struct tensor_ *tensor, rank_type nr_dims, const dim_type *dims,      \
			   element_type type);                                                   \
	int tensor_##_new(struct tensor_ **tensor, rank_type nr_dims, const dim_type *dims,      \
			  element_type type);                                                    \
	int tensor_##_allocate(struct tensor_ **tensor, rank_type nr_dims, const dim_type *dims, \
			       element_type type, size_t total_size);                            \
	int tensor_##_release(struct tensor_ *tensor);                                           \
	int tensor_##_delete(struct tensor_ *tensor);                                            \
	int tensor_##_set_data(struct tensor_ *tensor, void *data, size_t size);                 \
	int tensor_##_take_data(struct tensor_ *tensor, void **data, size_t *size);

/*
 * VACCEL_BUFFER_FUNCTIONS() - declare the functions of a kind of buffer
 *
 * BUFFER_init(buffer, data, size) - own the caller's malloc'd data from now on
 * BUFFER_new(&buffer, data, size) - the same, allocated; not owned if it fails
 * BUFFER_release(buffer) - free the data
 * BUFFER_delete(buffer) - release, and free what new made
 * BUFFER_take_data(buffer, &data, &size) - give the data back, leaving none
 *
 * They return VACCEL_OK; VACCEL_EINVAL for NULL, or a size without data;
 * VACCEL_ENOMEM.
 */
#define VACCEL_BUFFER_FUNCTIONS(buffer_, data_type)                               \
	int buffer_##_init(struct buffer_ *buffer, data_type *data, size_t size); \
	int buffer_##_new(struct buffer_ **buffer, data_type *data, size_t size); \
	int buffer_##_release(struct buffer_ *buffer);                            \
	int buffer_##_delete(struct buffer_ *buffer);                             \
	int buffer_##_take_data(struct buffer_ *buffer, void **data, size_t *size);

/* Element types have the numbers of ONNX's TensorProto.DataType. */
enum vaccel_tensor_type {
	VACCEL_TENSOR_UNDEFINED = 0,
	VACCEL_TENSOR_FLOAT = 1,
	VACCEL_TENSOR_UINT8 = 2,
	VACCEL_TENSOR_INT8 = 3,
	VACCEL_TENSOR_UINT16 = 4,
	VACCEL_TENSOR_INT16 = 5,
	VACCEL_TENSOR_INT32 = 6,
	VACCEL_TENSOR_INT64 = 7,
	VACCEL_TENSOR_STRING = 8,
	VACCEL_TENSOR_BOOL = 9,
	VACCEL_TENSOR_FLOAT16 = 10,
	VACCEL_TENSOR_DOUBLE = 11,
	VACCEL_TENSOR_UINT32 = 12,
	VACCEL_TENSOR_UINT64 = 13,
	VACCEL_TENSOR_COMPLEX64 = 14,
	VACCEL_TENSOR_COMPLEX128 = 15,
	VACCEL_TENSOR_BFLOAT16 = 16,
	VACCEL_TENSOR_FLOAT8E4M3FN = 17,
	VACCEL_TENSOR_FLOAT8E4M3FNUZ = 18,
	VACCEL_TENSOR_FLOAT8E5M2 = 19,
	VACCEL_TENSOR_FLOAT8E5M2FNUZ = 20,
	/* Two to a byte. */
	VACCEL_TENSOR_UINT4 = 21,
	VACCEL_TENSOR_INT4 = 22
};

/** struct vaccel_tensor - a tensor of an ONNX type */
struct vaccel_tensor {
	/** Elements without gaps, the last dimension running fastest. */
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	size_t nr_dims;
	int64_t *dims;
	/** An enum vaccel_tensor_type, or a number that ONNX has added since. */
	int32_t data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_tensor, size_t, int64_t, int32_t)

/**
 * vaccel_tensor_element_size() - bytes of one element
 * @type: an enum vaccel_tensor_type
 *
 * Return: bytes; 0 for strings, for types of less than a byte and for unknown
 * ones.
 */
size_t vaccel_tensor_element_size(int32_t type);

/**
 * vaccel_tensor_data_size() - bytes of a tensor's data
 * @nr_dims: number of dimensions, 0 for a scalar
 * @dims: the dimensions
 * @type: an enum vaccel_tensor_type
 * @ret_size: where to put the bytes, those of less than a byte rounded up
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, a negative dimension, or a type
 * whose elements have no one size; VACCEL_ERANGE if it is more than memory
 * can be.
 */
int vaccel_tensor_data_size(size_t nr_dims, const int64_t *dims, int32_t type, size_t *ret_size);

#ifdef __cplusplus
}
#endif

#endif
