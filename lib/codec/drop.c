// SPDX-License-Identifier: Apache-2.0
/* What both ends do about the outputs of a call that failed. */
#include <stdlib.h>

#include <vaccel/ops/describe.h>

#include "call/call.h"
#include "value/tensor.h"

void args_drop_outputs(const struct vaccel_op *op, void *args)
{
	for (size_t i = 0; i < op->nr_fields; i++) {
		const struct vaccel_field *field = &op->fields[i];
		struct extent extent;

		if (!(field->marks & VACCEL_MARK_GROWS))
			continue;
		extent = extent_get(args, field);
		if (field->kind == VACCEL_KIND_TENSORS) {
			tensor_array_release(extent.data, extent.count);
		} else {
			free(extent.data);
			extent_set(args, field, (struct extent){0});
		}
	}
}
