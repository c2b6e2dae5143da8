// SPDX-License-Identifier: Apache-2.0
/* What a picture shows: the model's first output is one list of scores. */
#include <stdio.h>
#include <string.h>

#include "model/util.h"
#include "vision/classify.h"
#include "vision/pass.h"
#include "vision/task/task.h"

/* What the class of a model without labels is called. */
#define CLASS_NAME_SIZE 32

/* What the model says of a picture: a probability for each class. */
struct scores {
	const float *score;
	size_t nr;
};

/*
 * How many classes a classifier's output of such a shape has; 0 if it is no list of
 * scores, -1 if the shape leaves it open.
 */
static int64_t classes_of(size_t nr_dims, const int64_t *dims)
{
	int64_t classes = 1;

	for (size_t i = 0; i < nr_dims; i++) {
		/* The first of several dimensions counts pictures: one. */
		bool batch = i == 0 && nr_dims > 1;

		if (dims[i] == 1 || (batch && dims[i] < 0))
			continue;
		if (classes != 1)
			return 0;
		classes = dims[i] < 0 ? -1 : dims[i];
	}
	return nr_dims ? classes : 0;
}

int classify_fit(const struct model *model)
{
	const struct port *port = model->network->outputs;
	int64_t classes = network_reads(port->type) ? classes_of(port->nr_dims, port->dims) : 0;

	if (!classes)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's output '%.60s' is %s; to classify pictures it must "
				   "be one list of scores, such as float [1, 1000]",
				   port->name, port_words(port).text);
	if (classes < 0 || !model->labels.count)
		return VACCEL_OK;
	return labels_check(&model->labels, (size_t)classes);
}

static int read_scores(struct pass *pass, struct scores *ret_scores)
{
	const struct network_output *output = &pass->outputs.output[0];
	int64_t classes = classes_of(output->nr_dims, output->dims);
	const float *score;
	float *copy;

	if (!classes)
		return vaccel_fail(VACCEL_EBACKEND,
				   "the model's output is %s, which is no list of scores",
				   shape_words(output->type, output->nr_dims, output->dims).text);
	if (pass->model->labels.count && labels_check(&pass->model->labels, (size_t)classes))
		return VACCEL_EINVAL;
	score = pass_floats(pass, 0);
	if (score && pass->model->card.output.softmax) {
		copy = scratch_room(pass->scratch, ROOM_WORK,
				    bytes_of((size_t)classes, sizeof(*copy), 0));
		if (copy)
			softmax(memcpy(copy, score, (size_t)classes * sizeof(*copy)),
				(size_t)classes);
		score = copy;
	}
	if (!score)
		return VACCEL_ENOMEM;
	*ret_scores = (struct scores){score, (size_t)classes};
	return VACCEL_OK;
}

static int score(struct vaccel_call *call, struct pass *pass, const void *image, size_t size,
		 struct scores *ret_scores)
{
	int ret = pass_begin(call, CARD_CLASSIFY, pass);

	if (!ret)
		ret = pass_run(pass, image, size, 1);
	return ret ? ret : read_scores(pass, ret_scores);
}

int vision_image_classify(struct vaccel_call *call, struct vaccel_image_classify_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	char name[CLASS_NAME_SIZE];
	struct scores scores;
	struct rank best;
	const char *label;
	int ret = score(call, &pass, args->image.data, args->image.count, &scores);

	if (ret)
		return ret;
	rank_classes(scores.score, scores.nr, &best, 1);
	label = labels_get(&pass.model->labels, best.index);
	if (!label)
		snprintf(name, sizeof(name), "class %zu", best.index);
	rank_text(args->text.data, args->text.size, best.probability, label ? label : name);
	if (args->imgname.size)
		args->imgname.data[0] = '\0';
	return VACCEL_OK;
}

/* Puts the classes into one block, their labels behind them. */
static int tell(struct vaccel_call *call, const struct labels *labels, const struct rank *ranks,
		size_t nr, struct vaccel_image_classify_top_args *args)
{
	size_t size = bytes_of(nr, sizeof(struct vaccel_class), 0);
	struct vaccel_class *top;
	char *text;

	for (size_t i = 0; i < nr; i++) {
		const char *label = labels_get(labels, ranks[i].index);

		size = bytes_of(1, label ? strlen(label) + 1 : 1, size);
	}
	top = vaccel_call_out(call, &args->top, size);
	if (!top)
		return VACCEL_ENOMEM;
	text = (char *)(top + nr);
	for (size_t i = 0; i < nr; i++) {
		const char *label = labels_get(labels, ranks[i].index);

		top[i].index = (uint32_t)ranks[i].index;
		top[i].probability = ranks[i].probability;
		top[i].label = text;
		text = stpcpy(text, label ? label : "") + 1;
	}
	args->top.count = nr;
	return VACCEL_OK;
}

int vision_image_classify_top(struct vaccel_call *call, struct vaccel_image_classify_top_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	struct scores scores;
	struct rank *ranks;
	size_t nr;
	int ret = score(call, &pass, args->image.data, args->image.count, &scores);

	if (ret)
		return ret;
	nr = args->k < scores.nr ? (size_t)args->k : scores.nr;
	ranks = scratch_room(pass.scratch, ROOM_FOUND, bytes_of(nr, sizeof(*ranks), 0));
	if (!ranks)
		return VACCEL_ENOMEM;
	nr = rank_classes(scores.score, scores.nr, ranks, nr);
	return tell(call, &pass.model->labels, ranks, nr, args);
}
