// SPDX-License-Identifier: Apache-2.0
/* From a resource or a directory to a model: its engine, its card and its labels. */
#include "onnx/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/log.h>

#include "model/util.h"
#include "model/words.h"
#include "onnx/onnx.h"
#include "vision/resize.h"

static void model_delete(struct model *model)
{
	if (!model)
		return;
	engine_put(model->engine);
	labels_release(&model->labels);
	free(model->unfit);
	free(model);
}

static void model_deletep(struct model **model)
{
	model_delete(*model);
}

int64_t classes_of(size_t nr_dims, const int64_t *dims)
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

static struct words port_words(const struct port *port)
{
	return shape_words(port->type, port->nr_dims, port->dims);
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

static int fit_input(struct model *model, bool has_card)
{
	const struct port *port = &model->engine->inputs[0];
	struct card_input *input = &model->card.input;
	size_t channel, top;
	int ret;

	if (model->engine->nr_required != 1)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model takes %zu inputs; to classify pictures it must take "
				   "one, the picture",
				   model->engine->nr_required);
	if (port->type != VACCEL_TENSOR_FLOAT || port->nr_dims != 4 ||
	    (port->dims[0] != 1 && port->dims[0] >= 0))
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's input '%.60s' is %s; to classify pictures it must "
				   "be float, of four dimensions, the first of them 1 or any",
				   port->name, port_words(port).text);
	if (!has_card && port->dims[1] != 3 && port->dims[3] == 3)
		input->layout = CARD_NHWC;
	channel = input->layout == CARD_NCHW ? 1 : 3;
	top = input->layout == CARD_NCHW ? 2 : 1;
	if (port->dims[channel] != 3 && port->dims[channel] >= 0)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's input '%.60s' is %s; with the layout %s, dimension "
				   "%zu is to be the 3 colours",
				   port->name, port_words(port).text,
				   channel == 1 ? "NCHW" : "NHWC", channel + 1);
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

static int fit_output(const struct model *model)
{
	const struct port *port = model->engine->outputs;
	int64_t classes =
		port->type == VACCEL_TENSOR_FLOAT ? classes_of(port->nr_dims, port->dims) : 0;

	if (!classes)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's output '%.60s' is %s; to classify pictures it must "
				   "be one list of float scores, such as [1, 1000]",
				   port->name, port_words(port).text);
	if (classes < 0 || !model->labels.count)
		return VACCEL_OK;
	return labels_check(&model->labels, (size_t)classes);
}

/* Sees whether pictures can be classified by the model, and how. */
static int fit(struct model *model, bool has_card)
{
	int ret;

	if (model->card.task != CARD_CLASSIFY)
		return vaccel_fail(VACCEL_EINVAL,
				   "the model's card says that its task is %s, not classify",
				   card_task_name(model->card.task));
	ret = fit_input(model, has_card);
	return ret ? ret : fit_output(model);
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

static int read_engine(struct model *model, struct model_files *files)
{
	_cleanup_(content_release) struct content content = {0};
	int ret = content_read(files, &content);

	return ret ? ret : engine_get(&content, &model->engine);
}

static int model_open(struct model_files *files, struct model **ret_model)
{
	_cleanup_(model_deletep) struct model *model = calloc(1, sizeof(*model));
	bool has_card;
	int ret;

	if (!model)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	ret = read_card(model, files, &has_card);
	if (!ret)
		ret = read_labels(model, files);
	if (!ret)
		ret = read_engine(model, files);
	if (ret)
		return ret;
	ret = fit(model, has_card);
	/* A model without a card, or for another task, can still be run. */
	if (ret && has_card && model->card.task == CARD_CLASSIFY)
		return ret;
	if (ret && !(model->unfit = strdup(vaccel_error_text())))
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	*ret_model = TAKE(model);
	return VACCEL_OK;
}

static int open_resource(struct vaccel_resource *resource, struct model **ret_model)
{
	_cleanup_(files_release) struct model_files files = {0};
	int ret = files_of_resource(resource, &files);

	return ret ? ret : model_open(&files, ret_model);
}

static int open_directory(const char *path, struct model **ret_model)
{
	_cleanup_(files_release) struct model_files files = {0};
	int ret = files_of_directory(path, &files);

	return ret ? ret : model_open(&files, ret_model);
}

/* Whether the directory of a task lies in @dir; its path then. */
static bool find_below(const char *dir, size_t length, char path[MODEL_PATH_SIZE])
{
	int used = snprintf(path, MODEL_PATH_SIZE, "%.*s/classify/model.json", (int)length, dir);

	if (!length || used >= MODEL_PATH_SIZE || access(path, F_OK))
		return false;
	*strrchr(path, '/') = '\0';
	return true;
}

int model_default_find(char path[MODEL_PATH_SIZE])
{
	const char *list = vaccel_knob_text(&knobs[KNOB_MODEL_PATH]);
	char own[MODEL_PATH_SIZE];

	for (const char *at = list ? list : ""; *at; at += strspn(at, ":")) {
		size_t length = strcspn(at, ":");

		if (find_below(at, length, path))
			return VACCEL_OK;
		at += length;
	}
	snprintf(own, sizeof(own), "%s/models", vaccel_datadir());
	if (find_below(own, strlen(own), path)) {
		if (list && *list)
			vaccel_warn("no classify/model.json is in %s, which %s names; taking the "
				    "one in %s",
				    list, knobs[KNOB_MODEL_PATH].name, own);
		return VACCEL_OK;
	}
	return vaccel_fail(VACCEL_ENOENT,
			   "there is no model: none is registered with the session, and no "
			   "classify/model.json is in %s%s%s; register a MODEL, or set %s",
			   list ? list : "", list ? " or " : "", own, knobs[KNOB_MODEL_PATH].name);
}

static int open_default(struct model **ret_model)
{
	char path[MODEL_PATH_SIZE];
	int ret = model_default_find(path);

	return ret ? ret : open_directory(path, ret_model);
}

static int open_any(struct vaccel_resource *resource, const void *context, struct held **ret_held)
{
	struct model **model = (struct model **)ret_held;

	return resource ? open_resource(resource, model) : open_default(model);
}

static void close_model(struct held *held)
{
	model_delete((struct model *)held);
}

const struct holder_kind model_kind = {open_any, close_model};
