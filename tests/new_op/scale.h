/* SPDX-License-Identifier: Apache-2.0 */
/* The operation that the test adds: this header is all that describes it. */
#ifndef VACCEL_OPS_SCALE_H
#define VACCEL_OPS_SCALE_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_SCALE_ARGS(ARG, op)                                 \
	ARG(op, IN, SPAN, f32, samples, NONE, "values to scale")   \
	ARG(op, IN, ONE, f32, factor, NONE, "what to multiply by") \
	ARG(op, OUT, SPAN, f32, scaled, NONE, "as many products")
VACCEL_OP_CHECKED(90, SCALE, scale, vaccel_scale, PURE, "multiply values by a factor")

/**
 * vaccel_scale() - multiply values by a factor
 * @sess: the session
 * @samples: @count values
 * @factor: what to multiply by
 * @scaled: room for @count values
 * @count: how many
 *
 * Return: VACCEL_OK, VACCEL_EINVAL or an error of vaccel_call().
 */
int vaccel_scale(struct vaccel_session *sess, const float *samples, float factor, float *scaled,
		 size_t count);

#ifdef VACCEL_OP_BODIES
static int scale_check(const struct vaccel_scale_args *args)
{
	if (args->samples.count == args->scaled.count)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "scale: %zu values and room for %zu", args->samples.count,
			   args->scaled.count);
}

int vaccel_scale(struct vaccel_session *sess, const float *samples, float factor, float *scaled,
		 size_t count)
{
	struct vaccel_scale_args args = {
		.samples = {samples, count},
		.factor = factor,
		.scaled = {scaled, count},
	};

	return vaccel_call(sess, &vaccel_op_scale, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
