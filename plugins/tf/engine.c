// SPDX-License-Identifier: Apache-2.0
/* From a resource to a TensorFlow session: of a SavedModel's directory, or of a graph's file. */
#include "tf/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/util.h"
#include "tf/state.h"

/* The largest graph in one file; it is the limit of its format. */
#define GRAPH_SIZE_MAX INT32_MAX
#define TAGS_MAX       16

/* What is loaded: a graph's bytes, or else the directory of a SavedModel. */
struct content {
	struct bytes graph;
	char *directory;
	struct digest digest;
};

static void content_release(struct content *content)
{
	bytes_release(&content->graph);
	free(content->directory);
}

static int no_memory(void)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
}

/* A ConfigProto with both numbers of threads; each field is its number and kind, then the value. */
static void set_threads(TF_SessionOptions *options, TF_Status *status)
{
	enum { INTRA_OP = 2 << 3, INTER_OP = 5 << 3 };
	unsigned int threads = (unsigned int)vaccel_knob_number(&knobs[KNOB_THREADS]);
	const uint8_t low = (uint8_t)(threads & 0x7f) | 0x80, high = (uint8_t)(threads >> 7);
	const uint8_t config[] = {INTRA_OP, low, high, INTER_OP, low, high};

	if (threads)
		TF_SetConfig(options, config, sizeof(config), status);
}

static int load_directory(struct instance *instance, const char *directory,
			  const TF_SessionOptions *options, TF_Status *status)
{
	_cleanup_(freep) char *list = strdup(vaccel_knob_text(&knobs[KNOB_TAGS]));
	_cleanup_(buffer_deletep) TF_Buffer *meta_graph = TF_NewBuffer();
	const char *tags[TAGS_MAX];
	char *rest, *tag;
	int nr = 0, ret;

	instance->graph = TF_NewGraph();
	if (!list || !meta_graph || !instance->graph)
		return no_memory();
	tag = strtok_r(list, ":", &rest);
	for (; tag && nr < TAGS_MAX; tag = strtok_r(NULL, ":", &rest))
		tags[nr++] = tag;
	instance->session = TF_LoadSessionFromSavedModel(options, NULL, directory, tags, nr,
							 instance->graph, meta_graph, status);
	ret = status_check(status);
	return ret ? ret
		   : signature_read(meta_graph->data, meta_graph->length,
				    vaccel_knob_text(&knobs[KNOB_SIGNATURE]), &instance->signature);
}

static int import_graph(struct instance *instance, const struct bytes *bytes, TF_Status *status)
{
	TF_ImportGraphDefOptions *import = TF_NewImportGraphDefOptions();
	const TF_Buffer buffer = {.data = bytes->data, .length = bytes->size};

	instance->graph = TF_NewGraph();
	if (!import || !instance->graph)
		return no_memory();
	TF_GraphImportGraphDef(instance->graph, &buffer, import, status);
	TF_DeleteImportGraphDefOptions(import);
	return status_check(status);
}

/* Of a directory, or else a session of the graph that the instance has. */
static int open_instance(struct instance *instance, const char *directory, TF_Status *status)
{
	TF_SessionOptions *options = TF_NewSessionOptions();
	int ret;

	if (!options)
		return no_memory();
	set_threads(options, status);
	ret = status_check(status);
	if (!ret && directory) {
		ret = load_directory(instance, directory, options, status);
	} else if (!ret) {
		instance->session = TF_NewSession(instance->graph, options, status);
		ret = status_check(status);
	}
	TF_DeleteSessionOptions(options);
	return ret;
}

int instance_new(const struct model *model, struct instance *ret_instance)
{
	_cleanup_(status_deletep) TF_Status *status = TF_NewStatus();
	struct instance instance = {0};
	int ret;

	if (!status)
		return no_memory();
	if (!model->directory) {
		instance.graph = model->engine->instance.graph;
		instance.borrows_graph = true;
	}
	ret = open_instance(&instance, model->directory, status);
	if (ret)
		instance_release(&instance);
	else
		*ret_instance = instance;
	return ret;
}

void instance_release(struct instance *instance)
{
	_cleanup_(status_deletep) TF_Status *status = TF_NewStatus();

	if (instance->session && status)
		TF_DeleteSession(instance->session, status);
	if (instance->graph && !instance->borrows_graph)
		TF_DeleteGraph(instance->graph);
	signature_release(&instance->signature);
}

static int load(struct shared *shared, const void *opaque)
{
	struct engine *engine = (struct engine *)shared;
	const struct content *content = opaque;
	_cleanup_(status_deletep) TF_Status *status = TF_NewStatus();
	int ret = status ? VACCEL_OK : no_memory();

	writes_init(&engine->writes);
	if (!ret && !content->directory)
		ret = import_graph(&engine->instance, &content->graph, status);
	return ret ? ret : open_instance(&engine->instance, content->directory, status);
}

static void unload(struct shared *shared)
{
	struct engine *engine = (struct engine *)shared;

	state_forget(engine);
	writes_release(&engine->writes);
	instance_release(&engine->instance);
}

static struct share engines = {.size = sizeof(struct engine), .load = load, .unload = unload};

static bool is_any(const struct model_file *file)
{
	return true;
}

/* TensorFlow reads a SavedModel by itself, from the directory that it is in. */
static int read_directory(struct model_files *files, const struct model_file *saved,
			  struct content *content)
{
	int ret = files_write(files);
	char *slash;

	if (!ret)
		ret = files_digest(files, NULL, 0, is_any, &content->digest);
	if (ret)
		return ret;
	content->directory = strdup(saved->path);
	if (!content->directory)
		return no_memory();
	slash = strrchr(content->directory, '/');
	if (slash)
		*slash = '\0';
	else
		strcpy(content->directory, ".");
	return VACCEL_OK;
}

static int read_files(struct model_files *files, struct content *content)
{
	const struct model_file *saved = files_find(files, "saved_model.pb");
	const struct model_file *single = files_single(files);
	int ret;

	/* A SavedModel of one file is one only in its directory. */
	if (saved && !single)
		return read_directory(files, saved, content);
	if (!single)
		return vaccel_fail(VACCEL_EINVAL,
				   "%s has no saved_model.pb; a model is the directory of a "
				   "SavedModel, or one file with a frozen graph",
				   files->words);
	ret = file_bytes(single, GRAPH_SIZE_MAX, &content->graph);
	return ret ? ret
		   : files_digest(files, content->graph.data, content->graph.size, NULL,
				  &content->digest);
}

static int open_model(struct vaccel_resource *resource, const void *context, struct held **ret_held)
{
	_cleanup_(files_release) struct model_files files = {0};
	_cleanup_(content_release) struct content content = {0};
	struct model *model;
	int ret = files_of_resource(resource, &files);

	if (!ret)
		ret = read_files(&files, &content);
	if (ret)
		return ret;
	model = calloc(1, sizeof(*model));
	if (!model)
		return no_memory();
	ret = share_get(&engines, &content.digest, &content, (struct shared **)&model->engine);
	if (ret) {
		free(model);
		return ret;
	}
	model->directory = TAKE(content.directory);
	*ret_held = &model->held;
	return VACCEL_OK;
}

static void close_model(struct held *held)
{
	struct model *model = (struct model *)held;

	share_put(&engines, &model->engine->shared);
	free(model->directory);
	free(model);
}

const struct holder_kind model_kind = {open_model, close_model};

size_t engine_count(void)
{
	return share_count(&engines);
}
