/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring one thing beside the floor of what the machine can do: both are run
 * in turns, in the same thread on the same processor, so that whatever else the
 * machine does meets both. A row's figure is the median of its five rounds'
 * medians; p99 is over all samples.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

#define BENCH_ROUNDS 5

/* Does the work @times times. 0, or a VACCEL_E* code with its words. */
typedef int bench_work(void *context, size_t times);

struct bench_row {
	const char *name;
	const char *unit;     /* "ns" or "ms" */
	unsigned int threads; /* each does all the work, at the same time */
	size_t batch;	      /* how often the work is done for one sample */
	double seconds;	      /* about how long to measure, floor included */
	bench_work *run;
	bench_work *floor;
	void *context;
};

/* In the row's unit, for doing the work once. */
struct bench_result {
	double value;
	double p99;
	double limit; /* the floor's value */
	double ratio; /* value / limit */
};

int bench_measure(const struct bench_row *row, struct bench_result *ret_result);

/* Where a suite's rows go. Returns 0 to go on. */
typedef int bench_show(void *context, const struct bench_row *row,
		       const struct bench_result *result);

/* What to measure inference with; each NULL for our own. */
struct bench_models {
	const char *const *models; /* directories with a card, ending in NULL */
	const char *picture;
};

int bench_call(bench_show *show, void *context);
int bench_infer(const struct bench_models *models, bench_show *show, void *context);

#endif
