/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines: ONNX models as ONNX Runtime has them loaded. There is one for each
 * content, whoever brings it and however often; any number of threads runs it.
 */
#ifndef ONNX_ENGINE_H
#define ONNX_ENGINE_H

#include "model/port.h"
#include "model/share.h"
#include "onnx/content.h"
#include "onnx/runtime.h"

/**
 * struct engine - a loaded model; what programs see of it never changes
 * @shared: what makes it the only one of its content
 * @session: ONNX Runtime's
 * @inputs: first those that must be given, then those that have a default
 * @nr_inputs: how many
 * @nr_required: how many of them must be given
 * @outputs: the outputs
 * @nr_outputs: how many
 */
struct engine {
	struct shared shared;
	OrtSession *session;
	struct port *inputs;
	size_t nr_inputs;
	size_t nr_required;
	struct port *outputs;
	size_t nr_outputs;
};

/**
 * engine_get() - the engine of a model, loaded if it is not
 * @content: the model
 * @ret_engine: to be given back with engine_put()
 *
 * As share_get().
 *
 * Return: 0; the errors of provider_session().
 */
int engine_get(const struct content *content, struct engine **ret_engine);

/** engine_put() - give an engine back; after the last user it is gone. NULL is fine. */
void engine_put(struct engine *engine);

/** engine_count() - how many are loaded */
size_t engine_count(void);

#endif
