/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of a kind of buffer, as <vaccel/tensor.h> describes them. A C
 * file that includes this has defined, and this undefines:
 *
 *	BUFFER		the struct's tag, with which the functions' names begin
 *	BUFFER_DATA	the type of what data points to
 */
#include <stdlib.h>

#include <vaccel/error.h>

#include "base/new.h"
#include "base/util.h"

#define FUNCTION(verb) CONCAT(BUFFER, verb)

int FUNCTION(_init)(struct BUFFER *buffer, BUFFER_DATA *data, size_t size)
{
	if (!buffer || (!data && size))
		return vaccel_fail(VACCEL_EINVAL, "buffer: NULL, or %zu bytes at NULL", size);
	*buffer = (struct BUFFER){.data = data, .size = size};
	return VACCEL_OK;
}

int FUNCTION(_new)(struct BUFFER **buffer, BUFFER_DATA *data, size_t size)
{
	return NEW(buffer, FUNCTION(_init), data, size);
}

int FUNCTION(_release)(struct BUFFER *buffer)
{
	if (!buffer)
		return vaccel_fail(VACCEL_EINVAL, "buffer: NULL");
	free(buffer->data);
	*buffer = (struct BUFFER){0};
	return VACCEL_OK;
}

int FUNCTION(_delete)(struct BUFFER *buffer)
{
	return DELETE(buffer, FUNCTION(_release));
}

int FUNCTION(_take_data)(struct BUFFER *buffer, void **data, size_t *size)
{
	if (!buffer || !data || !size)
		return vaccel_fail(VACCEL_EINVAL, "buffer: NULL, or nowhere to put its data");
	*data = TAKE(buffer->data);
	*size = buffer->size;
	buffer->size = 0;
	return VACCEL_OK;
}

#undef FUNCTION
#undef BUFFER
#undef BUFFER_DATA
