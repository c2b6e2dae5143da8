// SPDX-License-Identifier: Apache-2.0
/*
 * What vaccel adds to products of matrices: the blas plugin against OpenBLAS, which
 * both use with one thread. Before anything is timed both must give the same product.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "bench/blas_floor.h"
#include "bench/measure.h"
#include "bench/module.h"

/* Of the larger products; of the small ones a call is a larger part. */
#define GOAL 1.02

struct product {
	struct vaccel_session *sess;
	const struct blas_floor *floor;
	int side;
	int stride;
	float *a, *b, *c;
};

static int run_vaccel(void *context, size_t times)
{
	const struct product *p = context;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_sgemm(p->sess, p->side, p->side, p->side, 1, p->a, p->stride, p->b,
				   p->stride, 0, p->c, p->stride);
	return ret;
}

static int run_floor(void *context, size_t times)
{
	const struct product *p = context;

	for (size_t i = 0; i < times; i++)
		p->floor->multiply(p->side, p->stride, p->a, p->b, p->c);
	return VACCEL_OK;
}

static void free_product(struct product *p)
{
	free(p->a);
	free(p->b);
	free(p->c);
}

static int make_product(struct product *p)
{
	size_t count = (size_t)p->side * (size_t)p->stride;

	p->a = calloc(count, sizeof(*p->a));
	p->b = calloc(count, sizeof(*p->b));
	p->c = calloc(count, sizeof(*p->c));
	if (!p->a || !p->b || !p->c)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for matrices to measure with");
	for (size_t i = 0; i < count; i++) {
		p->a[i] = (float)(i % 7) / 8;
		p->b[i] = (float)(i % 5) / 8;
	}
	return VACCEL_OK;
}

static int compare_answers(struct product *p)
{
	size_t size = (size_t)p->side * (size_t)p->stride * sizeof(*p->c);
	float *direct;
	bool same;
	int ret = run_vaccel(p, 1);

	if (ret)
		return ret;
	direct = malloc(size);
	if (!direct)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for matrices to measure with");
	memcpy(direct, p->c, size);
	run_floor(p, 1);
	same = !memcmp(direct, p->c, size);
	free(direct);
	if (same)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EBACKEND,
			   "vaccel and OpenBLAS called directly disagree on a product");
}

static int measure(struct product *p, const struct bench_row *row, bench_show *show, void *context)
{
	struct bench_result result;
	int ret = make_product(p);

	if (!ret)
		ret = compare_answers(p);
	if (!ret)
		ret = bench_measure(row, &result);
	if (!ret)
		ret = show(context, row, &result);
	free_product(p);
	return ret;
}

static int measure_all(struct vaccel_session *sess, bench_show *show, void *context)
{
	static const struct {
		const char *name;
		const char *unit;
		int side, stride;
		size_t batch;
		double goal;
	} sizes[] = {
		{"sgemm of 4 x 4", "ns", 4, 4, 5000, 0},
		{"sgemm of 64 x 64", "us", 64, 64, 50, 0},
		{"sgemm of 256 x 256", "us", 256, 256, 1, GOAL},
		{"sgemm of 256 x 256, 300 apart", "us", 256, 300, 1, GOAL},
		{"sgemm of 1024 x 1024", "ms", 1024, 1024, 1, GOAL},
	};
	const struct blas_floor *floor;
	int ret = bench_module("blas", "blas_floor", (const void **)&floor);

	for (size_t i = 0; !ret && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct product product = {sess, floor, sizes[i].side, sizes[i].stride,
					  NULL, NULL,  NULL};
		const struct bench_row row = {
			.name = sizes[i].name,
			.unit = sizes[i].unit,
			.threads = 1,
			.batch = sizes[i].batch,
			.seconds = 4,
			.run = run_vaccel,
			.floor = run_floor,
			.context = &product,
			.goal = sizes[i].goal,
		};

		ret = measure(&product, &row, show, context);
	}
	return ret;
}

int bench_sgemm(bench_show *show, void *context)
{
	struct vaccel_config config = {.plugins = (char *)"blas", .log_level = VACCEL_LOG_ERROR};
	struct vaccel_session sess;
	int ret;

	setenv("VACCEL_BLAS_THREADS", "1", 1);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&sess, 0);
	if (ret)
		return ret;
	ret = measure_all(&sess, show, context);
	vaccel_session_release(&sess);
	vaccel_cleanup();
	return ret;
}
