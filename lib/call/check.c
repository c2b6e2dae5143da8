// SPDX-License-Identifier: Apache-2.0
/*
 * The rules that hold for any argument of its kind, taken from the table of
 * fields. What holds between arguments is the operation's own check. The same
 * code serves a program's call and one that came over a wire.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/ops/describe.h>

#include "base/util.h"
#include "call/call.h"
#include "object/session.h"
#include "value/tensor.h"

static int missing(const struct vaccel_op *op, const struct vaccel_field *field)
{
	return vaccel_fail(VACCEL_EINVAL, "%s: '%s' (%s) is missing", op->name, field->name,
			   field->sentence);
}

static int check_pointer(const struct vaccel_op *op, const struct vaccel_field *field,
			 const void *args)
{
	if (likely(pointer_get(args, field)) || field->marks & VACCEL_MARK_OPTIONAL)
		return VACCEL_OK;
	return missing(op, field);
}

static int check_extent(const struct vaccel_op *op, const struct vaccel_field *field,
			struct extent extent)
{
	size_t bytes;

	if (unlikely(!extent.data && (extent.count || !(field->marks & VACCEL_MARK_OPTIONAL))))
		return missing(op, field);
	if (unlikely(__builtin_mul_overflow(extent.count, field->size, &bytes) ||
		     bytes > PTRDIFF_MAX))
		return vaccel_fail(VACCEL_EINVAL, "%s: '%s' cannot have %zu elements of %zu bytes",
				   op->name, field->name, extent.count, field->size);
	return VACCEL_OK;
}

static int check_item(const struct vaccel_op *op, const struct vaccel_field *list, const char *at,
		      size_t index)
{
	for (size_t i = 0; i < list->item->nr_fields; i++) {
		const struct vaccel_field *field = &list->item->fields[i];
		struct extent extent;

		if (field->kind == VACCEL_KIND_TEXT && !pointer_get(at, field))
			return vaccel_fail(VACCEL_EINVAL, "%s: '%s' of %s[%zu] is NULL", op->name,
					   field->name, list->name, index);
		if (field->kind != VACCEL_KIND_SPAN)
			continue;
		extent = extent_get(at, field);
		if ((!extent.data && extent.count) || extent.count > PTRDIFF_MAX / field->size)
			return vaccel_fail(VACCEL_EINVAL,
					   "%s: '%s' of %s[%zu] cannot have %zu elements", op->name,
					   field->name, list->name, index, extent.count);
	}
	return VACCEL_OK;
}

static int check_list(const struct vaccel_op *op, const struct vaccel_field *field,
		      struct extent list)
{
	int ret = check_extent(op, field, list);

	for (size_t i = 0; !ret && field->dir & VACCEL_DIR_IN && i < list.count; i++)
		ret = check_item(op, field, (const char *)list.data + i * field->size, i);
	return ret;
}

static int check_tensors(const struct vaccel_op *op, const struct vaccel_field *field,
			 struct extent tensors)
{
	const struct vaccel_tensor *tensor = tensors.data;
	int ret = check_extent(op, field, tensors);

	if (ret || !(field->dir & VACCEL_DIR_IN))
		return ret;
	for (size_t i = 0; !ret && i < tensors.count; i++) {
		ret = tensor_check_rank(i, (int64_t)tensor[i].nr_dims, tensor[i].dims);
		if (!ret && (tensor[i].size > PTRDIFF_MAX || (tensor[i].size && !tensor[i].data)))
			ret = vaccel_fail(VACCEL_EINVAL, "%s: %s[%zu] has %zu bytes at %p",
					  op->name, field->name, i, tensor[i].size, tensor[i].data);
	}
	return ret;
}

static int check_user_args(const struct vaccel_op *op, const struct vaccel_field *field,
			   struct extent list)
{
	const struct vaccel_arg *arg = list.data;
	int ret = check_extent(op, field, list);

	for (size_t i = 0; !ret && i < list.count; i++)
		if (arg[i].size > PTRDIFF_MAX || (arg[i].size && !arg[i].buf))
			ret = vaccel_fail(VACCEL_EINVAL, "%s: %s[%zu] has %zu bytes at %p",
					  op->name, field->name, i, arg[i].size, arg[i].buf);
	return ret;
}

static int check_resource(const struct vaccel_op *op, const struct vaccel_field *field,
			  const struct vaccel_session *sess, const void *args)
{
	const struct vaccel_resource *resource = pointer_get(args, field);

	if (!resource)
		return missing(op, field);
	if (resource->id <= 0)
		return vaccel_fail(VACCEL_EINVAL,
				   "%s: '%s' is a resource that was released, or never made",
				   op->name, field->name);
	if ((int)resource->type != field->resource_type)
		return vaccel_fail(VACCEL_EINVAL, "%s: '%s' is a resource of type %s; give a %s",
				   op->name, field->name,
				   vaccel_resource_type_to_base_str(resource->type), field->type);
	if (!id_list_has(&sess->state->resources, resource->id))
		return vaccel_fail(VACCEL_EPERM,
				   "%s: resource %" PRId64
				   " is not registered with session %" PRId64
				   "; call vaccel_resource_register() first",
				   op->name, resource->id, sess->id);
	return VACCEL_OK;
}

int field_check(const struct vaccel_op *op, const struct vaccel_field *field,
		const struct vaccel_session *sess, const void *args)
{
	if (field->marks & VACCEL_MARK_GROWS && field->kind != VACCEL_KIND_TENSORS)
		return VACCEL_OK;
	switch (field->kind) {
	case VACCEL_KIND_ONE:
		return field->dir == VACCEL_DIR_IN ? VACCEL_OK : check_pointer(op, field, args);
	case VACCEL_KIND_TEXT:
		if (field->dir == VACCEL_DIR_IN)
			return check_pointer(op, field, args);
		return check_extent(op, field, extent_get(args, field));
	case VACCEL_KIND_SPAN:
		return check_extent(op, field, extent_get(args, field));
	case VACCEL_KIND_LIST:
		return check_list(op, field, extent_get(args, field));
	case VACCEL_KIND_TENSORS:
		return check_tensors(op, field, extent_get(args, field));
	case VACCEL_KIND_ARGS:
		return check_user_args(op, field, extent_get(args, field));
	case VACCEL_KIND_RESOURCE:
		return check_resource(op, field, sess, args);
	}
	return VACCEL_OK;
}
