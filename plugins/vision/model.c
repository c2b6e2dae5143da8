// SPDX-License-Identifier: Apache-2.0
/*
 * From a resource or a directory to a model: its network, its card and its labels,
 * and which of the tasks it can do. The card says what the model file cannot; where
 * both speak, they must agree.
 */
#include "vision/model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/log.h>

#include "model/util.h"
#include "vision/resize.h"
#include "vision/task/task.h"

const struct vision_backend *model_backend;
struct picture_limits model_limits;
struct holder *model_defaults[CARD_NR_TASKS];

static void model_delete(struct model *model)
{
	if (!model)
		return;
	if (model->network)
		model_backend->close(model->network);
	labels_release(&model->labels);
	for (size_t i = 0; i < CARD_NR_TASKS; i++)
		free(model->unfit[i]);
	free(model);
}

static void model_deletep(struct model **model)
{
	model_delete(*model);
}

/* What the model itself says of one side of its pictures; the card may say what it leaves open. */
static int fit_side(const char *side, int64_t models, uint32_t *cards)
{
	if (models < 0 && !*cards)
		return vaccel_fail(VACCEL_EINVAL,
				   "neither the model nor a card says the %s of its pictures; set "
				   "input.%s in model.json",
				   side, side);
	if (models >= 0 && *cards && *cards != models)
		return vaccel_fail(VACCEL_EINVAL,
				   "model.json says %s %" PRIu32 ", and the model takes %" PRId64,
				   side, *cards, models);
	if (models == 0 || models > RESIZE_SIDE_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model takes pictures of %s %" PRId64
				   "; 1 to %d is what can be made",
				   side, models, RESIZE_SIDE_MAX);
	if (models > 0)
		*cards = (uint32_t)models;
	return VACCEL_OK;
}

/* Types of numbers that a picture can be turned into. */
static bool takes_pixels(int32_t type)
{
	return type == VACCEL_TENSOR_FLOAT || type == VACCEL_TENSOR_UINT8 ||
	       type == VACCEL_TENSOR_INT8;
}

/* Whether a dimension may be @size: it is, or it may be any. */
static bool may_be(int64_t dim, int64_t size)
{
	return dim == size || dim < 0;
}

/* One input, and one into which a picture can be turned. */
static int check_input(const struct network *network)
{
	const struct port *port = &network->inputs[0];

	if (network->nr_inputs != 1)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model takes %zu inputs; to be used for pictures it must "
				   "take one, the picture",
				   network->nr_inputs);
	if (takes_pixels(port->type) && port->nr_dims == 4 && may_be(port->dims[0], 1))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL,
			   "the model's input '%.60s' is %s; to be used for pictures it must be "
			   "float, uint8 or int8, of four dimensions, the first of them 1 or any",
			   port->name, port_words(port).text);
}

/* The shape of the input, for which the card's layout and size hold where they are said. */
static int fit_shape(struct model *model)
{
	const struct port *port = &model->network->inputs[0];
	struct card_input *input = &model->card.input;
	bool colours_first = input->layout == CARD_NCHW;
	size_t channel = colours_first ? 1 : 3;
	size_t top = colours_first ? 2 : 1;
	int ret;

	if (!may_be(port->dims[channel], 3))
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's input '%.60s' is %s; with the layout %s, dimension "
				   "%zu is to be the 3 colours",
				   port->name, port_words(port).text,
				   colours_first ? "NCHW" : "NHWC", channel + 1);
	ret = fit_side("height", port->dims[top], &input->height);
	if (!ret)
		ret = fit_side("width", port->dims[top + 1], &input->width);
	if (ret)
		return ret;
	model->shape[0] = 1;
	model->shape[channel] = 3;
	model->shape[top] = input->height;
	model->shape[top + 1] = input->width;
	return VACCEL_OK;
}

/* What the card leaves open is as the model has it. */
static void fit_layouts(struct model *model)
{
	const struct port *port = &model->network->inputs[0];
	struct card *card = &model->card;

	if (card->input.layout == CARD_ANY)
		card->input.layout =
			port->dims[1] != 3 && port->dims[3] == 3 ? CARD_NHWC : CARD_NCHW;
	if (card->output.layout == CARD_ANY)
		card->output.layout = card->input.layout;
}

static int fit_input(struct model *model)
{
	int ret = check_input(model->network);

	if (ret)
		return ret;
	fit_layouts(model);
	return fit_shape(model);
}

/* Sees whether the model does a task, and how. */
static int fit(struct model *model, bool has_card, enum card_task task)
{
	int ret;

	if (has_card && model->card.task != task)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's card says that its task is %s, not %s",
				   card_task_name(model->card.task), card_task_name(task));
	if (!model->network->nr_outputs)
		return vaccel_fail(VACCEL_EINVAL, "the model has no output");
	ret = fit_input(model);
	return ret ? ret : tasks[task].fit(model);
}

static int fit_all(struct model *model, bool has_card)
{
	for (enum card_task task = 0; task < CARD_NR_TASKS; task++) {
		int ret = fit(model, has_card, task);

		if (!ret)
			continue;
		/* A model that is for none of the tasks can still be run. */
		if (has_card && model->card.task == task)
			return ret;
		model->unfit[task] = strdup(vaccel_error_text());
		if (!model->unfit[task])
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	}
	return VACCEL_OK;
}

static int read_card(struct model *model, const struct model_files *files, bool *ret_found)
{
	const struct model_file *file = files_find(files, "model.json");
	_cleanup_(bytes_release) struct bytes bytes = {0};
	int ret;

	card_init(&model->card, CARD_CLASSIFY);
	*ret_found = file;
	if (!file)
		return VACCEL_OK;
	ret = file_bytes(file, CARD_SIZE_MAX, &bytes);
	return ret ? ret : card_parse(bytes.data, bytes.size, &model->card);
}

static int read_labels(struct model *model, const struct model_files *files)
{
	const struct model_file *file = files_find(files, "labels.txt");
	_cleanup_(bytes_release) struct bytes bytes = {0};
	int ret;

	if (!file)
		return VACCEL_OK;
	ret = file_bytes(file, LABELS_SIZE_MAX, &bytes);
	return ret ? ret : labels_parse(bytes.data, bytes.size, &model->labels);
}

static int model_open(struct model_files *files, struct model **ret_model)
{
	_cleanup_(model_deletep) struct model *model = calloc(1, sizeof(*model));
	bool has_card = false;
	int ret;

	if (!model)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	ret = read_card(model, files, &has_card);
	if (!ret)
		ret = read_labels(model, files);
	if (!ret)
		ret = model_backend->open(files, &model->network);
	if (!ret)
		ret = fit_all(model, has_card);
	if (ret)
		return ret;
	*ret_model = TAKE(model);
	return VACCEL_OK;
}

static int open_resource(struct vaccel_resource *resource, struct model **ret_model)
{
	_cleanup_(files_release) struct model_files files = {0};
	int ret = files_of_resource(resource, &files);

	return ret ? ret : model_open(&files, ret_model);
}

static int open_default(enum card_task task, struct model **ret_model)
{
	_cleanup_(files_release) struct model_files files = {0};
	char path[MODEL_PATH_SIZE];
	int ret = model_default_find(task, path);

	if (ret)
		return ret;
	model_default_remark(task, path);
	ret = files_of_directory(path, &files);
	return ret ? ret : model_open(&files, ret_model);
}

static int open_any(struct vaccel_resource *resource, const void *context, struct held **ret_held)
{
	struct model **model = (struct model **)ret_held;

	return resource ? open_resource(resource, model)
			: open_default(*(const enum card_task *)context, model);
}

static void close_model(struct held *held)
{
	model_delete((struct model *)held);
}

const struct holder_kind model_kind = {open_any, close_model};
