// SPDX-License-Identifier: Apache-2.0
#include "model/port.h"

#include <inttypes.h>
#include <stdlib.h>

#include <vaccel/error.h>

#include "model/strings.h"
#include "model/words.h"

bool port_takes(const struct port *port, int32_t type, size_t nr_dims, const int64_t *dims)
{
	if (port->type != type || port->nr_dims != nr_dims)
		return false;
	for (size_t i = 0; i < nr_dims; i++)
		if (dims[i] < 0 || (port->dims[i] >= 0 && port->dims[i] != dims[i]))
			return false;
	return true;
}

int dims_check(const char *name, const struct vaccel_tensor *tensor)
{
	for (size_t i = 0; i < tensor->nr_dims; i++)
		if (tensor->dims[i] < 0)
			return vaccel_fail(VACCEL_EINVAL,
					   "the input '%.60s' has a dimension of %" PRId64
					   "; 0 is the least",
					   name, tensor->dims[i]);
	return VACCEL_OK;
}

static int fail_data(const char *name, int32_t type, const struct vaccel_tensor *tensor,
		     size_t wanted)
{
	struct words words = shape_words(type, tensor->nr_dims, tensor->dims);
	size_t size = tensor->data ? tensor->size : 0;

	if (type == VACCEL_TENSOR_STRING)
		return vaccel_fail(VACCEL_EINVAL,
				   "the input '%.60s' is %s, and its %zu bytes are not so many "
				   "strings; they must be a count, the count and one more offsets, "
				   "each of 32 bits, and the characters",
				   name, words.text, size);
	return vaccel_fail(VACCEL_EINVAL, "the input '%.60s' has %zu bytes of data; %s is %zu",
			   name, size, words.text, wanted);
}

int input_check(const char *name, int32_t type, const struct vaccel_tensor *tensor)
{
	bool strings = type == VACCEL_TENSOR_STRING, whole;
	size_t size;
	int ret = vaccel_tensor_data_size(tensor->nr_dims, tensor->dims,
					  strings ? VACCEL_TENSOR_UINT8 : type, &size);

	if (ret)
		return vaccel_fail(ret, "the input '%.60s' cannot be %s: no memory has so much",
				   name, shape_words(type, tensor->nr_dims, tensor->dims).text);
	if (strings)
		whole = tensor->data && strings_are_whole(tensor->data, tensor->size, size);
	else
		whole = tensor->size == size && (tensor->data || !size);
	return whole ? VACCEL_OK : fail_data(name, type, tensor, size);
}

void ports_delete(struct port *ports, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(ports[i].name);
		free(ports[i].dims);
	}
	free(ports);
}
