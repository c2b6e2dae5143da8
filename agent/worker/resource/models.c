// SPDX-License-Identifier: Apache-2.0
/*
 * Models are brought to whichever backend takes them: the frameworks' operations for
 * that are tried in turn. What is loaded stays with a session of its own until the
 * worker ends.
 */
#include "agent/worker/resource/models.h"

#include <inttypes.h>

#include <vaccel/blob.h>
#include <vaccel/error.h>
#include <vaccel/ops/onnx.h>
#include <vaccel/ops/tf.h>
#include <vaccel/ops/tflite.h>
#include <vaccel/ops/torch.h>
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

static const struct {
	uint32_t op;
	int (*load)(struct vaccel_session *session, struct vaccel_resource *resource);
} loaders[] = {
	{VACCEL_OP_ONNX_MODEL_LOAD, vaccel_onnx_model_load},
	{VACCEL_OP_TF_MODEL_LOAD, load_tf},
	{VACCEL_OP_TFLITE_MODEL_LOAD, vaccel_tflite_model_load},
	{VACCEL_OP_TORCH_MODEL_LOAD, vaccel_torch_model_load},
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

/* The first framework that takes it; else the words of the last one that has a backend. */
static int load(const struct worker *worker, struct model *model)
{
	int ret = vaccel_fail(VACCEL_ENOTSUP, "no plugin of the policy loads models");

	for (size_t i = 0; ret && i < ARRAY_SIZE(loaders); i++)
		if (worker->permitted[loaders[i].op])
			ret = loaders[i].load(&model->session, model->resource);
	return ret;
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

	for (unsigned int i = 0; i < names->count; i++)
		if (bring(worker, names->at[i]))
			log_line(VACCEL_LOG_WARN, &about, "model '%s' is not loaded: %s",
				 names->at[i], vaccel_error_text());
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
