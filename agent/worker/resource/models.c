// SPDX-License-Identifier: Apache-2.0
/*
 * Models are brought to whichever backend takes them: the frameworks' operations for
 * that are tried in turn. What is loaded stays with a session of its own until the
 * worker ends.
 */
#include "agent/worker/resource/models.h"

#include <inttypes.h>
#include <string.h>

#include <vaccel/blob.h>
#include <vaccel/error.h>
#include <vaccel/ops/onnx.h>
#include <vaccel/ops/tf.h>
#include <vaccel/ops/tflite.h>
#include <vaccel/ops/torch.h>
#include <vaccel/plugin.h>
#include <vaccel/resource.h>

#include "agent/worker/resource/store_file.h"
#include "base/util.h"

struct model {
	struct model *next;
	struct vaccel_session session;
	struct vaccel_resource *resource;
};

static int load_tf(struct vaccel_session *session, struct vaccel_resource *resource)
{
	struct vaccel_tf_status status = {0};
	int ret = vaccel_tf_model_load(session, resource, &status);

	vaccel_tf_status_release(&status);
	return ret;
}

/* And the file that a directory of the framework's has. */
static const struct loader {
	uint32_t op;
	int (*load)(struct vaccel_session *session, struct vaccel_resource *resource);
	const char *file;
} loaders[] = {
	{VACCEL_OP_ONNX_MODEL_LOAD, vaccel_onnx_model_load, "model.onnx"},
	{VACCEL_OP_TF_MODEL_LOAD, load_tf, "saved_model.pb"},
	{VACCEL_OP_TFLITE_MODEL_LOAD, vaccel_tflite_model_load, "model.tflite"},
	{VACCEL_OP_TORCH_MODEL_LOAD, vaccel_torch_model_load, "model.pt"},
};

int models_take(struct worker *worker, uint64_t bytes)
{
	if (meter_take(&worker->models, bytes))
		return VACCEL_OK;
	count_refusal(worker, REFUSED_QUOTA);
	return vaccel_fail(VACCEL_EDQUOT,
			   "no room for a model of %" PRIu64 " bytes: this agent permits %" PRIu64
			   " of models at once, of which %" PRIu64 " are in use",
			   bytes, worker->models.limit, atomic_load(&worker->models.used));
}

static bool has_backend(const struct loader *loader)
{
	const struct vaccel_op *op = vaccel_op_by_number(loader->op);
	const struct vaccel_plugin *plugin;

	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		if (vaccel_plugin_offers(plugin, op))
			return true;
	return false;
}

static bool is_meant_for(const struct vaccel_resource *resource, const struct loader *loader)
{
	for (size_t i = 0; i < resource->nr_blobs; i++) {
		const char *slash = strrchr(resource->blobs[i]->path, '/');

		if (slash && !strcmp(slash + 1, loader->file))
			return true;
	}
	return false;
}

/*
 * The first framework that takes it; else the words of the one that it is meant for, or of the
 * first. What clients may do does not matter: who has it loaded writes the policies as well.
 */
static int load(const struct worker *worker, struct model *model)
{
	_cleanup_(freep) char *words = NULL;
	bool are_meant = false;
	int code = VACCEL_OK;

	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		bool is_meant = is_meant_for(model->resource, &loaders[i]);
		int ret;

		if (!has_backend(&loaders[i]))
			continue;
		ret = loaders[i].load(&model->session, model->resource);
		if (!ret)
			return VACCEL_OK;
		if (words && (are_meant || !is_meant))
			continue;
		free(words);
		words = strdup(vaccel_error_text());
		are_meant = is_meant;
		code = ret;
	}
	if (words)
		return vaccel_fail(code, "%s", words);
	return vaccel_fail(VACCEL_ENOTSUP, "no plugin of policy '%s' loads models",
			   worker->setup.policy.name);
}

/* Its files, which need not be sent. */
static int know(struct worker *worker, const struct vaccel_resource *resource, uint64_t *ret_size)
{
	struct digest digest;
	uint64_t size = 0;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < resource->nr_blobs; i++) {
		ret = file_digest(resource->blobs[i]->path, &digest);
		size += digest.size;
		if (!ret)
			ret = store_know(worker->store, resource->blobs[i]->path);
	}
	*ret_size = size;
	return ret;
}

static void model_delete(struct model *model)
{
	if (!model)
		return;
	if (model->session.id > 0)
		vaccel_session_release(&model->session);
	if (model->resource)
		vaccel_resource_delete(model->resource);
	free(model);
}

static void model_deletep(struct model **model)
{
	model_delete(*model);
}

static int bring(struct worker *worker, const char *name)
{
	_cleanup_(freep) char *path = file_path_of(worker->setup.models.path, name);
	_cleanup_(model_deletep) struct model *model = calloc(1, sizeof(*model));
	uint64_t size;
	int ret;

	if (!path || !model)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	ret = vaccel_session_init(&model->session, 0);
	if (!ret)
		ret = vaccel_resource_new(&model->resource, path, VACCEL_RESOURCE_MODEL);
	if (!ret)
		ret = vaccel_resource_register(model->resource, &model->session);
	if (!ret)
		ret = know(worker, model->resource, &size);
	if (!ret)
		ret = models_take(worker, size);
	if (ret)
		return ret;
	ret = load(worker, model);
	if (ret) {
		meter_give(&worker->models, size);
		return ret;
	}
	model->next = worker->preloaded;
	worker->preloaded = TAKE(model);
	atomic_fetch_add(&worker->stats->models, 1);
	return VACCEL_OK;
}

void models_load(struct worker *worker)
{
	const struct names *names = &worker->setup.models.preload;
	const struct about about = {.tenant = worker->setup.tenant};

	for (unsigned int i = 0; i < names->count; i++) {
		int ret = bring(worker, names->at[i]);

		/* Models are for all workers; that one has no use for them is no fault. */
		if (ret)
			log_line(ret == VACCEL_ENOTSUP ? VACCEL_LOG_INFO : VACCEL_LOG_WARN, &about,
				 "model '%s' is not loaded: %s", names->at[i], vaccel_error_text());
	}
}

void models_release(struct worker *worker)
{
	while (worker->preloaded) {
		struct model *model = worker->preloaded;

		worker->preloaded = model->next;
		model_delete(model);
		atomic_fetch_sub(&worker->stats->models, 1);
	}
}
