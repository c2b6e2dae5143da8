// SPDX-License-Identifier: Apache-2.0
/* See measure.h. Threads are pinned one to a processor, as far as there are any. */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "bench/measure.h"

#define SAMPLES_LEAST 20 /* of a row that is measured for longer than a moment */
#define SAMPLES_MOST  4000

struct series {
	double *run;
	double *floor;
};

struct bench {
	const struct bench_row *row;
	size_t samples;	       /* of one round and thread */
	struct series *rounds; /* of samples * threads each */
	pthread_barrier_t barrier;
	int error;
	char words[256];
};

struct worker {
	struct bench *bench;
	unsigned int index;
	pthread_t thread;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The @index-th processor of those that the process may use, beginning anew past the last. */
static void pin(unsigned int index)
{
	cpu_set_t allowed, one;
	unsigned int left;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	left = index % (unsigned int)CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || left--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

/* Nanoseconds for doing the work once. The first error of any thread is kept. */
static double sample(struct bench *bench, bench_work *work)
{
	double before;
	int ret;

	pthread_barrier_wait(&bench->barrier);
	before = now();
	ret = work(bench->row->context, bench->row->batch);
	if (ret && !__atomic_exchange_n(&bench->error, ret, __ATOMIC_ACQ_REL))
		strncpy(bench->words, vaccel_error_text(), sizeof(bench->words) - 1);
	return (now() - before) / (double)bench->row->batch;
}

static void sample_some(struct bench *bench, bench_work *work, double *to, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = sample(bench, work);
}

static void *measure_rounds(void *argument)
{
	const struct worker *worker = argument;
	struct bench *bench = worker->bench;
	const struct bench_row *row = bench->row;
	size_t most = row->run_length ? row->run_length : 1, count;

	pin(worker->index);
	for (size_t r = 0; r < BENCH_ROUNDS; r++) {
		double *run = bench->rounds[r].run + worker->index * bench->samples;
		double *floor = bench->rounds[r].floor + worker->index * bench->samples;

		for (size_t i = 0; i < bench->samples; i += count) {
			bool floor_first = i / most % 2;

			/* Who goes first changes, as the first may find caches cold. */
			count = bench->samples - i < most ? bench->samples - i : most;
			if (floor_first)
				sample_some(bench, row->floor, floor + i, count);
			sample_some(bench, row->run, run + i, count);
			if (!floor_first)
				sample_some(bench, row->floor, floor + i, count);
		}
	}
	return NULL;
}

static int by_size(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

static double quantile(double *values, size_t count, double which)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[(size_t)(which * (double)(count - 1) + 0.5)];
}

static double median_of_rounds(struct bench *bench, bool floor)
{
	size_t count = bench->samples * bench->row->threads;
	double medians[BENCH_ROUNDS];

	for (size_t r = 0; r < BENCH_ROUNDS; r++)
		medians[r] =
			quantile(floor ? bench->rounds[r].floor : bench->rounds[r].run, count, 0.5);
	return quantile(medians, BENCH_ROUNDS, 0.5);
}

bool bench_is_rate(const struct bench_row *row)
{
	return strstr(row->unit, "/s");
}

/* From nanoseconds for doing the work once. */
static double in_unit(const struct bench_row *row, double ns)
{
	if (!strcmp(row->unit, "GB/s"))
		return row->amount / ns;
	if (!strcmp(row->unit, "calls/s"))
		return row->amount * row->threads * 1e9 / ns;
	return ns * (!strcmp(row->unit, "ms") ? 1e-6 : !strcmp(row->unit, "us") ? 1e-3 : 1);
}

static bool within(bool is_rate, double value, double goal)
{
	return goal == 0 || (is_rate ? value >= goal : value <= goal);
}

bool bench_reached(const struct bench_row *row, const struct bench_result *result)
{
	bool is_rate = bench_is_rate(row);

	return within(is_rate, result->ratio, row->goal) &&
	       within(is_rate, result->value, row->value_goal) &&
	       within(false, result->p99, row->p99_goal * result->limit);
}

static void conclude(struct bench *bench, double *all_runs, struct bench_result *ret_result)
{
	const struct bench_row *row = bench->row;
	size_t count = BENCH_ROUNDS * bench->samples * row->threads;
	struct bench_result result = {
		.value = in_unit(row, median_of_rounds(bench, false)),
		.limit = in_unit(row, median_of_rounds(bench, true)),
		.p99 = in_unit(row, quantile(all_runs, count, 0.99)),
	};

	result.ratio = result.value / result.limit;
	*ret_result = result;
}

/* How many samples fit the row's time, by trying once. Warms everything up, too. */
static int plan(struct bench *bench)
{
	const struct bench_row *row = bench->row;
	size_t least = row->seconds > 0 ? SAMPLES_LEAST : 1;
	double before, once;
	int ret = row->run(row->context, row->batch);

	if (!ret)
		ret = row->floor(row->context, row->batch);
	if (ret)
		return ret;
	before = now();
	ret = row->run(row->context, row->batch);
	if (!ret)
		ret = row->floor(row->context, row->batch);
	once = (now() - before) * 1e-9;
	bench->samples = (size_t)(row->seconds / BENCH_ROUNDS / (once > 1e-9 ? once : 1e-9));
	if (bench->samples < least)
		bench->samples = least;
	if (bench->samples > SAMPLES_MOST)
		bench->samples = SAMPLES_MOST;
	return ret;
}

static int run_threads(struct bench *bench)
{
	unsigned int nr = bench->row->threads;
	struct worker *workers = calloc(nr, sizeof(*workers));

	if (!workers || pthread_barrier_init(&bench->barrier, NULL, nr)) {
		free(workers);
		return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	}
	for (unsigned int i = 0; i < nr; i++) {
		workers[i] = (struct worker){.bench = bench, .index = i};
		/* Those that started wait for all at the barrier, so all or none must start. */
		if (pthread_create(&workers[i].thread, NULL, measure_rounds, &workers[i]))
			abort();
	}
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&bench->barrier);
	free(workers);
	return bench->error ? vaccel_fail(bench->error, "%s", bench->words) : VACCEL_OK;
}

int bench_measure(const struct bench_row *row, struct bench_result *ret_result)
{
	struct series rounds[BENCH_ROUNDS];
	struct bench bench = {.row = row, .rounds = rounds};
	size_t round_size;
	double *values;
	int ret = plan(&bench);

	if (ret)
		return ret;
	round_size = bench.samples * row->threads;
	values = calloc(2 * BENCH_ROUNDS * round_size, sizeof(*values));
	if (!values)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	for (size_t r = 0; r < BENCH_ROUNDS; r++) {
		rounds[r].run = values + r * round_size;
		rounds[r].floor = values + (BENCH_ROUNDS + r) * round_size;
	}
	ret = run_threads(&bench);
	if (!ret)
		conclude(&bench, values, ret_result);
	free(values);
	return ret;
}
