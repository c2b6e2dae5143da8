// SPDX-License-Identifier: Apache-2.0
/*
 * The tensor of an ONNX type, what is known of these types, and what tensors
 * of all frameworks share.
 */
#include <string.h>

#include <vaccel/tensor.h>

#include "base/util.h"

/* Bits of an element; 0 where elements have no one size. */
static const unsigned char element_bits[] = {
	[VACCEL_TENSOR_FLOAT] = 32,	    [VACCEL_TENSOR_UINT8] = 8,
	[VACCEL_TENSOR_INT8] = 8,	    [VACCEL_TENSOR_UINT16] = 16,
	[VACCEL_TENSOR_INT16] = 16,	    [VACCEL_TENSOR_INT32] = 32,
	[VACCEL_TENSOR_INT64] = 64,	    [VACCEL_TENSOR_BOOL] = 8,
	[VACCEL_TENSOR_FLOAT16] = 16,	    [VACCEL_TENSOR_DOUBLE] = 64,
	[VACCEL_TENSOR_UINT32] = 32,	    [VACCEL_TENSOR_UINT64] = 64,
	[VACCEL_TENSOR_COMPLEX64] = 64,	    [VACCEL_TENSOR_COMPLEX128] = 128,
	[VACCEL_TENSOR_BFLOAT16] = 16,	    [VACCEL_TENSOR_FLOAT8E4M3FN] = 8,
	[VACCEL_TENSOR_FLOAT8E4M3FNUZ] = 8, [VACCEL_TENSOR_FLOAT8E5M2] = 8,
	[VACCEL_TENSOR_FLOAT8E5M2FNUZ] = 8, [VACCEL_TENSOR_UINT4] = 4,
	[VACCEL_TENSOR_INT4] = 4,
};

#define TENSOR		vaccel_tensor
#define TENSOR_RANK	size_t
#define TENSOR_MIN_RANK 0
#define TENSOR_DIM	int64_t
#define TENSOR_TYPE	int32_t
#define TENSOR_BITS	element_bits
#include "value/tensor_template.h"

int tensor_copy_dims(int64_t nr_dims, int64_t min, const void *dims, size_t dim_size,
		     void **ret_copy)
{
	void *copy;

	if (nr_dims < min || nr_dims > VACCEL_TENSOR_DIMS_MAX)
		return vaccel_fail(VACCEL_EINVAL, "tensor: %lld dimensions, not %lld to %d",
				   (long long)nr_dims, (long long)min, VACCEL_TENSOR_DIMS_MAX);
	if (!nr_dims) {
		*ret_copy = NULL;
		return VACCEL_OK;
	}
	copy = calloc((size_t)nr_dims, dim_size);
	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "tensor: no memory for its dimensions");
	if (dims)
		memcpy(copy, dims, (size_t)nr_dims * dim_size);
	*ret_copy = copy;
	return VACCEL_OK;
}

static unsigned int bits_of(int32_t type)
{
	return TENSOR_BITS_OF(element_bits, type);
}

size_t vaccel_tensor_element_size(int32_t type)
{
	return bits_of(type) / 8;
}

/* Bytes of so many elements of @bits; false if they are more than memory can have. */
static bool bytes_of(size_t nr_dims, const int64_t *dims, unsigned int bits, size_t *ret_bytes)
{
	uint64_t total = bits;

	for (size_t i = 0; i < nr_dims; i++)
		if (__builtin_mul_overflow(total, (uint64_t)dims[i], &total))
			return false;
	total = total / 8 + (total % 8 != 0);
	*ret_bytes = (size_t)total;
	return total <= PTRDIFF_MAX;
}

int vaccel_tensor_data_size(size_t nr_dims, const int64_t *dims, int32_t type, size_t *ret_size)
{
	unsigned int bits = bits_of(type);
	size_t size;

	if (!ret_size || (!dims && nr_dims))
		return vaccel_fail(VACCEL_EINVAL, "tensor size: NULL");
	if (!bits)
		return vaccel_fail(VACCEL_EINVAL, "tensor size: elements of type %d have none",
				   (int)type);
	for (size_t i = 0; i < nr_dims; i++)
		if (dims[i] < 0)
			return vaccel_fail(VACCEL_EINVAL, "tensor size: dimension %zu is negative",
					   i);
	if (!bytes_of(nr_dims, dims, bits, &size))
		return vaccel_fail(VACCEL_ERANGE, "tensor size: too large");
	*ret_size = size;
	return VACCEL_OK;
}

int tensor_check_output(const struct vaccel_tensor *tensor, size_t index, unsigned int bits,
			int64_t dim_most)
{
	size_t size;

	for (size_t i = 0; i < tensor->nr_dims; i++)
		if (tensor->dims[i] < 0 || tensor->dims[i] > dim_most)
			return vaccel_fail(VACCEL_EBACKEND,
					   "output tensor %zu: its dimension %zu is %lld", index, i,
					   (long long)tensor->dims[i]);
	if (bits && (!bytes_of(tensor->nr_dims, tensor->dims, bits, &size) || size != tensor->size))
		return vaccel_fail(VACCEL_EBACKEND,
				   "output tensor %zu: it has %zu bytes, which are not those of "
				   "its dimensions",
				   index, tensor->size);
	return VACCEL_OK;
}

int tensor_array_new(const void *const *from, size_t nr, struct vaccel_tensor **ret_array,
		     int64_t **ret_dims)
{
	const size_t each = sizeof(struct vaccel_tensor) + VACCEL_TENSOR_DIMS_MAX * sizeof(int64_t);
	struct vaccel_tensor *array;
	size_t bytes;

	if (!from && nr)
		return vaccel_fail(VACCEL_EINVAL, "there are %zu tensors at NULL", nr);
	if (__builtin_mul_overflow(nr, each, &bytes) || bytes > PTRDIFF_MAX)
		return vaccel_fail(VACCEL_EINVAL, "there cannot be %zu tensors", nr);
	for (size_t i = 0; i < nr; i++)
		if (!from[i])
			return vaccel_fail(VACCEL_EINVAL, "tensor %zu is NULL", i);
	/* Uninitialised: only what is filled in is ever looked at. */
	array = malloc(bytes ? bytes : 1);
	if (!array)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu tensors", nr);
	*ret_array = array;
	*ret_dims = (int64_t *)(array + nr);
	return VACCEL_OK;
}

int tensor_check_rank(size_t index, int64_t nr_dims, const void *dims)
{
	if (nr_dims >= 0 && nr_dims <= VACCEL_TENSOR_DIMS_MAX && (dims || !nr_dims))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "tensor %zu has %lld dimensions%s", index,
			   (long long)nr_dims, dims ? "" : " at NULL");
}

int tensor_outputs_new(const char *op, const void *out, size_t nr, struct vaccel_tensor **ret_array)
{
	struct vaccel_tensor *array;

	if (!out || !nr)
		return vaccel_fail(VACCEL_EINVAL,
				   "%s: no place for output tensors; ask for 1 or more", op);
	if (nr > PTRDIFF_MAX / sizeof(*array))
		return vaccel_fail(VACCEL_EINVAL, "%s: there cannot be %zu output tensors", op, nr);
	array = calloc(nr, sizeof(*array));
	if (!array)
		return vaccel_fail(VACCEL_ENOMEM, "%s: no memory for %zu output tensors", op, nr);
	*ret_array = array;
	return VACCEL_OK;
}
