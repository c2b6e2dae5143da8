// SPDX-License-Identifier: Apache-2.0
/*
 * What vaccel adds to a run of a TensorFlow Lite model, against TensorFlow Lite called
 * directly, which both use with one thread: of a model that does next to nothing, and
 * of the files given.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "bench/measure.h"
#include "bench/module.h"
#include "bench/tflite_floor.h"

/* How much a call may add: to the smallest model in all, to others in proportion. */
#define GOAL_US 20
#define GOAL	1.01

struct tflite {
	bench_show *show;
	void *context; /* of show() */
	struct vaccel_session sess;
	const struct tflite_floor *floor;
	void *direct;
	struct vaccel_resource model;
	struct vaccel_tflite_tensor in[TFLITE_ENDS_MAX];
	size_t nr_in, nr_out;
};

static int run_once(struct tflite *tflite, unsigned char *ret_first)
{
	struct vaccel_tflite_tensor *in[TFLITE_ENDS_MAX], *out[TFLITE_ENDS_MAX];
	int ret;

	for (size_t i = 0; i < tflite->nr_in; i++)
		in[i] = &tflite->in[i];
	ret = vaccel_tflite_model_run(&tflite->sess, &tflite->model, in, (int)tflite->nr_in, out,
				      (int)tflite->nr_out, NULL);
	if (ret)
		return ret;
	*ret_first = *(unsigned char *)out[0]->data;
	for (size_t i = 0; i < tflite->nr_out; i++)
		vaccel_tflite_tensor_delete(out[i]);
	return VACCEL_OK;
}

static int run_vaccel(void *context, size_t times)
{
	unsigned char first;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = run_once(context, &first);
	return ret;
}

static int run_floor(void *context, size_t times)
{
	struct tflite *tflite = context;
	unsigned char first;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = tflite->floor->run(tflite->direct, &first);
	return ret;
}

/* What is compared in speed must be the same in effect. */
static int compare_answers(struct tflite *tflite)
{
	unsigned char ours = 0, theirs = 1;
	int ret = run_once(tflite, &ours);

	if (!ret)
		ret = tflite->floor->run(tflite->direct, &theirs);
	if (ret || ours == theirs)
		return ret;
	return vaccel_fail(VACCEL_EBACKEND,
			   "vaccel and TensorFlow Lite called directly disagree on an output");
}

static int measure_model(struct tflite *tflite, const char *name, bool smallest)
{
	struct bench_row row = {
		.name = name,
		.unit = smallest ? "us" : "ms",
		.threads = 1,
		.batch = smallest ? 100 : 1,
		.seconds = smallest ? 4 : 10,
		.run = run_vaccel,
		.floor = run_floor,
		.context = tflite,
		.goal = smallest ? 0 : GOAL,
	};
	struct bench_result result;
	int ret;

	tflite->nr_in = tflite->floor->inputs(tflite->direct, tflite->in, &tflite->nr_out);
	ret = compare_answers(tflite);
	if (!ret)
		ret = bench_measure(&row, &result);
	if (ret)
		return ret;
	if (smallest)
		row.value_goal = result.limit + GOAL_US;
	return tflite->show(tflite->context, &row, &result);
}

/* Of a file's bytes. */
static int measure_file(struct tflite *tflite, const void *data, size_t size, const char *name,
			bool smallest)
{
	int ret = vaccel_resource_init_from_buf(&tflite->model, data, size, VACCEL_RESOURCE_MODEL,
						"model.tflite", true);

	if (ret)
		return ret;
	ret = vaccel_resource_register(&tflite->model, &tflite->sess);
	if (!ret)
		ret = tflite->floor->open(data, size, &tflite->direct);
	if (!ret) {
		ret = measure_model(tflite, name, smallest);
		tflite->floor->close(tflite->direct);
	}
	vaccel_resource_release(&tflite->model);
	return ret;
}

static int measure_path(struct tflite *tflite, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct vaccel_blob *blob;
	const uint8_t *data;
	size_t size;
	int ret = vaccel_blob_new(&blob, path);

	if (ret)
		return ret;
	ret = vaccel_blob_read(blob);
	if (!ret) {
		data = vaccel_blob_data(blob, &size);
		ret = measure_file(tflite, data, size, slash ? slash + 1 : path, false);
	}
	vaccel_blob_delete(blob);
	return ret;
}

static int measure_all(struct tflite *tflite, const struct bench_models *models)
{
	const struct tflite_floor *floor = tflite->floor;
	int ret = measure_file(tflite, floor->smallest,
			       (size_t)(floor->smallest_end - floor->smallest),
			       "the smallest model", true);

	for (const char *const *model = models->models; !ret && model && *model; model++)
		ret = measure_path(tflite, *model);
	return ret;
}

int bench_tflite(const struct bench_models *models, bench_show *show, void *context)
{
	struct vaccel_config config = {.plugins = (char *)"tflite", .log_level = VACCEL_LOG_ERROR};
	struct tflite tflite = {.show = show, .context = context};
	int ret;

	setenv("VACCEL_TFLITE_THREADS", "1", 1);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&tflite.sess, 0);
	if (ret)
		return ret;
	ret = bench_module("tflite", "tflite_floor", (const void **)&tflite.floor);
	if (!ret)
		ret = measure_all(&tflite, models);
	vaccel_session_release(&tflite.sess);
	return ret;
}
