// SPDX-License-Identifier: Apache-2.0
#include "vision/task/task.h"

const struct task tasks[CARD_NR_TASKS] = {
	[CARD_CLASSIFY] = {classify_fit}, [CARD_DETECT] = {detect_fit},
	[CARD_SEGMENT] = {segment_fit},	  [CARD_POSE] = {pose_fit},
	[CARD_DEPTH] = {depth_fit},
};

static const struct {
	const struct vaccel_op *op;
	enum card_task task;
} ops[] = {
	{&vaccel_op_image_classify, CARD_CLASSIFY},
	{&vaccel_op_image_classify_top, CARD_CLASSIFY},
	{&vaccel_op_image_detect_boxes, CARD_DETECT},
	{&vaccel_op_image_segment_mask, CARD_SEGMENT},
	{&vaccel_op_image_pose_points, CARD_POSE},
	{&vaccel_op_image_depth_map, CARD_DEPTH},
};

bool task_of_op(const struct vaccel_op *op, enum card_task *ret_task)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].op->number != op->number)
			continue;
		*ret_task = ops[i].task;
		return true;
	}
	return false;
}
