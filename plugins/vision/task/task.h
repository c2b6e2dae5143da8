/* SPDX-License-Identifier: Apache-2.0 */
/* The tasks: what each asks of a model, and which operations are its. */
#ifndef VISION_TASK_TASK_H
#define VISION_TASK_TASK_H

#include <stdbool.h>

#include "model/words.h"
#include "vision/model.h"

/**
 * struct task - one task
 * @fit: whether a model's outputs are what the task reads; EINVAL with words. The input is
 *	known to take a picture.
 */
struct task {
	int (*fit)(const struct model *model);
};

extern const struct task tasks[CARD_NR_TASKS];

/** task_of_op() - the task that an operation is of; false if it is none about pictures */
bool task_of_op(const struct vaccel_op *op, enum card_task *ret_task);

/** port_words() - an output's type and shape */
static inline struct words port_words(const struct port *port)
{
	return shape_words(port->type, port->nr_dims, port->dims);
}

int classify_fit(const struct model *model);
int detect_fit(const struct model *model);
int segment_fit(const struct model *model);
int pose_fit(const struct model *model);
int depth_fit(const struct model *model);

#endif
