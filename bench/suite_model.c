// SPDX-License-Identifier: Apache-2.0
/*
 * What vaccel adds to a run of a model, against its framework called directly, which both
 * use with one thread: of a model that does next to nothing, and of the files given.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "bench/measure.h"
#include "bench/model_floor.h"
#include "bench/module.h"

/* How much a call may add: to the smallest model in all, to others in proportion. */
#define GOAL_US 20
#define GOAL	1.01

/* The first runs are those in which frameworks look how they can be faster. */
#define RUNS_BEFORE 5

struct suite {
	const char *framework;
	bench_show *show;
	void *context; /* of show() */
	bool brief;
	struct vaccel_session sess;
	struct vaccel_resource model;
	const struct model_floor *floor;
	void *direct;
};

static int run_vaccel(void *context, size_t times)
{
	struct suite *suite = context;
	unsigned char first;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = suite->floor->call(suite->direct, &suite->sess, &suite->model, &first);
	return ret;
}

static int run_floor(void *context, size_t times)
{
	struct suite *suite = context;
	unsigned char first;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = suite->floor->run(suite->direct, &first);
	return ret;
}

/* What is compared in speed must be the same in effect. */
static int compare_answers(struct suite *suite)
{
	unsigned char ours = 0, theirs = 1;
	int ret = suite->floor->call(suite->direct, &suite->sess, &suite->model, &ours);

	if (!ret)
		ret = suite->floor->run(suite->direct, &theirs);
	if (ret || ours == theirs)
		return ret;
	return vaccel_fail(VACCEL_EBACKEND, "vaccel and %s called directly disagree on an output",
			   suite->framework);
}

static int measure_model(struct suite *suite, const char *name, bool smallest)
{
	struct bench_row row = {
		.name = name,
		.unit = smallest ? "us" : "ms",
		.threads = 1,
		.batch = smallest ? 100 : 1,
		.seconds = smallest ? 4 : 10,
		.run = run_vaccel,
		.floor = run_floor,
		.context = suite,
		.goal = smallest ? 0 : GOAL,
	};
	struct bench_result result;
	int ret = compare_answers(suite);

	if (suite->brief)
		row.seconds = 0;
	if (!ret)
		ret = run_vaccel(suite, RUNS_BEFORE);
	if (!ret)
		ret = run_floor(suite, RUNS_BEFORE);
	if (!ret)
		ret = bench_measure(&row, &result);
	if (ret)
		return ret;
	if (smallest)
		row.value_goal = result.limit + GOAL_US;
	return suite->show(suite->context, &row, &result);
}

/* Of a file's bytes. */
static int measure_file(struct suite *suite, const void *data, size_t size, const char *name,
			bool smallest)
{
	int ret = vaccel_resource_init_from_buf(&suite->model, data, size, VACCEL_RESOURCE_MODEL,
						"model", true);

	if (ret)
		return ret;
	ret = vaccel_resource_register(&suite->model, &suite->sess);
	if (!ret)
		ret = suite->floor->open(data, size, &suite->direct);
	if (!ret) {
		ret = measure_model(suite, name, smallest);
		suite->floor->close(suite->direct);
	}
	vaccel_resource_release(&suite->model);
	return ret;
}

static int measure_path(struct suite *suite, const char *path)
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
		ret = measure_file(suite, data, size, slash ? slash + 1 : path, false);
	}
	vaccel_blob_delete(blob);
	return ret;
}

static int measure_all(struct suite *suite, const struct bench_models *models)
{
	const struct model_floor *floor = suite->floor;
	int ret = measure_file(suite, floor->smallest,
			       (size_t)(floor->smallest_end - floor->smallest),
			       "the smallest model", true);

	for (const char *const *model = models->models; !ret && model && *model; model++)
		ret = measure_path(suite, *model);
	return ret;
}

/* VACCEL_TF_THREADS and so on. */
static void use_one_thread(const char *framework)
{
	char name[64];

	snprintf(name, sizeof(name), "VACCEL_%s_THREADS", framework);
	for (char *at = name; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	setenv(name, "1", 1);
}

int bench_model(const char *framework, const struct bench_models *models, bench_show *show,
		void *context)
{
	struct vaccel_config config = {.plugins = (char *)framework, .log_level = VACCEL_LOG_ERROR};
	struct suite suite = {
		.framework = framework, .show = show, .context = context, .brief = models->brief};
	int ret;

	use_one_thread(framework);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&suite.sess, 0);
	if (ret)
		return ret;
	ret = bench_module(framework, "model_floor", (const void **)&suite.floor);
	if (!ret)
		ret = measure_all(&suite, models);
	vaccel_session_release(&suite.sess);
	return ret;
}
