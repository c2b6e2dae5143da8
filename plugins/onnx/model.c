// SPDX-License-Identifier: Apache-2.0
/*
 * Loads models, and keeps one for each resource, and the default one, in a
 * holder, so that a call finds its model with two atomic additions: no lock, no
 * reading, no hashing.
 *
 * A call that uses a model counts itself among the holder's users before it
 * reads the pointer. Unloading takes the pointer away first and then looks at
 * the users: if there are any, the model is retired, and the last of
 * them to leave frees it.
 */
#include "onnx/model.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/log.h>

#include "onnx/onnx.h"
#include "onnx/words.h"
#include "vision/resize.h"
#include "vision/util.h"

struct model_holder {
	_Atomic(struct model *) model;	 /* NULL while it is not loaded */
	_Atomic(struct model *) retired; /* unloaded while calls used them */
	atomic_size_t users;
	pthread_mutex_t lock; /* loading, unloading, freeing */
	size_t loads;	      /* by onnx_model_load, not yet undone; under the lock */
};

static struct model_holder default_holder = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

/* Frees what was retired, if nobody can be using it any more. The lock is held. */
static void reap(struct model_holder *holder)
{
	struct model *model;

	if (atomic_load(&holder->users))
		return;
	model = atomic_exchange(&holder->retired, NULL);
	while (model) {
		struct model *next = model->next;

		model_delete(model);
		model = next;
	}
}

static void leave(struct model_holder *holder)
{
	if (atomic_fetch_sub(&holder->users, 1) != 1 || !atomic_load(&holder->retired))
		return;
	pthread_mutex_lock(&holder->lock);
	reap(holder);
	pthread_mutex_unlock(&holder->lock);
}

/* The holder's model, which stays until leave(); NULL, and nothing to leave, while there is none.
 */
static const struct model *enter(struct model_holder *holder)
{
	const struct model *model;

	atomic_fetch_add(&holder->users, 1);
	model = atomic_load(&holder->model);
	if (!model)
		leave(holder);
	return model;
}

/* Sees that the holder has a model. The lock is held. */
static int ensure(struct model_holder *holder, struct vaccel_resource *resource)
{
	struct model *model;
	int ret;

	if (atomic_load(&holder->model))
		return VACCEL_OK;
	ret = resource ? open_resource(resource, &model) : open_default(&model);
	if (!ret)
		atomic_store(&holder->model, model);
	return ret;
}

/* A resource, or NULL for the default model. */
static int use(struct model_holder *holder, struct vaccel_resource *resource,
	       struct model_use *ret_use)
{
	const struct model *model = enter(holder);

	while (!model) {
		int ret;

		pthread_mutex_lock(&holder->lock);
		ret = ensure(holder, resource);
		if (!ret)
			model = enter(holder);
		pthread_mutex_unlock(&holder->lock);
		if (ret)
			return ret;
	}
	ret_use->model = model;
	ret_use->holder = holder;
	return VACCEL_OK;
}

int model_use_resource(struct vaccel_call *call, struct vaccel_resource *resource,
		       struct model_use *ret_use)
{
	void *slot;
	int ret = vaccel_call_resource_slot(call, resource, &slot);

	return ret ? ret : use(slot, resource, ret_use);
}

int model_use_session(struct vaccel_call *call, struct model_use *ret_use)
{
	struct vaccel_resource *resource = vaccel_call_resource(call, VACCEL_RESOURCE_MODEL);
	int ret;

	if (!resource)
		return use(&default_holder, NULL, ret_use);
	ret = model_use_resource(call, resource, ret_use);
	if (ret)
		vaccel_resource_unref(resource);
	else
		ret_use->resource = resource;
	return ret;
}

void model_use_end(struct model_use *use)
{
	if (use->holder)
		leave(use->holder);
	vaccel_resource_unref(use->resource);
}

int model_load(struct vaccel_call *call, struct vaccel_onnx_model_load_args *args)
{
	struct model_holder *holder;
	void *slot;
	int ret = vaccel_call_resource_slot(call, args->model, &slot);

	if (ret)
		return ret;
	holder = slot;
	pthread_mutex_lock(&holder->lock);
	ret = ensure(holder, args->model);
	if (!ret)
		holder->loads++;
	pthread_mutex_unlock(&holder->lock);
	return ret;
}

/* The lock is held. */
static int unload(struct model_holder *holder)
{
	struct model *model = atomic_load(&holder->model);

	if (!model)
		return vaccel_fail(VACCEL_EINVAL, "the model is not loaded");
	if (holder->loads)
		holder->loads--;
	/* Someone else loaded it, too. */
	if (holder->loads)
		return VACCEL_OK;
	atomic_store(&holder->model, NULL);
	model->next = atomic_load(&holder->retired);
	atomic_store(&holder->retired, model);
	reap(holder);
	return VACCEL_OK;
}

int model_unload(struct vaccel_call *call, struct vaccel_onnx_model_unload_args *args)
{
	struct model_holder *holder;
	void *slot;
	int ret = vaccel_call_resource_slot(call, args->model, &slot);

	if (ret)
		return ret;
	holder = slot;
	pthread_mutex_lock(&holder->lock);
	ret = unload(holder);
	pthread_mutex_unlock(&holder->lock);
	return ret;
}

int model_resource_open(struct vaccel_resource *resource, void **ret_slot)
{
	struct model_holder *holder = calloc(1, sizeof(*holder));

	if (!holder)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	pthread_mutex_init(&holder->lock, NULL);
	*ret_slot = holder;
	return VACCEL_OK;
}

static void drop(struct model_holder *holder)
{
	model_delete(atomic_exchange(&holder->model, NULL));
	reap(holder);
}

void model_resource_close(struct vaccel_resource *resource, void *slot)
{
	struct model_holder *holder = slot;

	drop(holder);
	pthread_mutex_destroy(&holder->lock);
	free(holder);
}

void model_default_release(void)
{
	drop(&default_holder);
}
