// SPDX-License-Identifier: Apache-2.0
/*
 * One argument: a typed piece of memory, copied or borrowed. What is in it is
 * the business of whoever reads it; here only type and size are checked.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "base/new.h"
#include "base/util.h"

VACCEL_ENUM_NAMES_DEFINE(vaccel_arg_type, VACCEL_ARG, VACCEL_ARG_TYPE_LIST)

static int check(const struct vaccel_arg *arg, vaccel_arg_type_t type)
{
	if (!arg)
		return vaccel_fail(VACCEL_EINVAL, "argument: NULL");
	if ((unsigned int)type >= VACCEL_ARG_MAX)
		return vaccel_fail(VACCEL_EINVAL, "argument: there is no type %d", (int)type);
	return VACCEL_OK;
}

int vaccel_arg_init(struct vaccel_arg *arg, const void *buf, size_t size, vaccel_arg_type_t type,
		    uint32_t custom_id)
{
	void *copy = NULL;
	int ret = check(arg, type);

	if (ret)
		return ret;
	if (buf && !size)
		return vaccel_fail(VACCEL_EINVAL, "argument: memory of size 0");
	if (size) {
		copy = buf ? malloc(size) : calloc(1, size);
		if (!copy)
			return vaccel_fail(VACCEL_ENOMEM, "argument: no memory for %zu bytes",
					   size);
		if (buf)
			memcpy(copy, buf, size);
	}
	*arg = (struct vaccel_arg){copy, size, type, custom_id, true};
	return VACCEL_OK;
}

int vaccel_arg_init_from_buf(struct vaccel_arg *arg, void *buf, size_t size, vaccel_arg_type_t type,
			     uint32_t custom_id)
{
	int ret = check(arg, type);

	if (ret)
		return ret;
	if (!buf != !size)
		return vaccel_fail(VACCEL_EINVAL, "argument: %zu bytes at %p", size, buf);
	*arg = (struct vaccel_arg){buf, size, type, custom_id, false};
	return VACCEL_OK;
}

int vaccel_arg_release(struct vaccel_arg *arg)
{
	if (!arg)
		return vaccel_fail(VACCEL_EINVAL, "argument: NULL");
	if (arg->owned)
		free(arg->buf);
	*arg = (struct vaccel_arg){.type = VACCEL_ARG_MAX};
	return VACCEL_OK;
}

int vaccel_arg_new(struct vaccel_arg **arg, const void *buf, size_t size, vaccel_arg_type_t type,
		   uint32_t custom_id)
{
	return NEW(arg, vaccel_arg_init, buf, size, type, custom_id);
}

int vaccel_arg_from_buf(struct vaccel_arg **arg, void *buf, size_t size, vaccel_arg_type_t type,
			uint32_t custom_id)
{
	return NEW(arg, vaccel_arg_init_from_buf, buf, size, type, custom_id);
}

int vaccel_arg_delete(struct vaccel_arg *arg)
{
	return DELETE(arg, vaccel_arg_release);
}
