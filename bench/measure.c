// SPDX-License-Identifier: Apache-2.0
/* See measure.h. Threads are pinned one to a processor, as far as there are any. */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "bench/measure.h"

#define ROUNDS	      5
#define ROUNDS_APART  41 /* each in a process of its own */
#define SAMPLES_LEAST 20 /* of a row that is measured for longer than a moment */
#define SAMPLES_MOST  4000

/* In memory that child processes share. */
struct bench {
	const struct bench_row *row;
	cpu_set_t allowed; /* before any thread is pinned */
	size_t rounds;
	size_t samples;	      /* of one round and thread; 0 until it is known */
	size_t first, behind; /* the rounds that this process measures */
	pthread_barrier_t barrier;
	unsigned int begun; /* how often a thread has begun a sample */
	double begin;	    /* of the sample, by the first thread; read when all are done */
	int error;
	char words[256];
	double values[]; /* in nanoseconds: all rounds of the work, then all of the floor */
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

bool bench_is_rate(const struct bench_row *row)
{
	return strstr(row->unit, "/s");
}

/* The @index-th processor of those that the process may use, beginning anew past the last. */
static void pin(const cpu_set_t *allowed, unsigned int index)
{
	unsigned int count = (unsigned int)CPU_COUNT(allowed), left = count ? index % count : 0;
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, allowed) || left--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

/* The first error of any thread is kept. */
static int note_error(struct bench *bench, int ret)
{
	if (ret && !__atomic_exchange_n(&bench->error, ret, __ATOMIC_ACQ_REL))
		strncpy(bench->words, vaccel_error_text(), sizeof(bench->words) - 1);
	return ret;
}

/* Of all threads. */
static size_t round_size(const struct bench *bench)
{
	return bench->samples * bench->row->threads;
}

static double *round_of(struct bench *bench, bool floor, size_t round)
{
	return bench->values + (floor * bench->rounds + round) * round_size(bench);
}

/* Nanoseconds for doing the work once; of a rate, from the first thread's begin to the last's end.
 */
static double sample(struct bench *bench, bench_work *work)
{
	const struct bench_row *row = bench->row;
	bool is_rate = bench_is_rate(row);
	double begin;

	pthread_barrier_wait(&bench->barrier);
	begin = now();
	if (is_rate && __atomic_fetch_add(&bench->begun, 1, __ATOMIC_RELAXED) % row->threads == 0)
		bench->begin = begin;
	note_error(bench, work(row->context, row->batch));
	if (is_rate) {
		pthread_barrier_wait(&bench->barrier);
		begin = bench->begin;
	}
	return (now() - begin) / (double)row->batch;
}

static void sample_some(const struct worker *worker, bool floor, double *to, size_t count)
{
	const struct bench_row *row = worker->bench->row;

	if (row->floor_apart)
		pin(&worker->bench->allowed, worker->index + floor * row->floor_apart);
	for (size_t i = 0; i < count; i++)
		to[i] = sample(worker->bench, floor ? row->floor : row->run);
}

static void *measure_rounds(void *argument)
{
	const struct worker *worker = argument;
	struct bench *bench = worker->bench;
	const struct bench_row *row = bench->row;
	size_t most = row->run_length ? row->run_length : 1, count;

	pin(&bench->allowed, worker->index);
	for (size_t r = bench->first; r < bench->behind; r++) {
		double *run = round_of(bench, false, r) + worker->index * bench->samples;
		double *floor = round_of(bench, true, r) + worker->index * bench->samples;

		for (size_t i = 0; i < bench->samples; i += count) {
			bool floor_first = i / most % 2;

			/* Who goes first changes, as the first may find caches cold. */
			count = bench->samples - i < most ? bench->samples - i : most;
			if (floor_first)
				sample_some(worker, true, floor + i, count);
			sample_some(worker, false, run + i, count);
			if (!floor_first)
				sample_some(worker, true, floor + i, count);
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

/*
 * Of a round: the median, but what several threads do together is all of it in all of
 * its time, since the median would hide a thread that starves now and then.
 */
static double middle(const struct bench_row *row, double *values, size_t count)
{
	double sum = 0;

	if (row->threads == 1 || !bench_is_rate(row))
		return quantile(values, count, 0.5);
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	return sum / (double)count;
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

static void conclude(struct bench *bench, struct bench_result *ret_result)
{
	const struct bench_row *row = bench->row;
	double values[ROUNDS_APART], limits[ROUNDS_APART], ratios[ROUNDS_APART];
	size_t size = round_size(bench);

	for (size_t r = 0; r < bench->rounds; r++) {
		values[r] = in_unit(row, middle(row, round_of(bench, false, r), size));
		limits[r] = in_unit(row, middle(row, round_of(bench, true, r), size));
		ratios[r] = values[r] / limits[r];
	}
	*ret_result = (struct bench_result){
		.value = quantile(values, bench->rounds, 0.5),
		.limit = quantile(limits, bench->rounds, 0.5),
		.ratio = quantile(ratios, bench->rounds, 0.5),
		.p99 = in_unit(row, quantile(bench->values, bench->rounds * size, 0.99)),
	};
}

static int do_both(const struct bench_row *row)
{
	int ret = row->run(row->context, row->batch);

	return ret ? ret : row->floor(row->context, row->batch);
}

/* How many samples fit the row's time, by trying once. */
static int plan(struct bench *bench)
{
	const struct bench_row *row = bench->row;
	size_t least = row->seconds > 0 ? SAMPLES_LEAST : 1, samples;
	double before = now(), once;
	int ret = do_both(row);

	once = (now() - before) * 1e-9;
	samples = (size_t)(row->seconds / (double)bench->rounds / (once > 1e-9 ? once : 1e-9));
	if (samples < least)
		samples = least;
	bench->samples = samples < SAMPLES_MOST ? samples : SAMPLES_MOST;
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

static int measure_some(struct bench *bench, size_t first, size_t behind)
{
	/* What is cold becomes warm. */
	int ret = do_both(bench->row);

	if (!ret && !bench->samples)
		ret = plan(bench);
	bench->first = first;
	bench->behind = behind;
	return ret ? ret : run_threads(bench);
}

static int measure_round(struct bench *bench, size_t round)
{
	const struct bench_row *row = bench->row;
	int ret = row->begin(row->context);

	if (!ret)
		ret = measure_some(bench, round, round + 1);
	/* Before what ends the round has words of its own. */
	note_error(bench, ret);
	row->end(row->context);
	return ret;
}

static int measure_round_in_child(struct bench *bench, size_t round)
{
	int status = -1;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child)
		_exit(measure_round(bench, round) ? EXIT_FAILURE : EXIT_SUCCESS);
	if (child > 0)
		waitpid(child, &status, 0);
	if (bench->error)
		return vaccel_fail(bench->error, "%s", bench->words);
	return status ? vaccel_fail(VACCEL_EBACKEND, "the process of a round has died") : VACCEL_OK;
}

static int measure_all(struct bench *bench)
{
	int ret = VACCEL_OK;

	if (!bench->row->begin)
		return measure_some(bench, 0, bench->rounds);
	for (size_t r = 0; !ret && r < bench->rounds; r++)
		ret = measure_round_in_child(bench, r);
	return ret;
}

int bench_measure(const struct bench_row *row, struct bench_result *ret_result)
{
	size_t most = (size_t)2 * ROUNDS_APART * SAMPLES_MOST * row->threads;
	size_t size = sizeof(struct bench) + most * sizeof(double);
	struct bench *bench =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (bench == MAP_FAILED)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	bench->row = row;
	sched_getaffinity(0, sizeof(bench->allowed), &bench->allowed);
	bench->rounds = !row->begin ? ROUNDS : row->seconds > 0 ? ROUNDS_APART : 1;
	ret = measure_all(bench);
	if (!ret)
		conclude(bench, ret_result);
	munmap(bench, size);
	return ret;
}
