// SPDX-License-Identifier: Apache-2.0
/*
 * What vaccel adds to a run of a TorchScript model, against libtorch called directly,
 * which both use with one thread: of a model that does next to nothing, and of those
 * given, files that take one picture of 224 or 128 pixels a side.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "bench/measure.h"
#include "bench/module.h"
#include "bench/torch_floor.h"

/* How much a call may add: to the smallest model in all, to others in proportion. */
#define GOAL_US 20
#define GOAL	1.01

struct torch {
	struct vaccel_session sess;
	const struct torch_floor *floor;
	void *direct;
	struct vaccel_resource model;
	float *in;
	int64_t dims[TORCH_DIMS];
	bench_show *show;
	void *context; /* of show() */
};

static int run_once(struct torch *torch, float *ret_first)
{
	struct vaccel_torch_tensor x = {
		.data = torch->in,
		.size = sizeof(float) *
			(size_t)(torch->dims[0] * torch->dims[1] * torch->dims[2] * torch->dims[3]),
		.nr_dims = TORCH_DIMS,
		.dims = torch->dims,
		.data_type = VACCEL_TORCH_FLOAT,
	};
	struct vaccel_torch_tensor *const in[] = {&x}, *out;
	int ret = vaccel_torch_model_run(&torch->sess, &torch->model, NULL, in, 1, &out, 1);

	if (ret)
		return ret;
	*ret_first = *(float *)out->data;
	return vaccel_torch_tensor_delete(out);
}

static int run_vaccel(void *context, size_t times)
{
	float first;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = run_once(context, &first);
	return ret;
}

static int run_floor(void *context, size_t times)
{
	struct torch *torch = context;
	float first;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = torch->floor->run(torch->direct, torch->in, torch->dims, &first);
	return ret;
}

/* The input that the model takes: one number, or a picture. */
static int find_input(struct torch *torch, bool smallest)
{
	static const int64_t sides[] = {224, 128};
	float first;
	int ret = VACCEL_EINVAL;

	if (smallest) {
		for (int i = 0; i < TORCH_DIMS; i++)
			torch->dims[i] = 1;
		return torch->floor->run(torch->direct, torch->in, torch->dims, &first);
	}
	torch->dims[0] = 1;
	torch->dims[1] = 3;
	for (size_t i = 0; ret && i < sizeof(sides) / sizeof(sides[0]); i++) {
		torch->dims[2] = torch->dims[3] = sides[i];
		ret = torch->floor->run(torch->direct, torch->in, torch->dims, &first);
	}
	return ret;
}

/* What is compared in speed must be the same in effect. */
static int compare_answers(struct torch *torch)
{
	float ours = 0, theirs = 1;
	int ret = run_once(torch, &ours);

	if (!ret)
		ret = torch->floor->run(torch->direct, torch->in, torch->dims, &theirs);
	if (ret || ours == theirs)
		return ret;
	return vaccel_fail(VACCEL_EBACKEND,
			   "vaccel and libtorch called directly disagree on an output");
}

static int measure_model(struct torch *torch, const char *name, bool smallest)
{
	struct bench_row row = {
		.name = name,
		.unit = smallest ? "us" : "ms",
		.threads = 1,
		.batch = smallest ? 100 : 1,
		.seconds = smallest ? 4 : 10,
		.run = run_vaccel,
		.floor = run_floor,
		.context = torch,
		.goal = smallest ? 0 : GOAL,
	};
	struct bench_result result;
	int ret = find_input(torch, smallest);

	if (!ret)
		ret = compare_answers(torch);
	/* The first runs are those in which torch looks how it can be faster. */
	if (!ret)
		ret = run_vaccel(torch, 5);
	if (!ret)
		ret = run_floor(torch, 5);
	if (!ret)
		ret = bench_measure(&row, &result);
	if (ret)
		return ret;
	if (smallest)
		row.value_goal = result.limit + GOAL_US;
	return torch->show(torch->context, &row, &result);
}

/* Of a file's bytes. */
static int measure_file(struct torch *torch, const void *data, size_t size, const char *name,
			bool smallest)
{
	int ret = vaccel_resource_init_from_buf(&torch->model, data, size, VACCEL_RESOURCE_MODEL,
						"model.pt", true);

	if (ret)
		return ret;
	ret = vaccel_resource_register(&torch->model, &torch->sess);
	if (!ret)
		ret = torch->floor->open(data, size, &torch->direct);
	if (!ret) {
		ret = measure_model(torch, name, smallest);
		torch->floor->close(torch->direct);
	}
	vaccel_resource_release(&torch->model);
	return ret;
}

static int measure_smallest(struct torch *torch)
{
	void *data;
	size_t size;
	int ret = torch->floor->smallest(&data, &size);

	if (ret)
		return ret;
	ret = measure_file(torch, data, size, "the smallest model", true);
	free(data);
	return ret;
}

static int measure_path(struct torch *torch, const char *path)
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
		ret = measure_file(torch, data, size, slash ? slash + 1 : path, false);
	}
	vaccel_blob_delete(blob);
	return ret;
}

static int measure_all(struct torch *torch, const struct bench_models *models)
{
	int ret = measure_smallest(torch);

	for (const char *const *model = models->models; !ret && model && *model; model++)
		ret = measure_path(torch, *model);
	return ret;
}

int bench_torch(const struct bench_models *models, bench_show *show, void *context)
{
	struct vaccel_config config = {.plugins = (char *)"torch", .log_level = VACCEL_LOG_ERROR};
	struct torch torch = {.show = show, .context = context};
	int ret;

	setenv("VACCEL_TORCH_THREADS", "1", 1);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&torch.sess, 0);
	if (ret)
		return ret;
	torch.in = calloc(3 * 224 * 224, sizeof(*torch.in));
	if (!torch.in)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for a picture");
	if (!ret)
		ret = bench_module("torch", "torch_floor", (const void **)&torch.floor);
	if (!ret)
		ret = measure_all(&torch, models);
	free(torch.in);
	vaccel_session_release(&torch.sess);
	return ret;
}
