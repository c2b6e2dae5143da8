// SPDX-License-Identifier: Apache-2.0
/*
 * Pictures to classes. What a call works with comes from the shelf of scratch.c,
 * so that after the first calls next to nothing is allocated here.
 */
#include <stdio.h>
#include <string.h>

#include "model/util.h"
#include "model/words.h"
#include "onnx/model.h"
#include "onnx/onnx.h"
#include "onnx/runtime.h"
#include "onnx/scratch.h"

/* What the class of a model without labels is called. */
#define CLASS_NAME_SIZE 32

/* What the model says of a picture: a score for each class, in the output's memory. */
struct scores {
	OrtValue *output;
	float *score;
	size_t nr;
};

static void scores_release(struct scores *scores)
{
	value_releasep(&scores->output);
}

static int make_input(const struct model *model, const void *image, size_t size,
		      struct scratch *scratch, OrtValue **ret_input)
{
	const struct card_input *input = &model->card.input;
	size_t bytes = sizeof(float) * 3 * input->width * input->height;
	float *tensor = scratch_tensor(scratch, bytes);
	int ret;

	if (!tensor)
		return VACCEL_ENOMEM;
	ret = picture_to_tensor(image, size, &limits, input, &scratch->pictures, tensor);
	if (ret)
		return ret;
	return runtime_check(ort->CreateTensorWithDataAsOrtValue(
		runtime_memory, tensor, bytes, model->shape, 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
		ret_input));
}

static int read_scores(const struct model *model, struct scores *scores)
{
	_cleanup_(freep) int64_t *dims = NULL;
	ONNXTensorElementDataType type;
	size_t nr_dims;
	int ret = value_shape(scores->output, &type, &nr_dims, &dims);

	if (!ret)
		ret = runtime_check(
			ort->GetTensorMutableData(scores->output, (void **)&scores->score));
	if (ret)
		return ret;
	scores->nr = (size_t)classes_of(nr_dims, dims);
	if (!scores->nr)
		return vaccel_fail(VACCEL_EBACKEND,
				   "the model's output is %s, which is no list of scores",
				   shape_words(VACCEL_TENSOR_FLOAT, nr_dims, dims).text);
	return model->labels.count ? labels_check(&model->labels, scores->nr) : VACCEL_OK;
}

static int run(const struct model *model, const OrtValue *input, struct scores *ret_scores)
{
	const char *const in[] = {model->engine->inputs[0].name};
	const char *const out[] = {model->engine->outputs[0].name};
	_cleanup_(scores_release) struct scores scores = {0};
	int ret = runtime_check(
		ort->Run(model->engine->session, NULL, in, &input, 1, out, 1, &scores.output));

	if (!ret)
		ret = read_scores(model, &scores);
	if (ret)
		return ret;
	if (model->card.output.softmax)
		softmax(scores.score, scores.nr);
	*ret_scores = scores;
	scores.output = NULL;
	return VACCEL_OK;
}

static int score(const struct model *model, const void *image, size_t size, struct scratch *scratch,
		 struct scores *ret_scores)
{
	_cleanup_(value_releasep) OrtValue *input = NULL;
	int ret;

	if (model->unfit)
		return vaccel_fail(VACCEL_EINVAL, "%s", model->unfit);
	ret = make_input(model, image, size, scratch, &input);
	return ret ? ret : run(model, input, ret_scores);
}

int image_classify(struct vaccel_call *call, struct vaccel_image_classify_args *args)
{
	_cleanup_(use_end) struct use use = {0};
	_cleanup_(scratch_givep) struct scratch *scratch = NULL;
	_cleanup_(scores_release) struct scores scores = {0};
	char name[CLASS_NAME_SIZE];
	struct rank best;
	const char *label;
	int ret = use_session(call, default_model, &use);

	if (ret)
		return ret;
	scratch = scratch_take();
	if (!scratch)
		return VACCEL_ENOMEM;
	ret = score(model_of(&use), args->image.data, args->image.count, scratch, &scores);
	if (ret)
		return ret;
	rank_classes(scores.score, scores.nr, &best, 1);
	label = labels_get(&model_of(&use)->labels, best.index);
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
	size_t size = nr * sizeof(struct vaccel_class);
	struct vaccel_class *top;
	char *text;

	for (size_t i = 0; i < nr; i++) {
		const char *label = labels_get(labels, ranks[i].index);

		size += label ? strlen(label) + 1 : 1;
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

int image_classify_top(struct vaccel_call *call, struct vaccel_image_classify_top_args *args)
{
	_cleanup_(use_end) struct use use = {0};
	_cleanup_(scratch_givep) struct scratch *scratch = NULL;
	_cleanup_(scores_release) struct scores scores = {0};
	struct rank *ranks;
	size_t nr;
	int ret = use_session(call, default_model, &use);

	if (ret)
		return ret;
	scratch = scratch_take();
	if (!scratch)
		return VACCEL_ENOMEM;
	ret = score(model_of(&use), args->image.data, args->image.count, scratch, &scores);
	if (ret)
		return ret;
	nr = args->k < scores.nr ? (size_t)args->k : scores.nr;
	ranks = scratch_ranks(scratch, nr);
	if (!ranks)
		return VACCEL_ENOMEM;
	nr = rank_classes(scores.score, scores.nr, ranks, nr);
	return tell(call, &model_of(&use)->labels, ranks, nr, args);
}
