// SPDX-License-Identifier: Apache-2.0
/*
 * Tensors are copied both ways: what a program gives is its own again after the call, and
 * TensorFlow may keep what it was given, in a variable for instance.
 */
#include "tf/tensor.h"

#include <string.h>

#include "model/port.h"
#include "model/util.h"

int32_t type_from_tf(int32_t type)
{
	static const int32_t types[] = {
		[TF_FLOAT] = VACCEL_TENSOR_FLOAT,   [TF_DOUBLE] = VACCEL_TENSOR_DOUBLE,
		[TF_INT32] = VACCEL_TENSOR_INT32,   [TF_UINT8] = VACCEL_TENSOR_UINT8,
		[TF_INT16] = VACCEL_TENSOR_INT16,   [TF_INT8] = VACCEL_TENSOR_INT8,
		[TF_STRING] = VACCEL_TENSOR_STRING, [TF_COMPLEX64] = VACCEL_TENSOR_COMPLEX64,
		[TF_INT64] = VACCEL_TENSOR_INT64,   [TF_BOOL] = VACCEL_TENSOR_BOOL,
		[TF_QINT8] = VACCEL_TENSOR_INT8,    [TF_QUINT8] = VACCEL_TENSOR_UINT8,
		[TF_QINT32] = VACCEL_TENSOR_INT32,  [TF_BFLOAT16] = VACCEL_TENSOR_BFLOAT16,
		[TF_QINT16] = VACCEL_TENSOR_INT16,  [TF_QUINT16] = VACCEL_TENSOR_UINT16,
		[TF_UINT16] = VACCEL_TENSOR_UINT16, [TF_COMPLEX128] = VACCEL_TENSOR_COMPLEX128,
		[TF_HALF] = VACCEL_TENSOR_FLOAT16,  [TF_UINT32] = VACCEL_TENSOR_UINT32,
		[TF_UINT64] = VACCEL_TENSOR_UINT64,
	};

	if (type < 0 || (size_t)type >= sizeof(types) / sizeof(types[0]))
		return VACCEL_TENSOR_UNDEFINED;
	return types[type];
}

static uint32_t word(const void *data, size_t index)
{
	uint32_t value;

	memcpy(&value, (const char *)data + index * sizeof(value), sizeof(value));
	return value;
}

/* Strings, which are whole and stay as they are, into TensorFlow's. */
static void fill_strings(TF_TString *strings, const void *data, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t begin = word(data, 1 + i);

		TF_StringInit(&strings[i]);
		TF_StringCopy(&strings[i], (const char *)data + begin, word(data, 2 + i) - begin);
	}
}

static int no_memory(const char *name, size_t size)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory for the input '%.60s', of %zu bytes", name,
			   size);
}

/* Has a tensor's data be a copy, which is for free(): the program may write to what it gave. */
static int own_data(const char *name, struct vaccel_tensor *tensor, void **ret_copy)
{
	size_t size = tensor->data ? tensor->size : 0;
	void *copy = malloc(size + 1);

	if (!copy)
		return no_memory(name, size);
	if (size)
		memcpy(copy, tensor->data, size);
	tensor->data = copy;
	tensor->size = size;
	*ret_copy = copy;
	return VACCEL_OK;
}

static int make_tensor(const char *name, const struct vaccel_tensor *from, TF_Tensor **ret_tensor)
{
	bool strings = from->data_type == TF_STRING;
	size_t count = strings ? 1 : 0, size = from->size;
	TF_Tensor *tensor;
	int ret = input_check(name, type_from_tf(from->data_type), from);

	if (ret)
		return ret;
	for (size_t i = 0; strings && i < from->nr_dims; i++)
		count *= (size_t)from->dims[i];
	if (strings)
		size = count * sizeof(TF_TString);
	tensor = TF_AllocateTensor((TF_DataType)from->data_type, from->dims, (int)from->nr_dims,
				   size);
	if (!tensor)
		return no_memory(name, size);
	if (strings)
		fill_strings(TF_TensorData(tensor), from->data, count);
	else if (size)
		memcpy(TF_TensorData(tensor), from->data, size);
	*ret_tensor = tensor;
	return VACCEL_OK;
}

int tensor_make(const char *name, const struct vaccel_tensor *from, TF_Tensor **ret_tensor)
{
	_cleanup_(freep) void *copy = NULL;
	struct vaccel_tensor given = *from;
	int ret = VACCEL_OK;

	/* Of strings more is read than their bytes: where they lie. */
	if (from->data_type == TF_STRING)
		ret = own_data(name, &given, &copy);
	return ret ? ret : make_tensor(name, &given, ret_tensor);
}

void tensor_delete(TF_Tensor *tensor)
{
	if (!tensor)
		return;
	if (TF_TensorType(tensor) == TF_STRING) {
		TF_TString *strings = TF_TensorData(tensor);

		for (int64_t i = 0; i < TF_TensorElementCount(tensor); i++)
			TF_StringDealloc(&strings[i]);
	}
	TF_DeleteTensor(tensor);
}

/* How many bytes a program gets for strings; 0 if that is too much. */
static size_t size_of_strings(const TF_TString *strings, size_t count)
{
	size_t size = (count + 2) * sizeof(uint32_t);

	for (size_t i = 0; i < count; i++)
		if (__builtin_add_overflow(size, TF_StringGetSize(&strings[i]), &size))
			return 0;
	return size > INT32_MAX ? 0 : size;
}

static void tell_strings(const TF_TString *strings, size_t count, void *data)
{
	uint32_t value = (uint32_t)count, offset = (uint32_t)((count + 2) * sizeof(value));
	char *at = data;

	memcpy(at, &value, sizeof(value));
	for (size_t i = 0; i < count; i++) {
		size_t size = TF_StringGetSize(&strings[i]);

		memcpy(at + (1 + i) * sizeof(offset), &offset, sizeof(offset));
		if (size)
			memcpy(at + offset, TF_StringGetDataPointer(&strings[i]), size);
		offset += (uint32_t)size;
	}
	memcpy(at + (1 + count) * sizeof(offset), &offset, sizeof(offset));
}

int tensor_tell(struct vaccel_call *call, const char *name, const TF_Tensor *from,
		struct vaccel_tensor *to)
{
	size_t nr_dims = (size_t)TF_NumDims(from), count = (size_t)TF_TensorElementCount(from);
	size_t size = TF_TensorByteSize(from);
	bool strings = TF_TensorType(from) == TF_STRING;
	int64_t dims[VACCEL_TENSOR_DIMS_MAX];
	int ret;

	if (!type_from_tf((int32_t)TF_TensorType(from)) || nr_dims > VACCEL_TENSOR_DIMS_MAX)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "the output '%.60s' is no tensor that can be handed over", name);
	if (strings)
		size = size_of_strings(TF_TensorData(from), count);
	if (strings && !size)
		return vaccel_fail(VACCEL_ERANGE, "the output '%.60s' has strings of 2 GB and more",
				   name);
	for (size_t i = 0; i < nr_dims; i++)
		dims[i] = TF_Dim(from, (int)i);
	ret = vaccel_call_out_tensor(call, to, (int32_t)TF_TensorType(from), nr_dims, dims, size);
	if (ret)
		return ret;
	if (strings)
		tell_strings(TF_TensorData(from), count, to->data);
	else if (size)
		memcpy(to->data, TF_TensorData(from), size);
	return VACCEL_OK;
}
