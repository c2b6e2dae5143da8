// SPDX-License-Identifier: Apache-2.0
/*
 * The deprecated list of arguments. Programs reach into it: they set a flag in
 * idcs_allocated_space to have a buffer freed with the list, so those flags
 * alone, and not the arguments' own, say what is freed.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "base/util.h"

struct vaccel_arg_list *vaccel_args_init(uint32_t size)
{
	_cleanup_(freep) struct vaccel_arg_list *args = calloc(1, sizeof(*args));
	_cleanup_(freep) struct vaccel_arg *list = calloc(MAX_OF(size, 1U), sizeof(*list));
	_cleanup_(freep) int *allocated = calloc(MAX_OF(size, 1U), sizeof(*allocated));

	if (!args || !list || !allocated || size > INT_MAX) {
		vaccel_fail(VACCEL_ENOMEM, "argument list: no memory for %u arguments", size);
		return NULL;
	}
	args->size = size;
	args->list = TAKE(list);
	args->idcs_allocated_space = TAKE(allocated);
	return TAKE(args);
}

int vaccel_delete_args(struct vaccel_arg_list *args)
{
	if (!args || !args->list || !args->idcs_allocated_space)
		return vaccel_fail(VACCEL_EINVAL, "argument list: NULL");
	for (uint32_t i = 0; i < args->size; i++)
		if (args->idcs_allocated_space[i] == 1)
			free(args->list[i].buf);
	free(args->list);
	free(args->idcs_allocated_space);
	free(args);
	return VACCEL_OK;
}

static int check_room(const struct vaccel_arg_list *args)
{
	if (!args || !args->list || !args->idcs_allocated_space)
		return vaccel_fail(VACCEL_EINVAL, "argument list: NULL");
	if (args->curr_idx < 0 || (uint32_t)args->curr_idx >= args->size)
		return vaccel_fail(VACCEL_EINVAL, "argument list: full, its size is %u",
				   args->size);
	return VACCEL_OK;
}

static int add(struct vaccel_arg_list *args, void *buf, uint32_t size, bool allocated)
{
	int ret = check_room(args);

	if (!ret && !buf)
		ret = vaccel_fail(VACCEL_EINVAL, "argument list: nothing to add");
	if (!ret)
		ret = vaccel_arg_init_from_buf(&args->list[args->curr_idx], buf, size,
					       VACCEL_ARG_RAW, 0);
	if (ret)
		return ret;
	args->idcs_allocated_space[args->curr_idx++] = allocated;
	return VACCEL_OK;
}

static void *serialize(void *buf, void *(*serializer)(void *, uint32_t *), uint32_t *ret_size)
{
	_cleanup_(freep) void *bytes = NULL;

	if (!buf || !serializer)
		return NULL;
	*ret_size = 0;
	bytes = serializer(buf, ret_size);
	return *ret_size ? TAKE(bytes) : NULL;
}

int vaccel_add_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size)
{
	return add(args, buf, size, false);
}

int vaccel_add_nonserial_arg(struct vaccel_arg_list *args, void *buf, uint32_t type,
			     void *(*serializer)(void *buf, uint32_t *size))
{
	_cleanup_(freep) void *bytes = NULL;
	uint32_t size = 0;
	int ret = check_room(args);

	if (ret)
		return ret;
	bytes = serialize(buf, serializer, &size);
	ret = add(args, bytes, size, true);
	if (!ret)
		bytes = NULL;
	return ret;
}

int vaccel_expect_serial_arg(struct vaccel_arg_list *args, void *buf, uint32_t size)
{
	return add(args, buf, size, false);
}

int vaccel_expect_nonserial_arg(struct vaccel_arg_list *args, uint32_t expected_size)
{
	int ret = check_room(args);

	if (ret)
		return ret;
	if (!expected_size)
		return vaccel_fail(VACCEL_EINVAL, "argument list: no bytes expected");
	ret = vaccel_arg_init(&args->list[args->curr_idx], NULL, expected_size, VACCEL_ARG_RAW, 0);
	if (ret)
		return ret;
	args->list[args->curr_idx].owned = false;
	args->idcs_allocated_space[args->curr_idx++] = true;
	return VACCEL_OK;
}

void *vaccel_extract_serial_arg(struct vaccel_arg *args, int idx)
{
	return args && idx >= 0 ? args[idx].buf : NULL;
}

void *vaccel_extract_nonserial_arg(struct vaccel_arg *args, int idx,
				   void *(*deserializer)(void *buf, uint32_t size))
{
	if (!args || idx < 0 || !deserializer || args[idx].size > UINT32_MAX)
		return NULL;
	return deserializer(args[idx].buf, (uint32_t)args[idx].size);
}

static int write_arg(struct vaccel_arg *args, int idx, const void *buf, size_t size)
{
	if (!args || idx < 0 || !buf || !args[idx].buf)
		return vaccel_fail(VACCEL_EINVAL, "argument list: nothing to write, or nowhere");
	if (size > args[idx].size)
		return vaccel_fail(VACCEL_EINVAL, "argument %d: has room for %zu bytes, not %zu",
				   idx, args[idx].size, size);
	memmove(args[idx].buf, buf, size);
	return VACCEL_OK;
}

int vaccel_write_serial_arg(struct vaccel_arg *args, int idx, void *buf)
{
	return write_arg(args, idx, buf, args && idx >= 0 ? args[idx].size : 0);
}

int vaccel_write_nonserial_arg(struct vaccel_arg *args, int idx, void *buf,
			       void *(*serializer)(void *buf, uint32_t *size))
{
	uint32_t size = 0;
	_cleanup_(freep) void *bytes = serialize(buf, serializer, &size);

	return write_arg(args, idx, bytes, size);
}
