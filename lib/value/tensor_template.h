/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of a kind of tensor, as <vaccel/tensor.h> describes them. A C
 * file that includes this has defined, and this undefines:
 *
 *	TENSOR		the struct's tag, with which the functions' names begin
 *	TENSOR_RANK	the type of nr_dims
 *	TENSOR_MIN_RANK	the least nr_dims
 *	TENSOR_DIM	the type of a dimension
 *	TENSOR_TYPE	the type of data_type
 *	TENSOR_BITS	an array: the bits of an element by type, 0 where elements have no one size
 */
#include <stdlib.h>

#include <vaccel/error.h>
#include <vaccel/tensor.h>

#include "base/new.h"
#include "base/util.h"
#include "value/tensor.h"

#define FUNCTION(verb) CONCAT(TENSOR, verb)

int FUNCTION(_init)(struct TENSOR *tensor, TENSOR_RANK nr_dims, const TENSOR_DIM *dims,
		    TENSOR_TYPE type)
{
	void *copy = NULL;
	int ret;

	if (!tensor)
		return vaccel_fail(VACCEL_EINVAL, "tensor: NULL");
	ret = tensor_copy_dims((int64_t)nr_dims, TENSOR_MIN_RANK, dims, sizeof(*dims), &copy);
	if (ret)
		return ret;
	*tensor = (struct TENSOR){.nr_dims = nr_dims, .dims = copy, .data_type = type};
	return VACCEL_OK;
}

int FUNCTION(_new)(struct TENSOR **tensor, TENSOR_RANK nr_dims, const TENSOR_DIM *dims,
		   TENSOR_TYPE type)
{
	return NEW(tensor, FUNCTION(_init), nr_dims, dims, type);
}

int FUNCTION(_allocate)(struct TENSOR **tensor, TENSOR_RANK nr_dims, const TENSOR_DIM *dims,
			TENSOR_TYPE type, size_t total_size)
{
	_cleanup_(freep) void *data = NULL;
	int ret;

	if (total_size) {
		data = calloc(1, total_size);
		if (!data)
			return vaccel_fail(VACCEL_ENOMEM, "tensor: no memory for %zu bytes",
					   total_size);
	}
	ret = FUNCTION(_new)(tensor, nr_dims, dims, type);
	if (ret)
		return ret;
	(*tensor)->owned = data;
	(*tensor)->size = total_size;
	(*tensor)->data = TAKE(data);
	return VACCEL_OK;
}

int FUNCTION(_release)(struct TENSOR *tensor)
{
	if (!tensor)
		return vaccel_fail(VACCEL_EINVAL, "tensor: NULL");
	if (tensor->owned)
		free(tensor->data);
	free(tensor->dims);
	*tensor = (struct TENSOR){0};
	return VACCEL_OK;
}

int FUNCTION(_delete)(struct TENSOR *tensor)
{
	return DELETE(tensor, FUNCTION(_release));
}

int FUNCTION(_set_data)(struct TENSOR *tensor, void *data, size_t size)
{
	if (!tensor || (!data && size))
		return vaccel_fail(VACCEL_EINVAL, "tensor: NULL, or %zu bytes at NULL", size);
	tensor->data = data;
	tensor->size = size;
	tensor->owned = false;
	return VACCEL_OK;
}

int FUNCTION(_take_data)(struct TENSOR *tensor, void **data, size_t *size)
{
	if (!tensor || !data || !size)
		return vaccel_fail(VACCEL_EINVAL, "tensor: NULL, or nowhere to put its data");
	*data = TAKE(tensor->data);
	*size = tensor->size;
	tensor->size = 0;
	tensor->owned = false;
	return VACCEL_OK;
}

int CONCAT(import_, TENSOR)(struct TENSOR *const *from, size_t nr, struct vaccel_tensor **ret_to)
{
	_cleanup_(freep) struct vaccel_tensor *to = NULL;
	int64_t *dims;
	int ret = tensor_array_new((const void *const *)from, nr, &to, &dims);

	for (size_t i = 0; !ret && i < nr; i++) {
		ret = tensor_check_rank(i, (int64_t)from[i]->nr_dims, from[i]->dims);
		if (ret)
			break;
		for (int64_t d = 0; d < (int64_t)from[i]->nr_dims; d++)
			dims[d] = from[i]->dims[d];
		to[i] = (struct vaccel_tensor){
			.data = from[i]->data,
			.size = from[i]->size,
			.nr_dims = (size_t)from[i]->nr_dims,
			.dims = dims,
			.data_type = (int32_t)from[i]->data_type,
		};
		dims += VACCEL_TENSOR_DIMS_MAX;
	}
	if (!ret)
		*ret_to = TAKE(to);
	return ret;
}

static struct TENSOR *CONCAT(one_, TENSOR)(struct vaccel_tensor *from)
{
	_cleanup_(freep) struct TENSOR *tensor = calloc(1, sizeof(*tensor));
	TENSOR_DIM *dims = calloc(from->nr_dims ? from->nr_dims : 1, sizeof(*dims));

	if (!tensor || !dims) {
		free(dims);
		return NULL;
	}
	for (size_t d = 0; d < from->nr_dims; d++)
		dims[d] = (TENSOR_DIM)from->dims[d];
	*tensor = (struct TENSOR){
		.data = TAKE(from->data),
		.size = from->size,
		.owned = true,
		.nr_dims = (TENSOR_RANK)from->nr_dims,
		.dims = dims,
		.data_type = (TENSOR_TYPE)from->data_type,
	};
	return TAKE(tensor);
}

int CONCAT(export_, TENSOR)(struct vaccel_tensor *from, size_t nr, struct TENSOR **to)
{
	const int64_t dim_most = sizeof(TENSOR_DIM) < sizeof(int64_t) ? INT32_MAX : INT64_MAX;
	size_t made = 0;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < nr; i++)
		ret = tensor_check_output(&from[i], i,
					  TENSOR_BITS_OF(TENSOR_BITS, from[i].data_type), dim_most);
	while (!ret && made < nr) {
		to[made] = CONCAT(one_, TENSOR)(&from[made]);
		if (to[made])
			made++;
		else
			ret = vaccel_fail(VACCEL_ENOMEM, "no memory for output tensor %zu", made);
	}
	while (ret && made > 0) {
		FUNCTION(_delete)(to[--made]);
		to[made] = NULL;
	}
	tensor_array_release(from, nr);
	return ret;
}

#undef FUNCTION
#undef TENSOR
#undef TENSOR_RANK
#undef TENSOR_MIN_RANK
#undef TENSOR_DIM
#undef TENSOR_TYPE
#undef TENSOR_BITS
