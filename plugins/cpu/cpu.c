// SPDX-License-Identifier: Apache-2.0
/*
 * Numerical operations in plain C, on any processor. This is what every other
 * backend's results are compared with, so it is written to be read; the order
 * of the loops is all that is done for speed. Sizes have been checked against
 * each other by the operations' own checks.
 */
#include <string.h>

#include <vaccel/ops/blas.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/minmax.h>
#include <vaccel/plugin.h>

/* A c that is only written may hold anything, NaN included. */
static void scale(float *row, size_t n, float beta)
{
	for (size_t j = 0; j < n; j++)
		row[j] = beta == 0 ? 0 : beta * row[j];
}

static void add_multiple(float *row, float factor, const float *other, size_t n)
{
	for (size_t j = 0; j < n; j++)
		row[j] += factor * other[j];
}

/* Row by row, so that b and c are walked in the order in which they lie. */
static int blas_sgemm(struct vaccel_call *call, struct vaccel_blas_sgemm_args *args)
{
	size_t m = (size_t)args->m, n = (size_t)args->n, k = (size_t)args->k;
	size_t lda = (size_t)args->lda, ldb = (size_t)args->ldb, ldc = (size_t)args->ldc;

	for (size_t i = 0; n && i < m; i++) {
		float *row = args->c.data + i * ldc;

		scale(row, n, args->beta);
		for (size_t p = 0; args->alpha != 0 && p < k; p++)
			add_multiple(row, args->alpha * args->a.data[i * lda + p],
				     args->b.data + p * ldb, n);
	}
	return VACCEL_OK;
}

static double brought_within(double value, double low, double high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

static int minmax(struct vaccel_call *call, struct vaccel_minmax_args *args)
{
	const double *samples = args->samples.data;
	size_t n = (size_t)args->n;
	double min = args->high, max = args->low;
	bool any = false;

	/* A NaN compares false with everything, and so lies nowhere. */
	for (size_t i = 0; i < n; i++) {
		if (!(samples[i] >= args->low && samples[i] <= args->high))
			continue;
		any = true;
		min = samples[i] < min ? samples[i] : min;
		max = samples[i] > max ? samples[i] : max;
	}
	if (!any)
		return vaccel_fail(VACCEL_ERANGE,
				   "minmax: none of the %zu values lies between %d and %d", n,
				   args->low, args->high);
	for (size_t i = 0; i < n; i++)
		args->out.data[i] = brought_within(samples[i], args->low, args->high);
	*args->min = min;
	*args->max = max;
	return VACCEL_OK;
}

static int fpga_arraycopy(struct vaccel_call *call, struct vaccel_fpga_arraycopy_args *args)
{
	memmove(args->out.data, args->a.data, args->a.count * sizeof(*args->a.data));
	return VACCEL_OK;
}

static int fpga_mmult(struct vaccel_call *call, struct vaccel_fpga_mmult_args *args)
{
	size_t side = 1;

	while (side * side < args->a.count)
		side++;
	memset(args->c.data, 0, args->c.count * sizeof(*args->c.data));
	for (size_t i = 0; i < side; i++)
		for (size_t p = 0; p < side; p++)
			add_multiple(args->c.data + i * side, args->a.data[i * side + p],
				     args->b.data + p * side, side);
	return VACCEL_OK;
}

static int fpga_parallel(struct vaccel_call *call, struct vaccel_fpga_parallel_args *args)
{
	for (size_t i = 0; i < args->a.count; i++) {
		float a = args->a.data[i], b = args->b.data[i];

		args->sum.data[i] = a + b;
		args->product.data[i] = a * b;
	}
	return VACCEL_OK;
}

static int fpga_vectoradd(struct vaccel_call *call, struct vaccel_fpga_vectoradd_args *args)
{
	for (size_t i = 0; i < args->a.count; i++)
		args->c.data[i] = args->a.data[i] + args->b.data[i];
	return VACCEL_OK;
}

static const struct vaccel_plugin_info info = {
	.name = "cpu",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_SOFTWARE,
	.sentence = "numerical operations in plain C",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(BLAS_SGEMM, blas_sgemm, blas_sgemm),
	VACCEL_PLUGIN_OP(FPGA_ARRAYCOPY, fpga_arraycopy, fpga_arraycopy),
	VACCEL_PLUGIN_OP(FPGA_MMULT, fpga_mmult, fpga_mmult),
	VACCEL_PLUGIN_OP(FPGA_PARALLEL, fpga_parallel, fpga_parallel),
	VACCEL_PLUGIN_OP(FPGA_VECTORADD, fpga_vectoradd, fpga_vectoradd),
	VACCEL_PLUGIN_OP(MINMAX, minmax, minmax),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]));
