/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models as programs bring them: a network with the card and the labels that lie
 * beside it.
 */
#ifndef VISION_MODEL_H
#define VISION_MODEL_H

#include "vision/card.h"
#include "vision/labels.h"
#include "vision/picture.h"
#include "vision/vision.h"

/**
 * struct model - a model ready to be used; never changes
 * @held: by a resource's holder
 * @network: how it is run
 * @card: what pictures become, and what the outputs mean
 * @labels: of its classes; may be none
 * @unfit: for each task why the model does not do it; NULL if it does, and only then
 *	do @card's sizes and @shape hold
 * @shape: of the input
 */
struct model {
	struct held held;
	const struct network *network;
	struct card card;
	struct labels labels;
	char *unfit[CARD_NR_TASKS];
	int64_t shape[4];
};

/** Whose models they are; from vision_init() to vision_fini(). */
extern const struct vision_backend *model_backend;

/** How large a picture may be; as VACCEL_IMAGE_MAX_PIXELS was when the plugin was loaded. */
extern struct picture_limits model_limits;

/** The models for sessions that have none, one for each task; from init to fini. */
extern struct holder *model_defaults[CARD_NR_TASKS];

/** How models come and go; the context is the enum card_task of a default model. */
extern const struct holder_kind model_kind;

/* Longer paths of default models are not found. */
#define MODEL_PATH_SIZE 4096

/** model_default_find() - the directory of the default model for a task; or ENOENT */
int model_default_find(enum card_task task, char path[MODEL_PATH_SIZE]);

/** model_default_remark() - log that VACCEL_MODEL_PATH did not help to find @path */
void model_default_remark(enum card_task task, const char *path);

#endif
