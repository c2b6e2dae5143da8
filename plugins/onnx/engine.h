/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines: ONNX models as ONNX Runtime has them loaded. There is one for each
 * content, whoever brings it and however often; any number of threads runs it.
 */
#ifndef ONNX_ENGINE_H
#define ONNX_ENGINE_H

#include <stdbool.h>

#include "onnx/files.h"
#include "onnx/runtime.h"

/**
 * struct port - an input or an output of a model
 * @name: the model's name for it
 * @type: an enum vaccel_tensor_type; VACCEL_TENSOR_UNDEFINED if it is no tensor
 * @nr_dims: how many dimensions
 * @dims: their sizes; below 0: any
 */
struct port {
	char *name;
	int32_t type;
	size_t nr_dims;
	int64_t *dims;
};

/**
 * struct engine - a loaded model; what programs see of it never changes
 * @session: ONNX Runtime's
 * @inputs: first those that must be given, then those that have a default
 * @nr_inputs: how many
 * @nr_required: how many of them must be given
 * @outputs: the outputs
 * @nr_outputs: how many
 */
struct engine {
	OrtSession *session;
	struct port *inputs;
	size_t nr_inputs;
	size_t nr_required;
	struct port *outputs;
	size_t nr_outputs;

	/* The rest is engine.c's, under its lock. */
	struct engine *next;
	struct digest digest;
	size_t refs;
	bool loading;
	int failure_code;
	char *failure;
};

/**
 * engine_get() - the engine of a model, loaded if it is not
 * @content: the model
 * @ret_engine: to be given back with engine_put()
 *
 * While one thread loads it, others that ask for the same content wait, and
 * share its success or failure; other contents do not wait.
 *
 * Return: 0; the errors of provider_session().
 */
int engine_get(const struct content *content, struct engine **ret_engine);

/** engine_put() - give an engine back; after the last user it is gone. NULL is fine. */
void engine_put(struct engine *engine);

/** engine_count() - how many are loaded */
size_t engine_count(void);

#endif
