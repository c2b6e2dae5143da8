/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines: TensorFlow Lite models as they are loaded. There is one for each content,
 * whoever brings it and however often, and with it one copy of the weights. What
 * changes while it runs is in runners, of which there are as many as calls at once.
 */
#ifndef TFLITE_ENGINE_H
#define TFLITE_ENGINE_H

#include <pthread.h>

#include "model/share.h"
#include "tflite/runner.h"

/** The largest model; it is the format's own limit. */
#define MODEL_SIZE_MAX INT32_MAX

/**
 * struct engine - a loaded model; what programs see of it never changes
 * @shared: what makes it the only one of its content
 * @network: its inputs and outputs, with the numbers of enum vaccel_tensor_type
 * @bytes: of the model, which TensorFlow Lite reads as long as it is there
 * @model: TensorFlow Lite's
 * @cache: weights as XNNPACK wants them
 * @keeps_state: a run may depend on those before it
 */
struct engine {
	struct shared shared;
	struct network network;
	struct bytes bytes;
	TfLiteModel *model;
	struct TfLiteXNNPackDelegateWeightsCache *cache;
	bool keeps_state;

	/* The rest is engine.c's. */
	pthread_mutex_t lock;
	struct runner *shelf; /* idle; under the lock */
	size_t nr_shelf;
};

/**
 * engine_open() - the engine of a model's files, loaded if it is not
 *
 * Return: 0; EINVAL if there is no TensorFlow Lite model in the files; the errors of
 * runner_new() and of reading files.
 */
int engine_open(struct model_files *files, const struct network **ret_network);

/** engine_close() - give back what engine_open() gave */
void engine_close(const struct network *network);

/** engine_of() - whose network it is */
struct engine *engine_of(const struct network *network);

/** engine_take() - a runner for this call alone, made if all are in use; as runner_new() */
int engine_take(struct engine *engine, struct runner **ret_runner);

/** engine_give() - keep a runner for a later call; @usable: its last run went well. NULL is fine.
 */
void engine_give(struct engine *engine, struct runner *runner, bool usable);

/** engine_count() - how many are loaded */
size_t engine_count(void);

#endif
