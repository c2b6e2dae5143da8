/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models as programs bring them: an engine with the card and the labels that lie
 * beside it.
 */
#ifndef ONNX_MODEL_H
#define ONNX_MODEL_H

#include "model/holder.h"
#include "onnx/engine.h"
#include "vision/card.h"
#include "vision/labels.h"

/**
 * struct model - a model ready to be used; never changes
 * @held: by a resource's holder
 * @engine: how it is run
 * @card: what pictures become
 * @labels: of its classes; may be none
 * @unfit: why pictures cannot be classified by it; NULL if they can, and only then
 *	do @card's sizes and @shape hold
 * @shape: of the input
 */
struct model {
	struct held held;
	struct engine *engine;
	struct card card;
	struct labels labels;
	char *unfit;
	int64_t shape[4];
};

/**
 * classes_of() - how many classes a classifier's output of such a shape has
 *
 * Return: the number; 0 if it is no list of scores, -1 if the shape leaves it open.
 */
int64_t classes_of(size_t nr_dims, const int64_t *dims);

/** model_of() - what a call uses */
static inline const struct model *model_of(const struct use *use)
{
	return (const struct model *)use->held;
}

/** How models come and go; the default one is for classifying pictures. */
extern const struct holder_kind model_kind;

/* Longer paths of default models are not found. */
#define MODEL_PATH_SIZE 4096

/** model_default_find() - the directory of the default model for classifying; or ENOENT */
int model_default_find(char path[MODEL_PATH_SIZE]);

#endif
