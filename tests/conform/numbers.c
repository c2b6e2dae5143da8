// SPDX-License-Identifier: Apache-2.0
/*
 * Operations on arrays of numbers, compared with their definitions in double
 * precision. Inputs are small multiples of 1/8, so that most results are exact
 * and an error of one element shows.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "conform.h"

#define ROUNDS 60

/* What lies between the rows of c, and must stay. */
#define GUARD 12345.0F

struct product {
	int64_t m, n, k, lda, ldb, ldc;
	float alpha, beta;
	float *a, *b, *c, *before;
};

static float *random_floats(size_t count)
{
	float *values = malloc((count + 1) * sizeof(*values));

	assert_non_null(values);
	for (size_t i = 0; i < count; i++)
		values[i] = random_float();
	return values;
}

static struct product product_new(int64_t most)
{
	static const float factors[] = {0, 1, -1, 0.5F, -2};
	struct product p = {
		.m = random_between(0, most),
		.n = random_between(0, most),
		.k = random_between(0, most),
		.alpha = factors[random_between(0, 4)],
		.beta = factors[random_between(0, 4)],
	};

	p.lda = p.k + random_between(p.k ? 0 : 1, 3);
	p.ldb = p.n + random_between(p.n ? 0 : 1, 3);
	p.ldc = p.n + random_between(p.n ? 0 : 1, 3);
	p.a = random_floats((size_t)(p.m * p.lda));
	p.b = random_floats((size_t)(p.k * p.ldb));
	p.c = random_floats((size_t)(p.m * p.ldc));
	p.before = malloc((size_t)(p.m * p.ldc + 1) * sizeof(float));
	for (int64_t i = 0; i < p.m * p.ldc; i++) {
		if (i % p.ldc >= p.n)
			p.c[i] = GUARD;
		else if (p.beta == 0 && i % 3 == 0)
			p.c[i] = NAN;
		p.before[i] = p.c[i];
	}
	return p;
}

static void product_free(struct product *p)
{
	free(p->a);
	free(p->b);
	free(p->c);
	free(p->before);
}

static int product_run(struct vaccel_session *sess, struct product *p)
{
	return vaccel_sgemm(sess, p->m, p->n, p->k, p->alpha, p->a, p->lda, p->b, p->ldb, p->beta,
			    p->c, p->ldc);
}

static bool product_is_right(const struct product *p)
{
	for (int64_t i = 0; i < p->m * p->ldc; i++) {
		int64_t row = i / p->ldc, column = i % p->ldc;
		double sum = 0, size = 1;

		if (column >= p->n) {
			if (p->c[i] != GUARD)
				return false;
			continue;
		}
		for (int64_t q = 0; q < p->k; q++) {
			double term = (double)p->a[row * p->lda + q] * p->b[q * p->ldb + column];

			sum += term;
			size += fabs(term);
		}
		sum *= p->alpha;
		if (p->beta != 0)
			sum += (double)p->beta * p->before[i];
		if (conform_computes && !(fabs(sum - p->c[i]) <= 1e-5 * size))
			return false;
	}
	return true;
}

static void test_sgemm(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct product p = product_new(i % 10 ? 20 : 70);
		int ret = product_run(&conform_sess, &p);
		bool right = ret || product_is_right(&p);

		product_free(&p);
		skip_unless_offered(ret, "blas_sgemm");
		assert_int_equal(ret, VACCEL_OK);
		assert_true(right);
	}
}

static void test_sgemm_of_nothing(void **state)
{
	float a[4] = {1, 2, 3, 4}, c[4] = {1, 2, 3, 4};
	int ret = vaccel_sgemm(&conform_sess, 2, 2, 0, 1, NULL, 1, NULL, 2, 2, c, 2);

	skip_unless_offered(ret, "blas_sgemm");
	assert_int_equal(ret, VACCEL_OK);
	if (conform_computes)
		assert_memory_equal(c, ((float[]){2, 4, 6, 8}), sizeof(c));
	assert_int_equal(vaccel_sgemm(&conform_sess, 0, 2, 2, 1, NULL, 2, a, 2, 0, NULL, 2),
			 VACCEL_OK);
	assert_int_equal(vaccel_sgemm(&conform_sess, 2, 0, 2, 1, a, 2, NULL, 1, 0, NULL, 1),
			 VACCEL_OK);
}

/* They stay in their row. */
static void test_sgemm_of_no_numbers(void **state)
{
	float a[4] = {NAN, INFINITY, 1, 2}, b[4] = {1, 1, 1, 1}, c[4] = {0};
	int ret = vaccel_sgemm(&conform_sess, 2, 2, 2, 1, a, 2, b, 2, 0, c, 2);

	skip_unless_offered(ret, "blas_sgemm");
	assert_int_equal(ret, VACCEL_OK);
	if (conform_computes)
		assert_true(isnan(c[0]) && isnan(c[1]) && c[2] == 3 && c[3] == 3);
}

static void test_sgemm_of_sizes_that_cannot_be(void **state)
{
	static const int64_t bad[][6] = {
		/* m, n, k, lda, ldb, ldc */
		{-1, 2, 2, 2, 2, 2},
		{2, -1, 2, 2, 2, 2},
		{2, 2, -1, 2, 2, 2},
		{2, 2, 2, 1, 2, 2},
		{2, 2, 2, 2, 1, 2},
		{2, 2, 2, 2, 2, 1},
		{2, 2, 2, 0, 2, 2},
		{2, 2, 0, 2, 2, 0},
		{2, 2, 2, -2, 2, 2},
		{INT64_MAX, 2, 2, 2, 2, 2},
		{2, INT64_MAX, 2, 2, INT64_MAX, INT64_MAX},
		{2, 2, 2, INT64_MAX, 2, 2},
		{INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN},
		{INT64_MAX / 2, 1, INT64_MAX / 2, INT64_MAX / 2, 1, 1},
	};
	float v[4] = {0}, c[4] = {5, 6, 7, 8};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(vaccel_sgemm(&conform_sess, bad[i][0], bad[i][1], bad[i][2], 1, v,
					    bad[i][3], v, bad[i][4], 0, c, bad[i][5]));
	assert_refused(vaccel_sgemm(&conform_sess, 2, 2, 2, 1, NULL, 2, v, 2, 0, c, 2));
	assert_refused(vaccel_sgemm(&conform_sess, 2, 2, 2, 1, v, 2, NULL, 2, 0, c, 2));
	assert_refused(vaccel_sgemm(&conform_sess, 2, 2, 2, 1, v, 2, v, 2, 0, NULL, 2));
	assert_memory_equal(c, ((float[]){5, 6, 7, 8}), sizeof(c));
}

/* One random array of samples; a few are NaN or infinite. */
static void fill_samples(double *samples, int n)
{
	for (int i = 0; i < n; i++) {
		int64_t kind = random_between(0, 20);

		samples[i] = kind == 0	 ? NAN
			     : kind == 1 ? INFINITY
			     : kind == 2 ? -INFINITY
					 : (double)random_between(-400, 400) / 4;
	}
}

static void check_minmax(const double *in, int n, int low, int high)
{
	double *out = calloc((size_t)n, sizeof(*out));
	double min = 7, max = 8, least = INFINITY, most = -INFINITY;
	int ret = vaccel_minmax(&conform_sess, in, n, low, high, out, &min, &max);

	for (int i = 0; i < n; i++) {
		if (in[i] >= low && in[i] <= high) {
			least = fmin(least, in[i]);
			most = fmax(most, in[i]);
		}
	}
	if (ret == VACCEL_ENOTSUP)
		free(out);
	skip_unless_offered(ret, "minmax");
	for (int i = 0; conform_computes && !ret && i < n; i++) {
		double clamped = in[i] < low ? low : in[i] > high ? high : in[i];

		assert_true(out[i] == clamped || (isnan(out[i]) && isnan(in[i])));
	}
	free(out);
	if (!conform_computes) {
		assert_int_equal(ret, VACCEL_OK);
	} else if (least > most) {
		assert_int_equal(ret, VACCEL_ERANGE);
		assert_string_not_equal(vaccel_error_text(), "");
		assert_true(min == 7 && max == 8);
	} else {
		assert_int_equal(ret, VACCEL_OK);
		assert_true(min == least && max == most);
	}
}

static void test_minmax(void **state)
{
	double samples[3000];

	for (int i = 0; i < ROUNDS; i++) {
		int n = (int)random_between(1, i % 10 ? 50 : 3000);
		int low = (int)random_between(-120, 120);

		fill_samples(samples, n);
		check_minmax(samples, n, low, low + (int)random_between(0, 60));
	}
	check_minmax((double[]){3}, 1, 3, 3);
	check_minmax((double[]){3}, 1, 4, 5);
	check_minmax((double[]){NAN, NAN}, 2, -5, 5);
	check_minmax((double[]){INFINITY, -INFINITY}, 2, INT32_MIN, INT32_MAX);
	check_minmax((double[]){1e300, -1e300, 0.5}, 3, INT32_MIN, INT32_MAX);
}

static void test_minmax_of_what_cannot_be(void **state)
{
	double in[2] = {1, 2}, out[2] = {3, 4}, min = 5, max = 6;

	assert_refused(vaccel_minmax(&conform_sess, in, 0, 0, 9, out, &min, &max));
	assert_refused(vaccel_minmax(&conform_sess, in, -1, 0, 9, out, &min, &max));
	assert_refused(vaccel_minmax(&conform_sess, in, INT32_MIN, 0, 9, out, &min, &max));
	assert_refused(vaccel_minmax(&conform_sess, in, 2, 9, 0, out, &min, &max));
	assert_refused(vaccel_minmax(&conform_sess, NULL, 2, 0, 9, out, &min, &max));
	assert_refused(vaccel_minmax(&conform_sess, in, 2, 0, 9, NULL, &min, &max));
	assert_refused(vaccel_minmax(&conform_sess, in, 2, 0, 9, out, NULL, &max));
	assert_refused(vaccel_minmax(&conform_sess, in, 2, 0, 9, out, &min, NULL));
	assert_true(out[0] == 3 && out[1] == 4 && min == 5 && max == 6);
}

static void check_arraycopy(size_t n)
{
	int *a = malloc(n * sizeof(*a)), *out = calloc(n + 1, sizeof(*out));
	int ret;

	for (size_t i = 0; i < n; i++)
		a[i] = (int)random_between(INT32_MIN, INT32_MAX);
	out[n] = 77;
	ret = vaccel_fpga_arraycopy(&conform_sess, a, out, n);
	if (!ret) {
		assert_memory_equal(a, out, n * sizeof(*a));
		assert_int_equal(out[n], 77);
	}
	free(a);
	free(out);
	skip_unless_offered(ret, "fpga_arraycopy");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_arraycopy(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		check_arraycopy((size_t)random_between(1, i % 10 ? 40 : 5000));
}

static void check_sums(size_t n)
{
	float *a = random_floats(n), *b = random_floats(n), *c = random_floats(n + 1);
	float *sum = random_floats(n), *product = random_floats(n);
	int ret = vaccel_fpga_vadd(&conform_sess, a, b, c, n, n);
	int other = vaccel_fpga_parallel(&conform_sess, a, b, sum, product, n);

	for (size_t i = 0; i < n; i++) {
		assert_true(ret || c[i] == a[i] + b[i]);
		assert_true(other || sum[i] == a[i] + b[i]);
		assert_true(other || product[i] == (conform_computes ? a[i] * b[i] : 1));
	}
	free(a);
	free(b);
	free(c);
	free(sum);
	free(product);
	skip_unless_offered(other, "fpga_parallel");
	assert_int_equal(other, VACCEL_OK);
	skip_unless_offered(
		vaccel_fpga_vadd(&conform_sess, (float[]){1}, (float[]){1}, (float[]){1}, 1, 1),
		"fpga_vectoradd");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_sums_and_products(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		check_sums((size_t)random_between(1, i % 10 ? 40 : 5000));
}

static void check_mmult(size_t side)
{
	size_t n = side * side;
	float *a = random_floats(n), *b = random_floats(n), *c = random_floats(n);
	int ret = vaccel_fpga_mmult(&conform_sess, a, b, c, n);
	bool right = true;

	for (size_t i = 0; !ret && conform_computes && i < n; i++) {
		double sum = 0, size = 1;

		for (size_t q = 0; q < side; q++) {
			double term = (double)a[i / side * side + q] * b[q * side + i % side];

			sum += term;
			size += fabs(term);
		}
		right = right && fabs(sum - c[i]) <= 1e-5 * size;
	}
	free(a);
	free(b);
	free(c);
	skip_unless_offered(ret, "fpga_mmult");
	assert_int_equal(ret, VACCEL_OK);
	assert_true(right);
}

static void test_mmult(void **state)
{
	for (size_t side = 1; side < 24; side++)
		check_mmult(side);
}

static void test_arrays_that_do_not_fit(void **state)
{
	float a[9] = {0}, b[9] = {0}, c[9] = {0};
	int i[1] = {0};

	assert_refused(vaccel_fpga_arraycopy(&conform_sess, i, i, 0));
	assert_refused(vaccel_fpga_arraycopy(&conform_sess, NULL, i, 1));
	assert_refused(vaccel_fpga_arraycopy(&conform_sess, i, NULL, 1));
	assert_refused(vaccel_fpga_arraycopy(&conform_sess, i, i, SIZE_MAX));
	assert_refused(vaccel_fpga_vadd(&conform_sess, a, b, c, 3, 4));
	assert_refused(vaccel_fpga_vadd(&conform_sess, a, b, c, 0, 0));
	assert_refused(vaccel_fpga_vadd(&conform_sess, a, NULL, c, 3, 3));
	assert_refused(vaccel_fpga_parallel(&conform_sess, a, b, c, NULL, 3));
	assert_refused(vaccel_fpga_parallel(&conform_sess, a, b, NULL, c, 3));
	assert_refused(vaccel_fpga_parallel(&conform_sess, a, b, c, c, 0));
	for (size_t n = 0; n < 9; n++)
		if (n != 1 && n != 4)
			assert_refused(vaccel_fpga_mmult(&conform_sess, a, b, c, n));
}

static void *multiply_often(void *session)
{
	/* Each thread draws from a sequence of its own. */
	float a[64], b[64], c[64];

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 64; i++) {
			a[i] = (float)(i + round);
			b[i] = i / 8 == i % 8 ? 2 : 0;
		}
		if (vaccel_sgemm(session, 8, 8, 8, 1, a, 8, b, 8, 0, c, 8))
			return session;
		for (int i = 0; conform_computes && i < 64; i++)
			if (c[i] != 2 * a[i])
				return session;
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	pthread_t threads[8];
	void *failed[8];
	float one[1] = {1}, c[1] = {0};

	skip_unless_offered(vaccel_sgemm(&conform_sess, 1, 1, 1, 1, one, 1, one, 1, 0, c, 1),
			    "blas_sgemm");
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, multiply_often, &conform_sess),
				 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(threads[i], &failed[i]), 0);
	for (int i = 0; i < 8; i++)
		assert_null(failed[i]);
}

/* The same operation, given by its number. */
static void test_genop(void **state)
{
	uint8_t number = VACCEL_OP_MINMAX;
	double in[3] = {5, 1, 9}, out[3] = {0}, direct[3] = {0}, min = 0, max = 0, least, most;
	int32_t n = 3, low = 0, high = 6;
	struct vaccel_arg read[5] = {
		{.buf = &number, .size = 1, .type = VACCEL_ARG_UINT8},
		{.buf = in, .size = sizeof(in), .type = VACCEL_ARG_FLOAT64_ARRAY},
		{.buf = &n, .size = sizeof(n), .type = VACCEL_ARG_INT32},
		{.buf = &low, .size = sizeof(low), .type = VACCEL_ARG_INT32},
		{.buf = &high, .size = sizeof(high), .type = VACCEL_ARG_INT32},
	};
	struct vaccel_arg write[3] = {
		{.buf = out, .size = sizeof(out), .type = VACCEL_ARG_FLOAT64_ARRAY},
		{.buf = &min, .size = sizeof(min), .type = VACCEL_ARG_FLOAT64},
		{.buf = &max, .size = sizeof(max), .type = VACCEL_ARG_FLOAT64},
	};

	skip_unless_offered(vaccel_minmax(&conform_sess, in, 3, 0, 6, direct, &least, &most),
			    "minmax");
	assert_int_equal(vaccel_genop(&conform_sess, read, 5, write, 3), VACCEL_OK);
	assert_memory_equal(out, direct, sizeof(out));
	assert_true(min == least && max == most);
	assert_refused(vaccel_genop(&conform_sess, read, 4, write, 3));
	assert_refused(vaccel_genop(&conform_sess, read, 5, write, 2));
	assert_refused(vaccel_genop(&conform_sess, NULL, 0, write, 3));
}

const struct CMUnitTest number_tests[] = {
	cmocka_unit_test(test_sgemm),
	cmocka_unit_test(test_sgemm_of_no_numbers),
	cmocka_unit_test(test_sgemm_of_nothing),
	cmocka_unit_test(test_sgemm_of_sizes_that_cannot_be),
	cmocka_unit_test(test_minmax),
	cmocka_unit_test(test_minmax_of_what_cannot_be),
	cmocka_unit_test(test_arraycopy),
	cmocka_unit_test(test_sums_and_products),
	cmocka_unit_test(test_mmult),
	cmocka_unit_test(test_arrays_that_do_not_fit),
	cmocka_unit_test(test_many_threads),
	cmocka_unit_test(test_genop),
};
const size_t nr_number_tests = sizeof(number_tests) / sizeof(number_tests[0]);
