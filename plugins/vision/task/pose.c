// SPDX-License-Identifier: Apache-2.0
/*
 * Where the joints of people are. The model's first output has three numbers for each
 * joint, as MoveNet has them: how far down and how far to the right it is, as parts
 * of the picture's sides, and how sure that is.
 */
#include <string.h>

#include "model/util.h"
#include "vision/pass.h"
#include "vision/task/task.h"

enum { NUMBER_Y, NUMBER_X, NUMBER_SCORE, NR_NUMBERS };

/* The joints as COCO, and nearly everybody, numbers them. */
static const char *const joints[] = {
	"nose",		  "left eye",	"right eye",   "left ear",   "right ear",   "left shoulder",
	"right shoulder", "left elbow", "right elbow", "left wrist", "right wrist", "left hip",
	"right hip",	  "left knee",	"right knee",  "left ankle", "right ankle",
};

enum { NR_JOINTS = sizeof(joints) / sizeof(joints[0]) };

/* The last two dimensions are joints and their numbers; those before count people. */
static bool is_pose(size_t nr_dims, const int64_t *dims)
{
	return nr_dims >= 2 && (dims[nr_dims - 1] == NR_NUMBERS || dims[nr_dims - 1] < 0) &&
	       dims[nr_dims - 2] != 0;
}

int pose_fit(const struct model *model)
{
	const struct port *port = &model->network->outputs[0];

	if (!network_reads(port->type) || (port->nr_dims && !is_pose(port->nr_dims, port->dims)))
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's output '%.60s' is %s; to find joints it must be "
				   "three numbers for each, such as float [1, 1, 17, 3]",
				   port->name, port_words(port).text);
	if (port->nr_dims < 2 || port->dims[port->nr_dims - 2] < 0 || !model->labels.count)
		return VACCEL_OK;
	return labels_check(&model->labels, (size_t)port->dims[port->nr_dims - 2]);
}

static const char *label_of(const struct model *model, size_t joint, size_t nr_joints)
{
	const char *label = labels_get(&model->labels, joint);

	if (label)
		return label;
	return nr_joints == NR_JOINTS ? joints[joint] : "";
}

/* Puts the joints into one block, their labels behind them. */
static int tell(struct vaccel_call *call, const struct pass *pass, const float *numbers,
		size_t nr_joints, struct vaccel_image_pose_points_args *args)
{
	size_t nr = network_count(&pass->outputs.output[0]) / NR_NUMBERS;
	size_t size = nr * sizeof(struct vaccel_point);
	struct vaccel_point *points;
	char *text;

	for (size_t i = 0; i < nr; i++)
		size += strlen(label_of(pass->model, i % nr_joints, nr_joints)) + 1;
	points = vaccel_call_out(call, &args->points, size);
	if (!points)
		return VACCEL_ENOMEM;
	text = (char *)(points + nr);
	for (size_t i = 0; i < nr; i++, numbers += NR_NUMBERS) {
		points[i] = (struct vaccel_point){
			.person = (uint32_t)(i / nr_joints),
			.index = (uint32_t)(i % nr_joints),
			.x = numbers[NUMBER_X] * (float)pass->width,
			.y = numbers[NUMBER_Y] * (float)pass->height,
			.score = numbers[NUMBER_SCORE],
			.label = text,
		};
		text = stpcpy(text, label_of(pass->model, i % nr_joints, nr_joints)) + 1;
	}
	args->points.count = nr;
	return VACCEL_OK;
}

int vision_image_pose_points(struct vaccel_call *call, struct vaccel_image_pose_points_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	const struct network_output *output = &pass.outputs.output[0];
	const float *numbers;
	int ret = pass_begin(call, CARD_POSE, &pass);

	if (!ret)
		ret = pass_run(&pass, args->image.data, args->image.count, 1);
	if (ret)
		return ret;
	if (!is_pose(output->nr_dims, output->dims))
		return vaccel_fail(VACCEL_EBACKEND, "the model's output is %s, which are no joints",
				   shape_words(output->type, output->nr_dims, output->dims).text);
	numbers = pass_floats(&pass, 0);
	if (!numbers)
		return VACCEL_ENOMEM;
	return tell(call, &pass, numbers, (size_t)output->dims[output->nr_dims - 2], args);
}
