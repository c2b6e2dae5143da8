/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models as programs bring them: an engine with the card and the labels that lie
 * beside it.
 */
#ifndef ONNX_MODEL_H
#define ONNX_MODEL_H

#include <vaccel/plugin.h>

#include "onnx/engine.h"
#include "vision/card.h"
#include "vision/labels.h"

/**
 * struct model - a model ready to be used; never changes
 * @engine: how it is run
 * @card: what pictures become
 * @labels: of its classes; may be none
 * @unfit: why pictures cannot be classified by it; NULL if they can, and only then
 *	do @card's sizes and @shape hold
 * @shape: of the input
 */
struct model {
	struct engine *engine;
	struct card card;
	struct labels labels;
	char *unfit;
	int64_t shape[4];

	/* The rest is model.c's. */
	struct model *next;
};

/**
 * classes_of() - how many classes a classifier's output of such a shape has
 *
 * Return: the number; 0 if it is no list of scores, -1 if the shape leaves it open.
 */
int64_t classes_of(size_t nr_dims, const int64_t *dims);

struct model_holder;

/**
 * struct model_use - a model while a call uses it
 *
 * It stays until model_use_end(), whoever unloads it meanwhile.
 */
struct model_use {
	const struct model *model;
	struct model_holder *holder;
	struct vaccel_resource *resource;
};

/** model_use_resource() - use the model of a resource, loaded if it is not */
int model_use_resource(struct vaccel_call *call, struct vaccel_resource *resource,
		       struct model_use *ret_use);

/** model_use_session() - use the session's MODEL, or the default for classifying pictures */
int model_use_session(struct vaccel_call *call, struct model_use *ret_use);

/** model_use_end() - all zero is fine */
void model_use_end(struct model_use *use);

/* The plugin's own side of a resource. */
int model_resource_open(struct vaccel_resource *resource, void **ret_slot);
void model_resource_close(struct vaccel_resource *resource, void *slot);

/* Longer paths of default models are not found. */
#define MODEL_PATH_SIZE 4096

/** model_default_find() - the directory of the default model for classifying; or ENOENT */
int model_default_find(char path[MODEL_PATH_SIZE]);

/** model_default_release() - give the default model back. No call may be running. */
void model_default_release(void);

#endif
