// SPDX-License-Identifier: Apache-2.0
/*
 * What vaccel adds to classifying a picture: the whole operation against the
 * same work done by hand. Both use one thread, since the threads that a runtime
 * keeps for one model would disturb the measuring of the other. Before anything
 * is timed both must give the same answer.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "bench/measure.h"
#include "bench/module.h"
#include "bench/onnx_floor.h"

#define PATH_ROOM 4096

struct infer {
	struct vaccel_session sess;
	const struct onnx_floor *floor;
	void *model;
	unsigned char *picture;
	size_t picture_size;
};

static int run_vaccel(void *context, size_t times)
{
	struct infer *infer = context;
	unsigned char text[512];
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_image_classification(&infer->sess, infer->picture, text, NULL,
						  infer->picture_size, sizeof(text), 0);
	return ret;
}

static int run_floor(void *context, size_t times)
{
	struct infer *infer = context;
	float probability;
	size_t class;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = infer->floor->classify(infer->model, infer->picture, infer->picture_size,
					     &class, &probability);
	return ret;
}

/* What is compared in speed must be the same in effect. */
static int compare_answers(struct infer *infer)
{
	struct vaccel_class *top;
	float probability = 0;
	size_t class = 0, nr;
	bool same;
	int ret = vaccel_image_classify_top(&infer->sess, infer->picture, infer->picture_size, 1,
					    &top, &nr);

	if (ret)
		return ret;
	ret = infer->floor->classify(infer->model, infer->picture, infer->picture_size, &class,
				     &probability);
	same = !ret && nr == 1 && top->index == class &&
	       fabsf(top->probability - probability) < 0.001f;
	free(top);
	if (ret || same)
		return ret;
	return vaccel_fail(VACCEL_EBACKEND,
			   "vaccel and ONNX Runtime called directly disagree on the picture");
}

static int read_picture(struct infer *infer, const char *path)
{
	struct vaccel_blob *blob;
	size_t size;
	int ret = vaccel_blob_new(&blob, path);

	if (ret)
		return ret;
	ret = vaccel_blob_read(blob);
	if (!ret) {
		const uint8_t *data = vaccel_blob_data(blob, &size);

		infer->picture = malloc(size ? size : 1);
		if (!infer->picture)
			ret = vaccel_fail(VACCEL_ENOMEM, "no memory for the picture");
		else
			memcpy(infer->picture, data, size);
		infer->picture_size = size;
	}
	vaccel_blob_delete(blob);
	return ret;
}

static int measure_model(struct infer *infer, const char *directory, bench_show *show,
			 void *context)
{
	const char *slash = strrchr(directory, '/');
	struct bench_row row = {
		.name = slash && slash[1] ? slash + 1 : directory,
		.unit = "ms",
		.threads = 1,
		.batch = 1,
		.seconds = 10,
		.run = run_vaccel,
		.floor = run_floor,
		.context = infer,
	};
	struct vaccel_resource model;
	struct bench_result result;
	int ret = vaccel_resource_init(&model, directory, VACCEL_RESOURCE_MODEL);

	if (ret)
		return ret;
	ret = vaccel_resource_register(&model, &infer->sess);
	if (!ret)
		ret = infer->floor->open(directory, &infer->model);
	if (!ret) {
		ret = compare_answers(infer);
		if (!ret)
			ret = bench_measure(&row, &result);
		if (!ret)
			ret = show(context, &row, &result);
		infer->floor->close(infer->model);
	}
	vaccel_resource_release(&model);
	return ret;
}

static int measure_all(struct infer *infer, const struct bench_models *models, bench_show *show,
		       void *context)
{
	char digits[PATH_ROOM];
	const char *const ours[] = {digits, NULL};
	const char *const *model = models->models ? models->models : ours;
	int ret = VACCEL_OK;

	snprintf(digits, sizeof(digits), "%s/models/classify", vaccel_datadir());
	for (; !ret && *model; model++)
		ret = measure_model(infer, *model, show, context);
	return ret;
}

int bench_infer(const struct bench_models *models, bench_show *show, void *context)
{
	struct vaccel_config config = {.plugins = (char *)"onnx", .log_level = VACCEL_LOG_ERROR};
	struct infer infer = {0};
	char picture[PATH_ROOM];
	int ret;

	setenv("VACCEL_ONNX_THREADS", "1", 1);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&infer.sess, 0);
	if (ret)
		return ret;
	snprintf(picture, sizeof(picture), "%s/images/seven.png", vaccel_datadir());
	ret = bench_module("onnx", "onnx_floor", (const void **)&infer.floor);
	if (!ret)
		ret = read_picture(&infer, models->picture ? models->picture : picture);
	if (!ret)
		ret = measure_all(&infer, models, show, context);
	free(infer.picture);
	vaccel_session_release(&infer.sess);
	return ret;
}
