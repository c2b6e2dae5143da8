/* SPDX-License-Identifier: Apache-2.0 */
/* Small operations on arrays, as FPGA boards offer them. */
#ifndef VACCEL_OPS_FPGA_H
#define VACCEL_OPS_FPGA_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_FPGA_ARRAYCOPY_ARGS(ARG, op)               \
	ARG(op, IN, SPAN, i32, a, NONE, "values to copy") \
	ARG(op, OUT, SPAN, i32, out, NONE, "as many places")
VACCEL_OP_CHECKED(18, FPGA_ARRAYCOPY, fpga_arraycopy, vaccel_fpga_arraycopy, PURE, "copy an array")

#define VACCEL_FPGA_MMULT_ARGS(ARG, op)                               \
	ARG(op, IN, SPAN, f32, a, NONE, "a square matrix, row-major") \
	ARG(op, IN, SPAN, f32, b, NONE, "another of the same size")   \
	ARG(op, OUT, SPAN, f32, c, NONE, "their product")
VACCEL_OP_CHECKED(19, FPGA_MMULT, fpga_mmult, vaccel_fpga_mmult, PURE,
		  "multiply two square matrices")

#define VACCEL_FPGA_PARALLEL_ARGS(ARG, op)                           \
	ARG(op, IN, SPAN, f32, a, NONE, "values")                    \
	ARG(op, IN, SPAN, f32, b, NONE, "as many values")            \
	ARG(op, OUT, SPAN, f32, sum, NONE, "their sums, one by one") \
	ARG(op, OUT, SPAN, f32, product, NONE, "their products, one by one")
VACCEL_OP_CHECKED(20, FPGA_PARALLEL, fpga_parallel, vaccel_fpga_parallel, PURE,
		  "add and multiply two arrays at once")

#define VACCEL_FPGA_VECTORADD_ARGS(ARG, op)               \
	ARG(op, IN, SPAN, f32, a, NONE, "values")         \
	ARG(op, IN, SPAN, f32, b, NONE, "as many values") \
	ARG(op, OUT, SPAN, f32, c, NONE, "their sums, one by one")
VACCEL_OP_CHECKED(21, FPGA_VECTORADD, fpga_vectoradd, vaccel_fpga_vadd, PURE, "add two arrays")

/**
 * vaccel_fpga_arraycopy() - copy an array
 * @sess: the session
 * @a: @n values
 * @out: room for @n values
 * @n: how many, at least 1
 *
 * Return: VACCEL_OK, VACCEL_EINVAL or an error of vaccel_call().
 */
int vaccel_fpga_arraycopy(struct vaccel_session *sess, int a[], int out[], size_t n);

/**
 * vaccel_fpga_mmult() - multiply two square matrices
 * @sess: the session
 * @a, @b: @n values, the rows of a k×k matrix one after the other
 * @c: room for the @n values of their product
 * @n: k², at least 1
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, also if @n is no square; or an error of vaccel_call().
 */
int vaccel_fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t n);

/**
 * vaccel_fpga_parallel() - add and multiply two arrays, element by element
 * @sess: the session
 * @a, @b: @n values
 * @sum, @product: room for @n values
 * @n: how many, at least 1
 *
 * Return: VACCEL_OK, VACCEL_EINVAL or an error of vaccel_call().
 */
int vaccel_fpga_parallel(struct vaccel_session *sess, float a[], float b[], float sum[],
			 float product[], size_t n);

/**
 * vaccel_fpga_vadd() - add two arrays, element by element
 * @sess: the session
 * @a: @na values
 * @b: @nb values
 * @c: room for @na values
 * @na, @nb: how many, at least 1 and equal
 *
 * Return: VACCEL_OK, VACCEL_EINVAL or an error of vaccel_call().
 */
int vaccel_fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t na,
		     size_t nb);

#ifdef VACCEL_OP_BODIES
static int check_lengths(const char *op, size_t first, size_t second, size_t third)
{
	if (!first)
		return vaccel_fail(VACCEL_EINVAL, "%s: the arrays have no elements", op);
	if (first != second || first != third)
		return vaccel_fail(
			VACCEL_EINVAL,
			"%s: the arrays have %zu, %zu and %zu elements; give as many in each", op,
			first, second, third);
	return VACCEL_OK;
}

static int fpga_arraycopy_check(const struct vaccel_fpga_arraycopy_args *args)
{
	return check_lengths("fpga_arraycopy", args->a.count, args->out.count, args->out.count);
}

static int fpga_mmult_check(const struct vaccel_fpga_mmult_args *args)
{
	size_t side = 1;
	int ret = check_lengths("fpga_mmult", args->a.count, args->b.count, args->c.count);

	if (ret)
		return ret;
	while (side < args->a.count / side)
		side++;
	if (side * side != args->a.count)
		return vaccel_fail(VACCEL_EINVAL, "fpga_mmult: %zu elements are no square matrix",
				   args->a.count);
	return VACCEL_OK;
}

static int fpga_parallel_check(const struct vaccel_fpga_parallel_args *args)
{
	int ret = check_lengths("fpga_parallel", args->a.count, args->b.count, args->sum.count);

	if (!ret)
		ret = check_lengths("fpga_parallel", args->a.count, args->b.count,
				    args->product.count);
	return ret;
}

static int fpga_vectoradd_check(const struct vaccel_fpga_vectoradd_args *args)
{
	return check_lengths("fpga_vectoradd", args->a.count, args->b.count, args->c.count);
}

int vaccel_fpga_arraycopy(struct vaccel_session *sess, int a[], int out[], size_t n)
{
	struct vaccel_fpga_arraycopy_args args = {.a = {a, n}, .out = {out, n}};

	return vaccel_call(sess, &vaccel_op_fpga_arraycopy, &args);
}

int vaccel_fpga_mmult(struct vaccel_session *sess, float a[], float b[], float c[], size_t n)
{
	struct vaccel_fpga_mmult_args args = {.a = {a, n}, .b = {b, n}, .c = {c, n}};

	return vaccel_call(sess, &vaccel_op_fpga_mmult, &args);
}

int vaccel_fpga_parallel(struct vaccel_session *sess, float a[], float b[], float sum[],
			 float product[], size_t n)
{
	struct vaccel_fpga_parallel_args args = {
		.a = {a, n},
		.b = {b, n},
		.sum = {sum, n},
		.product = {product, n},
	};

	return vaccel_call(sess, &vaccel_op_fpga_parallel, &args);
}

int vaccel_fpga_vadd(struct vaccel_session *sess, float a[], float b[], float c[], size_t na,
		     size_t nb)
{
	struct vaccel_fpga_vectoradd_args args = {.a = {a, na}, .b = {b, nb}, .c = {c, na}};

	return vaccel_call(sess, &vaccel_op_fpga_vectoradd, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
