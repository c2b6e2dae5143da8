/* SPDX-License-Identifier: Apache-2.0 */
/* One picture's way through a model. */
#ifndef VISION_PASS_H
#define VISION_PASS_H

#include "vision/model.h"
#include "vision/scratch.h"

/**
 * struct pass - what a call has while it works; all zero at first
 * @model: the session's, or the default one; it does the task
 * @scratch: this call's alone
 * @outputs: what the model said; after pass_run()
 * @width: of the picture, in pixels; after pass_run()
 * @height: likewise
 */
struct pass {
	const struct model *model;
	struct scratch *scratch;
	struct network_outputs outputs;
	uint32_t width;
	uint32_t height;

	/* The rest is pass.c's. */
	struct use use;
	bool ran;
};

/**
 * pass_begin() - find the model for a task, and memory to work with
 *
 * Return: 0; EINVAL if the session's model does not do it; ENOENT without a model;
 * the errors of opening one; ENOMEM.
 */
int pass_begin(struct vaccel_call *call, enum card_task task, struct pass *pass);

/**
 * pass_run() - put a picture through the model
 * @image: the file of a JPEG or PNG
 * @size: its bytes
 * @nr_outputs: how many of the model's outputs are wanted, the first ones
 */
int pass_run(struct pass *pass, const void *image, size_t size, size_t nr_outputs);

/** pass_floats() - an output as floats, valid until pass_end(); NULL after vaccel_fail() */
const float *pass_floats(struct pass *pass, size_t output);

/** pass_end() - give back what was taken, however far it came */
void pass_end(struct pass *pass);

#endif
