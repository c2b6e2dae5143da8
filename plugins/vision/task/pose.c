// SPDX-License-Identifier: Apache-2.0
/*
 * Where the joints of people are. The model's first output has three numbers for each
 * joint, as MoveNet has them: how far down and how far to the right it is, as parts
 * of the picture's sides, and how sure that is. MoveNet for several people has the numbers
 * of one in a row, then the box around them and how sure it is that somebody is there.
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

enum { ROW_SCORE = NR_JOINTS * NR_NUMBERS + 4, ROW_LENGTH };

static bool has_rows(size_t nr_dims, const int64_t *dims)
{
	return dims[nr_dims - 1] == ROW_LENGTH;
}

/* The last two dimensions are joints and their numbers, or people, perhaps none, and rows. */
static bool is_pose(size_t nr_dims, const int64_t *dims)
{
	if (nr_dims < 2)
		return false;
	return has_rows(nr_dims, dims) ||
	       (dims[nr_dims - 2] != 0 &&
		(dims[nr_dims - 1] == NR_NUMBERS || dims[nr_dims - 1] < 0));
}

/* Below 0: any */
static int64_t count_joints(size_t nr_dims, const int64_t *dims)
{
	return has_rows(nr_dims, dims) ? NR_JOINTS : dims[nr_dims - 2];
}

int pose_fit(const struct model *model)
{
	const struct port *port = &model->network->outputs[0];

	if (!network_reads(port->type) || (port->nr_dims && !is_pose(port->nr_dims, port->dims)))
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's output '%.60s' is %s; to find joints it must be "
				   "three numbers for each, such as float [1, 1, 17, 3], or "
				   "rows of MoveNet's, float [1, 6, 56]",
				   port->name, port_words(port).text);
	if (port->nr_dims < 2 || count_joints(port->nr_dims, port->dims) < 0 ||
	    !model->labels.count)
		return VACCEL_OK;
	return labels_check(&model->labels, (size_t)count_joints(port->nr_dims, port->dims));
}

static const char *label_of(const struct model *model, size_t joint, size_t nr_joints)
{
	const char *label = labels_get(&model->labels, joint);

	if (label)
		return label;
	return nr_joints == NR_JOINTS ? joints[joint] : "";
}

/* The numbers of each person are @stride behind those of the one before. */
struct people {
	const float *numbers;
	size_t nr, nr_joints, stride;
	float threshold;
};

/* Only rows say whether somebody is there. */
static bool is_sure(const struct people *people, size_t person)
{
	return people->stride != ROW_LENGTH ||
	       people->numbers[person * ROW_LENGTH + ROW_SCORE] >= people->threshold;
}

/* Fills the joints of one, and puts their labels where the text goes on. */
static char *tell_one(const struct pass *pass, const struct people *people, const float *numbers,
		      uint32_t person, struct vaccel_point *points, char *text)
{
	for (size_t i = 0; i < people->nr_joints; i++, numbers += NR_NUMBERS) {
		points[i] = (struct vaccel_point){
			.person = person,
			.index = (uint32_t)i,
			.x = numbers[NUMBER_X] * (float)pass->width,
			.y = numbers[NUMBER_Y] * (float)pass->height,
			.score = numbers[NUMBER_SCORE],
			.label = text,
		};
		text = stpcpy(text, label_of(pass->model, i, people->nr_joints)) + 1;
	}
	return text;
}

/* Puts the joints into one block, their labels behind them. */
static int tell(struct vaccel_call *call, const struct pass *pass, const struct people *people,
		struct vaccel_image_pose_points_args *args)
{
	size_t each = bytes_of(people->nr_joints, sizeof(struct vaccel_point), 0), nr = 0;
	struct vaccel_point *points;
	uint32_t person = 0;
	char *text;

	for (size_t i = 0; i < people->nr_joints; i++)
		each = bytes_of(1, strlen(label_of(pass->model, i, people->nr_joints)) + 1, each);
	for (size_t i = 0; i < people->nr; i++)
		nr += is_sure(people, i);
	points = vaccel_call_out(call, &args->points, bytes_of(nr, each, 0));
	if (!points)
		return VACCEL_ENOMEM;
	args->points.count = nr * people->nr_joints;
	text = (char *)(points + args->points.count);
	for (size_t i = 0; i < people->nr; i++) {
		if (!is_sure(people, i))
			continue;
		text = tell_one(pass, people, people->numbers + i * people->stride, person++,
				points, text);
		points += people->nr_joints;
	}
	return VACCEL_OK;
}

int vision_image_pose_points(struct vaccel_call *call, struct vaccel_image_pose_points_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	const struct network_output *output = &pass.outputs.output[0];
	struct people people;
	int ret = pass_begin(call, CARD_POSE, &pass);

	if (!ret)
		ret = pass_run(&pass, args->image.data, args->image.count, 1);
	if (ret)
		return ret;
	if (!is_pose(output->nr_dims, output->dims))
		return vaccel_fail(VACCEL_EBACKEND, "the model's output is %s, which are no joints",
				   shape_words(output->type, output->nr_dims, output->dims).text);
	people = (struct people){
		.numbers = pass_floats(&pass, 0),
		.nr_joints = (size_t)count_joints(output->nr_dims, output->dims),
		.threshold = pass.model->card.output.threshold,
	};
	if (!people.numbers)
		return VACCEL_ENOMEM;
	people.stride = has_rows(output->nr_dims, output->dims) ? ROW_LENGTH
								: people.nr_joints * NR_NUMBERS;
	people.nr = network_count(output) / people.stride;
	return tell(call, &pass, &people, args);
}
