// SPDX-License-Identifier: Apache-2.0
/*
 * The typed functions of an argument array. They say what a value of each
 * type must look like, and leave the array itself to arg_array.c.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "base/util.h"
#include "value/arg_array.h"

static int nowhere(void)
{
	return vaccel_fail(VACCEL_EINVAL, "argument array: nowhere to put the value");
}

static int add_many(struct vaccel_arg_array *array, vaccel_arg_type_t type, void *values,
		    size_t count, size_t element)
{
	size_t size;

	if (__builtin_mul_overflow(count, element, &size))
		return vaccel_fail(VACCEL_ERANGE, "argument array: %zu values of %zu bytes", count,
				   element);
	return arg_array_add(array, type, 0, values, size);
}

static int get_one(struct vaccel_arg_array *array, vaccel_arg_type_t type, void *value, size_t size)
{
	struct vaccel_arg *arg = NULL;
	int ret = arg_array_next(array, type, &arg);

	if (ret)
		return ret;
	if (!value)
		return nowhere();
	if (arg->size != size)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: has %zu bytes, a %s has %zu",
				   array->position, arg->size, vaccel_arg_type_to_base_str(type),
				   size);
	memcpy(value, arg->buf, size);
	array->position++;
	return VACCEL_OK;
}

static int get_many(struct vaccel_arg_array *array, vaccel_arg_type_t type, size_t element,
		    void **ret_values, size_t *ret_count)
{
	struct vaccel_arg *arg = NULL;
	int ret = arg_array_next(array, type, &arg);

	if (ret)
		return ret;
	if (!ret_values)
		return nowhere();
	if (arg->size % element)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: %zu bytes are no %s",
				   array->position, arg->size, vaccel_arg_type_to_base_str(type));
	if (ret_count)
		*ret_count = arg->size / element;
	*ret_values = arg->buf;
	array->position++;
	return VACCEL_OK;
}

static int set_many(struct vaccel_arg_array *array, vaccel_arg_type_t type, const void *values,
		    size_t count, size_t element)
{
	size_t size;

	if (__builtin_mul_overflow(count, element, &size))
		return vaccel_fail(VACCEL_EINVAL, "argument array: %zu values of %zu bytes", count,
				   element);
	return arg_array_set(array, type, values, size);
}

#define DEFINE_NUMERIC(suffix, c_type, scalar_type, array_type)                                    \
	int vaccel_arg_array_add_##suffix(struct vaccel_arg_array *array, c_type *value)           \
	{                                                                                          \
		return arg_array_add(array, scalar_type, 0, value, sizeof(*value));                \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_add_##suffix##_array(struct vaccel_arg_array *array, c_type *values,  \
						  size_t count)                                    \
	{                                                                                          \
		return add_many(array, array_type, values, count, sizeof(*values));                \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_get_##suffix(struct vaccel_arg_array *array, c_type *value)           \
	{                                                                                          \
		return get_one(array, scalar_type, value, sizeof(*value));                         \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_get_##suffix##_array(struct vaccel_arg_array *array, c_type **values, \
						  size_t *count)                                   \
	{                                                                                          \
		void *buf = NULL;                                                                  \
		int ret = get_many(array, array_type, sizeof(**values), values ? &buf : NULL,      \
				   count);                                                         \
                                                                                                   \
		if (!ret)                                                                          \
			*values = buf;                                                             \
		return ret;                                                                        \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_set_##suffix(struct vaccel_arg_array *array, const c_type *value)     \
	{                                                                                          \
		return arg_array_set(array, scalar_type, value, sizeof(*value));                   \
	}                                                                                          \
                                                                                                   \
	int vaccel_arg_array_set_##suffix##_array(struct vaccel_arg_array *array,                  \
						  const c_type *values, size_t count)              \
	{                                                                                          \
		return set_many(array, array_type, values, count, sizeof(*values));                \
	}

VACCEL_ARG_NUMERIC_TYPES(DEFINE_NUMERIC)

static int get_bytes(struct vaccel_arg_array *array, vaccel_arg_type_t type, void **buf,
		     size_t *size)
{
	return size ? get_many(array, type, 1, buf, size) : nowhere();
}

#define DEFINE_BYTES(suffix, type)                                                                \
	int vaccel_arg_array_add_##suffix(struct vaccel_arg_array *array, void *buf, size_t size) \
	{                                                                                         \
		return arg_array_add(array, type, 0, buf, size);                                  \
	}                                                                                         \
                                                                                                  \
	int vaccel_arg_array_get_##suffix(struct vaccel_arg_array *array, void **buf,             \
					  size_t *size)                                           \
	{                                                                                         \
		return get_bytes(array, type, buf, size);                                         \
	}                                                                                         \
                                                                                                  \
	int vaccel_arg_array_set_##suffix(struct vaccel_arg_array *array, const void *buf,        \
					  size_t size)                                            \
	{                                                                                         \
		return arg_array_set(array, type, buf, size);                                     \
	}

DEFINE_BYTES(raw, VACCEL_ARG_RAW)
DEFINE_BYTES(buffer, VACCEL_ARG_BUFFER)

int vaccel_arg_array_add_string(struct vaccel_arg_array *array, char *str)
{
	return arg_array_add(array, VACCEL_ARG_STRING, 0, str, str ? strlen(str) + 1 : 0);
}

int vaccel_arg_array_get_string(struct vaccel_arg_array *array, char **str)
{
	struct vaccel_arg *arg = NULL;
	int ret = arg_array_next(array, VACCEL_ARG_STRING, &arg);

	if (ret)
		return ret;
	if (!str)
		return nowhere();
	if (!memchr(arg->buf, '\0', arg->size))
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: a string without its NUL",
				   array->position);
	*str = arg->buf;
	array->position++;
	return VACCEL_OK;
}

int vaccel_arg_array_set_string(struct vaccel_arg_array *array, const char *str)
{
	return arg_array_set(array, VACCEL_ARG_STRING, str, str ? strlen(str) + 1 : 0);
}

static int next_of_id(struct vaccel_arg_array *array, vaccel_arg_type_t type, uint32_t custom_id,
		      struct vaccel_arg **ret_arg)
{
	struct vaccel_arg *arg = NULL;
	int ret = arg_array_next(array, type, &arg);

	if (ret)
		return ret;
	if (arg->custom_type_id != custom_id)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: of custom type %u, not %u",
				   array->position, arg->custom_type_id, custom_id);
	*ret_arg = arg;
	return VACCEL_OK;
}

static int validate(vaccel_arg_type_validator_fn validator, const void *buf, size_t size,
		    uint32_t custom_id)
{
	if (!validator)
		return vaccel_fail(VACCEL_EINVAL, "argument array: no validator");
	if (!buf || !size)
		return vaccel_fail(VACCEL_EINVAL, "argument array: no value");
	if (!validator(buf, size, custom_id))
		return vaccel_fail(VACCEL_EINVAL,
				   "argument array: the validator of custom type %u says no",
				   custom_id);
	return VACCEL_OK;
}

int vaccel_arg_array_add_custom(struct vaccel_arg_array *array, uint32_t custom_id, void *buf,
				size_t size, vaccel_arg_type_validator_fn validator)
{
	int ret = validate(validator, buf, size, custom_id);

	return ret ? ret : arg_array_add(array, VACCEL_ARG_CUSTOM, custom_id, buf, size);
}

int vaccel_arg_array_get_custom(struct vaccel_arg_array *array, uint32_t custom_id, void **buf,
				size_t *size, vaccel_arg_type_validator_fn validator)
{
	struct vaccel_arg *arg = NULL;
	int ret = next_of_id(array, VACCEL_ARG_CUSTOM, custom_id, &arg);

	if (!ret)
		ret = validate(validator, arg->buf, arg->size, custom_id);
	return ret ? ret : get_bytes(array, VACCEL_ARG_CUSTOM, buf, size);
}

int vaccel_arg_array_set_custom(struct vaccel_arg_array *array, uint32_t custom_id, const void *buf,
				size_t size, vaccel_arg_type_validator_fn validator)
{
	struct vaccel_arg *arg = NULL;
	int ret = next_of_id(array, VACCEL_ARG_CUSTOM, custom_id, &arg);

	if (!ret)
		ret = validate(validator, buf, size, custom_id);
	return ret ? ret : arg_array_set(array, VACCEL_ARG_CUSTOM, buf, size);
}

static int serialize(vaccel_arg_serializer_fn serializer, const void *data, size_t data_size,
		     uint32_t custom_id, void **ret_buf, size_t *ret_size)
{
	_cleanup_(freep) void *buf = NULL;
	size_t size = 0;
	int ret;

	if (!data || !data_size || !serializer)
		return vaccel_fail(VACCEL_EINVAL, "argument array: nothing to serialize");
	ret = serializer(data, data_size, custom_id, &buf, &size);
	if (ret)
		return vaccel_fail(ret, "argument array: the serializer failed");
	if (!buf || !size)
		return vaccel_fail(VACCEL_EINVAL, "argument array: the serializer made nothing");
	*ret_buf = TAKE(buf);
	*ret_size = size;
	return VACCEL_OK;
}

int vaccel_arg_array_add_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, const void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer)
{
	_cleanup_(freep) void *buf = NULL;
	size_t size;
	int ret = serialize(serializer, data, data_size, custom_id, &buf, &size);

	if (!ret)
		ret = arg_array_add(array, type, custom_id, buf, size);
	if (ret)
		return ret;
	array->args[array->count - 1].owned = true;
	buf = NULL;
	return VACCEL_OK;
}

int vaccel_arg_array_get_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, void *data, size_t data_size,
				    vaccel_arg_deserializer_fn deserializer)
{
	struct vaccel_arg *arg = NULL;
	int ret = next_of_id(array, type, custom_id, &arg);

	if (ret)
		return ret;
	if (!data || !data_size || !deserializer)
		return nowhere();
	ret = deserializer(arg->buf, arg->size, custom_id, data_size, data);
	if (ret)
		return vaccel_fail(ret, "argument %zu: the deserializer failed", array->position);
	array->position++;
	return VACCEL_OK;
}

int vaccel_arg_array_set_serialized(struct vaccel_arg_array *array, vaccel_arg_type_t type,
				    uint32_t custom_id, const void *data, size_t data_size,
				    vaccel_arg_serializer_fn serializer)
{
	_cleanup_(freep) void *buf = NULL;
	struct vaccel_arg *arg = NULL;
	size_t size;
	int ret = next_of_id(array, type, custom_id, &arg);

	if (!ret)
		ret = serialize(serializer, data, data_size, custom_id, &buf, &size);
	if (ret)
		return ret;
	if (size != arg->size)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: has %zu bytes, serialized are %zu",
				   array->position, arg->size, size);
	return arg_array_set(array, type, buf, size);
}
