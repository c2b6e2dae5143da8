/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines: TensorFlow models as they are loaded. There is one for each content, whoever
 * brings it and however often; any number of threads runs it. Its variables are its
 * weights, so they are shared, too.
 */
#ifndef TF_ENGINE_H
#define TF_ENGINE_H

#include "model/share.h"
#include "tf/signature.h"
#include "tf/tf.h"

/**
 * struct engine - a loaded model
 * @shared: what makes it the only one of its content
 * @graph: its operations
 * @session: what runs them
 * @signature: of a SavedModel: the names that it gives to some
 */
struct engine {
	struct shared shared;
	TF_Graph *graph;
	TF_Session *session;
	struct signature signature;
};

/** struct model - what a plugin has of a resource */
struct model {
	struct held held;
	struct engine *engine;
};

/** engine_count() - how many are loaded */
size_t engine_count(void);

#endif
