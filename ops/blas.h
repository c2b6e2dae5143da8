/* SPDX-License-Identifier: Apache-2.0 */
/* Products of matrices. */
#ifndef VACCEL_OPS_BLAS_H
#define VACCEL_OPS_BLAS_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_BLAS_SGEMM_ARGS(ARG, op)                                                        \
	ARG(op, IN, ONE, i64, m, NONE, "rows of a and c")                                      \
	ARG(op, IN, ONE, i64, n, NONE, "columns of b and c")                                   \
	ARG(op, IN, ONE, i64, k, NONE, "columns of a, rows of b")                              \
	ARG(op, IN, ONE, f32, alpha, NONE, "what to multiply the product by")                  \
	ARG(op, IN, SPAN, f32, a, OPTIONAL, "m rows of k values, row-major")                   \
	ARG(op, IN, ONE, i64, lda, NONE, "from one row of a to the next, in elements")         \
	ARG(op, IN, SPAN, f32, b, OPTIONAL, "k rows of n values, row-major")                   \
	ARG(op, IN, ONE, i64, ldb, NONE, "from one row of b to the next, in elements")         \
	ARG(op, IN, ONE, f32, beta, NONE, "what to multiply c by before the product is added") \
	ARG(op, INOUT, SPAN, f32, c, OPTIONAL,                                                 \
	    "m rows of n values, row-major; read if beta is not 0")                            \
	ARG(op, IN, ONE, i64, ldc, NONE, "from one row of c to the next, in elements")
VACCEL_OP_CHECKED(17, BLAS_SGEMM, blas_sgemm, vaccel_sgemm, PURE,
		  "multiply matrices: c = alpha a b + beta c")

/**
 * vaccel_sgemm() - multiply matrices: c = alpha·a·b + beta·c
 * @sess: the session
 * @m: rows of @a and @c, 0 or more
 * @n: columns of @b and @c, 0 or more
 * @k: columns of @a and rows of @b, 0 or more
 * @alpha: what to multiply the product by
 * @a: @m rows of @k values, row-major
 * @lda: from one row of @a to the next, in elements; at least @k and 1
 * @b: @k rows of @n values, row-major
 * @ldb: from one row of @b to the next, in elements; at least @n and 1
 * @beta: what to multiply @c by; if 0, @c is only written
 * @c: @m rows of @n values, row-major; what lies between its rows stays
 * @ldc: from one row of @c to the next, in elements; at least @n and 1
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for sizes that do not fit; or an error of vaccel_call().
 */
int vaccel_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		 float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc);

#ifdef VACCEL_OP_BODIES
/* Elements from the first of a matrix to its last; false if that is no number. */
static bool matrix_extent(int64_t rows, int64_t columns, int64_t stride, size_t *ret_count)
{
	int64_t count;

	*ret_count = 0;
	if (rows < 0 || columns < 0 || stride < 1 || stride < columns)
		return false;
	if (!rows || !columns)
		return true;
	if (__builtin_mul_overflow(rows - 1, stride, &count) ||
	    __builtin_add_overflow(count, columns, &count) ||
	    (uint64_t)count > PTRDIFF_MAX / sizeof(float))
		return false;
	*ret_count = (size_t)count;
	return true;
}

static int check_matrix(const char *name, int64_t rows, int64_t columns, int64_t stride,
			size_t available)
{
	size_t needed;

	if (!matrix_extent(rows, columns, stride, &needed))
		return vaccel_fail(
			VACCEL_EINVAL,
			"blas_sgemm: %s cannot have %lld rows of %lld columns, %lld elements apart",
			name, (long long)rows, (long long)columns, (long long)stride);
	if (available < needed)
		return vaccel_fail(VACCEL_EINVAL,
				   "blas_sgemm: %s needs %zu elements and there are %zu", name,
				   needed, available);
	return VACCEL_OK;
}

static int blas_sgemm_check(const struct vaccel_blas_sgemm_args *args)
{
	int ret = check_matrix("a", args->m, args->k, args->lda, args->a.count);

	if (!ret)
		ret = check_matrix("b", args->k, args->n, args->ldb, args->b.count);
	if (!ret)
		ret = check_matrix("c", args->m, args->n, args->ldc, args->c.count);
	return ret;
}

int vaccel_sgemm(struct vaccel_session *sess, int64_t m, int64_t n, int64_t k, float alpha,
		 float *a, int64_t lda, float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
	struct vaccel_blas_sgemm_args args = {
		.m = m,
		.n = n,
		.k = k,
		.alpha = alpha,
		.a = {.data = a},
		.lda = lda,
		.b = {.data = b},
		.ldb = ldb,
		.beta = beta,
		.c = {.data = c},
		.ldc = ldc,
	};

	/* Sizes that cannot be leave a count of 0 behind, and the check says so. */
	matrix_extent(m, k, lda, &args.a.count);
	matrix_extent(k, n, ldb, &args.b.count);
	matrix_extent(m, n, ldc, &args.c.count);
	return vaccel_call(sess, &vaccel_op_blas_sgemm, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
