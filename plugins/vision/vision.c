// SPDX-License-Identifier: Apache-2.0
/* What a plugin sees of the vision tasks: their beginning and end, and whose calls are whose. */
#include "vision/vision.h"

#include <stdlib.h>
#include <string.h>

#include "model/util.h"
#include "vision/model.h"
#include "vision/scratch.h"
#include "vision/task/task.h"

/* So many directories of VACCEL_MODEL_PATH are named to a sandbox; more are not read there. */
#define MODEL_DIRS_MAX 32

static const struct vaccel_knob model_path = VISION_KNOB_MODEL_PATH;
static const struct vaccel_knob max_pixels = VISION_KNOB_MAX_PIXELS;

/* VACCEL_MODEL_PATH, cut where its directories end. */
static char *model_dirs;

/* The context of each default model's holder. */
static const enum card_task task_numbers[CARD_NR_TASKS] = {
	[CARD_CLASSIFY] = CARD_CLASSIFY, [CARD_DETECT] = CARD_DETECT, [CARD_SEGMENT] = CARD_SEGMENT,
	[CARD_POSE] = CARD_POSE,	 [CARD_DEPTH] = CARD_DEPTH,
};

int vision_init(const struct vision_backend *backend)
{
	const char *list = vaccel_knob_text(&model_path);
	int ret = VACCEL_OK;

	model_backend = backend;
	model_limits.pixels = (uint64_t)vaccel_knob_number(&max_pixels);
	model_dirs = strdup(list ? list : "");
	if (!model_dirs)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the path of models");
	for (size_t i = 0; !ret && i < CARD_NR_TASKS; i++)
		ret = holder_new(&model_kind, &task_numbers[i], &model_defaults[i]);
	if (ret)
		vision_fini();
	return ret;
}

void vision_fini(void)
{
	for (size_t i = 0; i < CARD_NR_TASKS; i++) {
		holder_delete(model_defaults[i]);
		model_defaults[i] = NULL;
	}
	scratch_drop_all();
	free(model_dirs);
	model_dirs = NULL;
}

size_t vision_read_paths(const char **paths, size_t room)
{
	char *rest = NULL, *dir = strtok_r(model_dirs, ":", &rest);
	size_t nr = 0;

	if (room)
		paths[nr++] = vaccel_datadir();
	for (; dir && nr < room; dir = strtok_r(NULL, ":", &rest))
		paths[nr++] = dir;
	return nr;
}

int vision_resource_open(struct vaccel_resource *resource, void **ret_slot)
{
	return holder_new(&model_kind, NULL, (struct holder **)ret_slot);
}

void vision_resource_close(struct vaccel_resource *resource, void *slot)
{
	holder_delete(slot);
}

const struct network *vision_network(const struct use *use)
{
	return ((const struct model *)use->held)->network;
}

static enum model_format format_of_default(enum card_task task)
{
	_cleanup_(files_release) struct model_files files = {0};
	char path[MODEL_PATH_SIZE];

	if (model_default_find(task, path) || files_of_directory(path, &files))
		return FORMAT_UNKNOWN;
	return format_of(&files);
}

static bool is_ours(enum model_format format)
{
	return format == model_backend->format ||
	       (format == FORMAT_UNKNOWN && model_backend->takes_unknown);
}

/* Whether the model of a resource is ours. One that is open has shown it. */
static bool takes_resource(struct vaccel_call *call, struct vaccel_resource *resource)
{
	_cleanup_(files_release) struct model_files files = {0};
	void *slot;

	if (!vaccel_call_resource_slot(call, resource, &slot) && holder_is_open(slot))
		return true;
	return files_of_resource(resource, &files) || is_ours(format_of(&files));
}

bool vision_supports(struct vaccel_call *call, const struct vaccel_op *op, const void *args)
{
	struct vaccel_resource *resource;
	enum card_task task;
	bool takes;

	if (!task_of_op(op, &task))
		return true;
	resource = vaccel_call_resource(call, VACCEL_RESOURCE_MODEL);
	if (!resource)
		return holder_is_open(model_defaults[task]) || is_ours(format_of_default(task));
	takes = takes_resource(call, resource);
	vaccel_resource_unref(resource);
	return takes;
}
