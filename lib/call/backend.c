// SPDX-License-Identifier: Apache-2.0
/*
 * What a plugin may ask for while it runs a call: its session and resources, its
 * own side of either, and memory for outputs whose size it decides.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/ops/describe.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "call/call.h"
#include "object/resource.h"
#include "object/session.h"
#include "plugin/slots.h"

struct vaccel_session *vaccel_call_session(const struct vaccel_call *call)
{
	return call->sess;
}

static const struct vaccel_field *growing_field(const struct vaccel_call *call, const void *member)
{
	size_t offset = (size_t)((const char *)member - (const char *)call->args);

	for (size_t i = 0; i < call->op->nr_fields; i++) {
		const struct vaccel_field *field = &call->op->fields[i];

		if (field->offset == offset && field->marks & VACCEL_MARK_GROWS)
			return field;
	}
	return NULL;
}

void *vaccel_call_out(struct vaccel_call *call, void *member, size_t size)
{
	const struct vaccel_field *field = growing_field(call, member);
	struct extent extent;

	if (!field) {
		vaccel_fail(VACCEL_EINVAL, "%s: that is no output whose size the backend decides",
			    call->op->name);
		return NULL;
	}
	free(extent_get(call->args, field).data);
	extent.count = field->kind == VACCEL_KIND_TEXT ? size : 0;
	/* A block of no bytes is still a block: the caller sees that the output is there. */
	extent.data = calloc(1, size ? size : 1);
	extent_set(call->args, field, extent);
	if (!extent.data)
		vaccel_fail(VACCEL_ENOMEM, "%s: no memory for %zu bytes of '%s'", call->op->name,
			    size, field->name);
	return extent.data;
}

int vaccel_call_out_tensor(struct vaccel_call *call, struct vaccel_tensor *tensor, int32_t type,
			   size_t nr_dims, const int64_t *dims, size_t size)
{
	_cleanup_(freep) int64_t *copy = calloc(nr_dims ? nr_dims : 1, sizeof(*copy));
	void *data = calloc(1, size ? size : 1);

	if (!copy || !data) {
		free(data);
		return vaccel_fail(VACCEL_ENOMEM, "%s: no memory for a tensor of %zu bytes",
				   call->op->name, size);
	}
	if (nr_dims)
		memcpy(copy, dims, nr_dims * sizeof(*copy));
	*tensor = (struct vaccel_tensor){
		.data = data,
		.size = size,
		.owned = true,
		.nr_dims = nr_dims,
		.dims = TAKE(copy),
		.data_type = type,
	};
	return VACCEL_OK;
}

int vaccel_call_session_slot(struct vaccel_call *call, void **ret_slot)
{
	return slots_get(&call->sess->state->slots, &slots_session, call->plugin, call->sess,
			 ret_slot);
}

int vaccel_call_resource_slot(struct vaccel_call *call, struct vaccel_resource *resource,
			      void **ret_slot)
{
	return slots_get(&resource->state->slots, &slots_resource, call->plugin, resource,
			 ret_slot);
}

struct vaccel_resource *vaccel_call_resource(struct vaccel_call *call, vaccel_resource_type_t type)
{
	size_t position = 0;

	return session_next_resource(call->sess->state, &position, type);
}
