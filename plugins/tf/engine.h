/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines: TensorFlow models as they are loaded. There is one for each content, whoever
 * brings it and however often; any number of threads runs it. Its variables, which are its
 * weights, are as they were loaded: runs that change them have an instance of their session.
 */
#ifndef TF_ENGINE_H
#define TF_ENGINE_H

#include "model/share.h"
#include "tf/signature.h"
#include "tf/tf.h"
#include "tf/writes.h"

/**
 * struct instance - a model that can be run
 * @graph: its operations
 * @session: what runs them, with its variables
 * @signature: of a SavedModel: the names that it gives to some
 * @borrows_graph: that of another instance
 */
struct instance {
	TF_Graph *graph;
	TF_Session *session;
	struct signature signature;
	bool borrows_graph;
};

/**
 * struct engine - a loaded model
 * @shared: what makes it the only one of its content
 * @instance: what all sessions share
 * @writes: which of its nodes change variables
 */
struct engine {
	struct shared shared;
	struct instance instance;
	struct writes writes;
};

/**
 * struct model - what a plugin has of a resource
 * @directory: of a SavedModel; NULL of a graph
 */
struct model {
	struct held held;
	struct engine *engine;
	char *directory;
};

/** instance_new() - another instance of a model, as it was loaded */
int instance_new(const struct model *model, struct instance *ret_instance);

void instance_release(struct instance *instance);

/** engine_count() - how many are loaded */
size_t engine_count(void);

#endif
