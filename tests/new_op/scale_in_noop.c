// SPDX-License-Identifier: Apache-2.0
/* What the test puts into the noop plugin: a backend's side of the operation. */
#include <vaccel/ops/scale.h>

static int scale(struct vaccel_call *call, struct vaccel_scale_args *args)
{
	for (size_t i = 0; i < args->samples.count; i++)
		args->scaled.data[i] = args->factor * args->samples.data[i];
	return VACCEL_OK;
}
