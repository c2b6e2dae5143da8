/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring one thing beside the floor of what the machine can do: both are run
 * in turns, in the same thread on the same processor, so that whatever else the
 * machine does meets both. A row's figure is the median of its rounds' medians,
 * and so is its ratio; p99 is over all samples. There are five rounds, or 41 if each
 * has a process of its own. A rate of several threads is what all of them do until the
 * last is done, and its rounds are means. Times are the less the better, rates the more.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

/* Does the work @times times. 0, or a VACCEL_E* code with its words. */
typedef int bench_work(void *context, size_t times);

struct bench_row {
	const char *name;
	const char *unit;     /* of a time: "ns", "us" or "ms"; of a rate: "GB/s" or "calls/s" */
	unsigned int threads; /* each does all the work, at the same time */
	size_t batch;	      /* how often the work is done for one sample */
	double seconds;	      /* about how long to measure, floor included; 0 for a moment */
	bench_work *run;
	bench_work *floor;
	void *context;

	/*
	 * Each NULL, or both. Then there are more rounds, each measured by a child process of its
	 * own, which these begin and end: where code and data come to lie in a process makes a
	 * percent of long work, and would be the same for all rounds.
	 */
	int (*begin)(void *context);
	void (*end)(void *context);

	/*
	 * How many processors on from its own a thread does the floor: on that of the process which
	 * does the row's work, as processors may differ.
	 */
	unsigned int floor_apart;

	size_t run_length; /* samples of the one before the next of the other; 0 for 1 */
	double amount;	   /* bytes or calls of the work done once, for rates */

	/* What is to be reached, each 0 if nothing is. */
	double goal;	   /* of the ratio: at most, of a rate at least */
	double value_goal; /* of the value, in the unit */
	double p99_goal;   /* of p99 to the limit, at most */
};

/* In the row's unit, for doing the work once. */
struct bench_result {
	double value;
	double p99;
	double limit;	     /* the floor's value; 0 where there is none */
	double ratio;	     /* of value and limit in the same round */
	const char *skipped; /* why there is no result, or NULL */
};

bool bench_is_rate(const struct bench_row *row);

/* Whether all is reached that the row has for a goal. */
bool bench_reached(const struct bench_row *row, const struct bench_result *result);

int bench_measure(const struct bench_row *row, struct bench_result *ret_result);

/* Where a suite's rows go. Returns 0 to go on. */
typedef int bench_show(void *context, const struct bench_row *row,
		       const struct bench_result *result);

/* What to measure inference with; each NULL for our own. */
struct bench_models {
	const char *const *models; /* directories with a card, ending in NULL */
	const char *picture;
	bool brief; /* a moment for each row: whether all works, not how fast */
};

int bench_call(bench_show *show, void *context);
int bench_sgemm(bench_show *show, void *context);
int bench_infer(const struct bench_models *models, bench_show *show, void *context);

/* Files of the models of a framework, "tf", "tflite" or "torch", besides the smallest model. */
int bench_model(const char *framework, const struct bench_models *models, bench_show *show,
		void *context);

/*
 * To be called first where bench_rpc() will be: runs the program anew, with @argv, unless it
 * has the C library's settings of an agent's workers, or the user's, already.
 */
int bench_rpc_settle(char *const *argv);

/* Through an agent of its own, which lies beside the command @program. */
int bench_rpc(const char *program, const struct bench_models *models, bench_show *show,
	      void *context);

/* In a virtual machine, through an agent of its host. */
int bench_vm(const struct bench_models *models, bench_show *show, void *context);

#endif
