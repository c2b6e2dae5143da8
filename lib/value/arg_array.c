// SPDX-License-Identifier: Apache-2.0
/*
 * An array of arguments: its life, its position, ranges of it, and the pieces
 * of which arg_array_typed.c makes the typed functions. An array that wraps a
 * caller's arguments has owned unset, and never grows or frees them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "base/new.h"
#include "base/util.h"
#include "value/arg_array.h"

#define CAPACITY_DEFAULT 8

static int no_array(void)
{
	return vaccel_fail(VACCEL_EINVAL, "argument array: NULL");
}

int vaccel_arg_array_init(struct vaccel_arg_array *array, size_t initial_capacity)
{
	size_t capacity = initial_capacity ? initial_capacity : CAPACITY_DEFAULT;
	struct vaccel_arg *args;

	if (!array)
		return no_array();
	args = calloc(capacity, sizeof(*args));
	if (!args)
		return vaccel_fail(VACCEL_ENOMEM, "argument array: no memory for %zu arguments",
				   capacity);
	*array = (struct vaccel_arg_array){.args = args, .capacity = capacity, .owned = true};
	return VACCEL_OK;
}

int vaccel_arg_array_release(struct vaccel_arg_array *array)
{
	if (!array)
		return no_array();
	if (array->owned) {
		vaccel_arg_array_clear(array);
		free(array->args);
	}
	*array = (struct vaccel_arg_array){0};
	return VACCEL_OK;
}

int vaccel_arg_array_new(struct vaccel_arg_array **array, size_t initial_capacity)
{
	return NEW(array, vaccel_arg_array_init, initial_capacity);
}

int vaccel_arg_array_delete(struct vaccel_arg_array *array)
{
	return DELETE(array, vaccel_arg_array_release);
}

int vaccel_arg_array_wrap(struct vaccel_arg_array *array, struct vaccel_arg *args, size_t count)
{
	if (!array)
		return no_array();
	if (!args && count)
		return vaccel_fail(VACCEL_EINVAL, "argument array: %zu arguments at NULL", count);
	*array = (struct vaccel_arg_array){.args = args, .count = count, .capacity = count};
	return VACCEL_OK;
}

void vaccel_arg_array_clear(struct vaccel_arg_array *array)
{
	if (!array || !array->args)
		return;
	for (size_t i = 0; i < array->count; i++)
		vaccel_arg_release(&array->args[i]);
	array->count = 0;
	array->position = 0;
}

size_t vaccel_arg_array_count(const struct vaccel_arg_array *array)
{
	return array ? array->count : 0;
}

size_t vaccel_arg_array_position(const struct vaccel_arg_array *array)
{
	return array ? array->position : 0;
}

void vaccel_arg_array_set_position(struct vaccel_arg_array *array, size_t position)
{
	if (array)
		array->position = MIN_OF(position, array->count);
}

void vaccel_arg_array_reset_position(struct vaccel_arg_array *array)
{
	vaccel_arg_array_set_position(array, 0);
}

size_t vaccel_arg_array_remaining_count(const struct vaccel_arg_array *array)
{
	return array && array->position < array->count ? array->count - array->position : 0;
}

struct vaccel_arg *vaccel_arg_array_raw(struct vaccel_arg_array *array)
{
	return array ? array->args : NULL;
}

int vaccel_arg_array_get_remaining(struct vaccel_arg_array *array, struct vaccel_arg **args,
				   size_t *count)
{
	size_t left = vaccel_arg_array_remaining_count(array);

	if (!array || !args || !count)
		return vaccel_fail(VACCEL_EINVAL, "argument array: NULL, or nowhere to put it");
	*args = left ? &array->args[array->position] : NULL;
	*count = left;
	return VACCEL_OK;
}

int arg_array_reserve(struct vaccel_arg_array *array, size_t count)
{
	size_t capacity = array->capacity, needed;
	struct vaccel_arg *args;

	if (__builtin_add_overflow(array->count, count, &needed))
		return vaccel_fail(VACCEL_ERANGE, "argument array: %zu arguments more", count);
	if (needed <= capacity)
		return VACCEL_OK;
	if (!array->owned)
		return vaccel_fail(VACCEL_ERANGE, "argument array: full, and of fixed size %zu",
				   capacity);
	capacity = MAX_OF(capacity * 2, needed);
	args = reallocarray(array->args, capacity, sizeof(*args));
	if (!args)
		return vaccel_fail(VACCEL_ENOMEM, "argument array: no memory for %zu arguments",
				   capacity);
	array->args = args;
	array->capacity = capacity;
	return VACCEL_OK;
}

int vaccel_arg_array_add_range(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			       size_t start, size_t count, bool copy)
{
	int ret;

	if (!dest || !src)
		return no_array();
	if (start > src->count || count > src->count - start)
		return vaccel_fail(VACCEL_ERANGE, "argument array: %zu from %zu on, of %zu", count,
				   start, src->count);
	ret = arg_array_reserve(dest, count);
	if (ret)
		return ret;

	for (size_t i = 0; i < count; i++) {
		const struct vaccel_arg *from = &src->args[start + i];
		struct vaccel_arg *to = &dest->args[dest->count + i];

		ret = copy ? vaccel_arg_init(to, from->buf, from->size, from->type,
					     from->custom_type_id)
			   : vaccel_arg_init_from_buf(to, from->buf, from->size, from->type,
						      from->custom_type_id);
		if (ret) {
			while (i--)
				vaccel_arg_release(&dest->args[dest->count + i]);
			return ret;
		}
	}
	dest->count += count;
	return VACCEL_OK;
}

int vaccel_arg_array_add_remaining(struct vaccel_arg_array *dest,
				   const struct vaccel_arg_array *src, bool copy)
{
	return vaccel_arg_array_add_range(dest, src, vaccel_arg_array_position(src),
					  vaccel_arg_array_remaining_count(src), copy);
}

int vaccel_arg_array_add_all(struct vaccel_arg_array *dest, const struct vaccel_arg_array *src,
			     bool copy)
{
	return vaccel_arg_array_add_range(dest, src, 0, vaccel_arg_array_count(src), copy);
}

int arg_array_add(struct vaccel_arg_array *array, vaccel_arg_type_t type, uint32_t custom_id,
		  void *buf, size_t size)
{
	int ret;

	if (!array)
		return no_array();
	if (!buf || !size)
		return vaccel_fail(VACCEL_EINVAL, "argument array: nothing to add");
	ret = arg_array_reserve(array, 1);
	if (!ret)
		ret = vaccel_arg_init_from_buf(&array->args[array->count], buf, size, type,
					       custom_id);
	if (!ret)
		array->count++;
	return ret;
}

int arg_array_next(struct vaccel_arg_array *array, vaccel_arg_type_t type,
		   struct vaccel_arg **ret_arg)
{
	struct vaccel_arg *arg;

	if (!array)
		return no_array();
	if (array->position >= array->count)
		return vaccel_fail(VACCEL_ERANGE, "argument array: there are only %zu arguments",
				   array->count);
	arg = &array->args[array->position];
	if (arg->type != type)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: is a %s, not a %s",
				   array->position, vaccel_arg_type_to_base_str(arg->type),
				   vaccel_arg_type_to_base_str(type));
	if (!arg->buf || !arg->size)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: is empty", array->position);
	*ret_arg = arg;
	return VACCEL_OK;
}

int arg_array_set(struct vaccel_arg_array *array, vaccel_arg_type_t type, const void *buf,
		  size_t size)
{
	struct vaccel_arg *arg;
	int ret = arg_array_next(array, type, &arg);

	if (ret)
		return ret;
	if (!buf || !size)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: nothing to set it to",
				   array->position);
	if (size > arg->size)
		return vaccel_fail(VACCEL_EINVAL, "argument %zu: has room for %zu bytes, not %zu",
				   array->position, arg->size, size);
	memmove(arg->buf, buf, size);
	array->position++;
	return VACCEL_OK;
}
