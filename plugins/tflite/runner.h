/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interpreter of TensorFlow Lite with what belongs to it. It holds all that changes
 * while a model runs, so only one thread at a time may use it.
 */
#ifndef TFLITE_RUNNER_H
#define TFLITE_RUNNER_H

#include "tflite/delegates.h"
#include "vision/network.h"

/** Room for what TensorFlow Lite says of one call. */
#define RUNNER_WORDS_SIZE 600

/**
 * struct runner - an interpreter of a model
 * @next: for those who keep several
 * @interpreter: TensorFlow Lite's
 * @delegates: its own
 * @ready: its tensors have memory, for the shapes that the inputs have
 * @status: what TensorFlow Lite returned last
 * @said: its words since runner_run() began, lines separated by "; "
 */
struct runner {
	struct runner *next;
	TfLiteInterpreter *interpreter;
	struct delegates delegates;
	bool ready;
	TfLiteStatus status;
	char said[RUNNER_WORDS_SIZE];
};

/**
 * runner_new() - make one, ready for the shapes that the model itself has
 * @model: outlives it
 * @cache: likewise; see delegates_make()
 *
 * Return: 0; EBACKEND with the words of TensorFlow Lite, which name an operation that it has
 * not; the errors of delegates_make(); ENOMEM.
 */
int runner_new(const TfLiteModel *model, struct TfLiteXNNPackDelegateWeightsCache *cache,
	       struct runner **ret_runner);

/** runner_delete() - NULL is fine */
void runner_delete(struct runner *runner);

/**
 * runner_run() - run the model once
 * @inputs: for each of the model's inputs, of its type; shapes that fit it, data that fits them
 * @nr: how many
 *
 * Return: 0; EINVAL if strings change while they are copied; EBACKEND with the words of
 * TensorFlow Lite. After either the runner is of no more use.
 */
int runner_run(struct runner *runner, const struct network_input *inputs, size_t nr);

/** runner_report() - takes what TensorFlow Lite says; the context is RUNNER_WORDS_SIZE bytes */
void runner_report(void *context, const char *format, va_list arguments);

#endif
