// SPDX-License-Identifier: Apache-2.0
#include "vision/task/task.h"

const struct task tasks[CARD_NR_TASKS] = {
	[CARD_CLASSIFY] = {classify_fit},
	[CARD_DETECT] = {detect_fit},
};

bool task_of_op(const struct vaccel_op *op, enum card_task *ret_task)
{
	switch (op->number) {
	case VACCEL_OP_IMAGE_CLASSIFY:
	case VACCEL_OP_IMAGE_CLASSIFY_TOP:
		*ret_task = CARD_CLASSIFY;
		return true;
	case VACCEL_OP_IMAGE_DETECT_BOXES:
		*ret_task = CARD_DETECT;
		return true;
	default:
		return false;
	}
}
