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
#include "vision/network.h"

/**
 * struct engine - a loaded model; what programs see of it never changes
 * @shared: what makes it the only one of its content
 * @session: ONNX Runtime's
 * @inputs: first those that must be given, then those that have a default
 * @nr_inputs: how many
 * @nr_required: how many of them must be given
 * @outputs: the outputs
 * @nr_outputs: how many
 * @network: the same as vision has it
 */
struct engine {
	struct shared shared;
	OrtSession *session;
	struct port *inputs;
	size_t nr_inputs;
	size_t nr_required;
	struct port *outputs;
	size_t nr_outputs;
	struct network network;
};

/** engine_of() - the engine that a network is of */
const struct engine *engine_of(const struct network *network);

/**
 * engine_open() - the engine of a model, loaded if it is not
 * @files: the model's
 * @ret_network: to be given back with engine_close()
 *
 * Return: 0; the errors of content_read() and provider_session().
 */
int engine_open(struct model_files *files, const struct network **ret_network);

/** engine_close() - give an engine back; after the last user it is gone */
void engine_close(const struct network *network);

/** engine_count() - how many are loaded */
size_t engine_count(void);

#endif
