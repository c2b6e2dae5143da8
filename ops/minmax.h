/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest and largest of many values, between two thresholds. */
#ifndef VACCEL_OPS_MINMAX_H
#define VACCEL_OPS_MINMAX_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_MINMAX_ARGS(ARG, op)                                                     \
	ARG(op, IN, SPAN, f64, samples, NONE, "values to scan")                         \
	ARG(op, IN, ONE, i32, n, NONE, "how many of them")                              \
	ARG(op, IN, ONE, i32, low, NONE, "lower threshold")                             \
	ARG(op, IN, ONE, i32, high, NONE, "upper threshold")                            \
	ARG(op, OUT, SPAN, f64, out, NONE, "the values, brought within the thresholds") \
	ARG(op, OUT, ONE, f64, min, NONE, "smallest value within the thresholds")       \
	ARG(op, OUT, ONE, f64, max, NONE, "largest value within the thresholds")
VACCEL_OP_CHECKED(22, MINMAX, minmax, vaccel_minmax, PURE,
		  "find the smallest and the largest value between two thresholds")

/**
 * vaccel_minmax() - the smallest and largest of many values, between thresholds
 * @sess: the session
 * @in: @n values
 * @n: how many, at least 1
 * @low: values below it are left out of @min and @max
 * @high: values above it are left out; not below @low
 * @out: room for @n values: those of @in, with the ones outside the thresholds
 *	replaced by the threshold that they passed (a NaN stays a NaN)
 * @min: the smallest value within the thresholds
 * @max: the largest one; where no value lies within, VACCEL_ERANGE
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ERANGE or an error of vaccel_call().
 */
int vaccel_minmax(struct vaccel_session *sess, const double *in, int n, int low, int high,
		  double *out, double *min, double *max);

#ifdef VACCEL_OP_BODIES
static int minmax_check(const struct vaccel_minmax_args *args)
{
	if (args->n < 1)
		return vaccel_fail(VACCEL_EINVAL, "minmax: n is %d; give at least 1 value",
				   args->n);
	if (args->low > args->high)
		return vaccel_fail(VACCEL_EINVAL, "minmax: low %d is above high %d", args->low,
				   args->high);
	if (args->samples.count < (size_t)args->n || args->out.count < (size_t)args->n)
		return vaccel_fail(VACCEL_EINVAL,
				   "minmax: n is %d, but there are %zu values and room for %zu",
				   args->n, args->samples.count, args->out.count);
	return VACCEL_OK;
}

int vaccel_minmax(struct vaccel_session *sess, const double *in, int n, int low, int high,
		  double *out, double *min, double *max)
{
	size_t count = n > 0 ? (size_t)n : 0;
	struct vaccel_minmax_args args = {
		.samples = {in, count},
		.n = n,
		.low = low,
		.high = high,
		.out = {out, count},
		.min = min,
		.max = max,
	};

	return vaccel_call(sess, &vaccel_op_minmax, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
