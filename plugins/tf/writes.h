/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes change what a session keeps from run to run, variables above all: for each,
 * all that runs with it is looked at once, functions included. What is not known to
 * leave everything as it is, is taken to change it.
 */
#ifndef TF_WRITES_H
#define TF_WRITES_H

#include <pthread.h>
#include <stdbool.h>

#include "tf/tf.h"

/**
 * struct writes - what is known of a graph's nodes
 * @lock: for the rest
 * @known: those that were asked for
 * @nr: how many
 */
struct writes {
	pthread_mutex_t lock;
	struct known {
		TF_Operation *operation;
		bool writes;
	} * known;
	size_t nr;
};

void writes_init(struct writes *writes);
void writes_release(struct writes *writes);

/** writes_find() - whether a run that fetches a node of the graph changes something; 0 or ENOMEM */
int writes_find(struct writes *writes, TF_Graph *graph, TF_Operation *operation, bool *ret_writes);

#endif
