// SPDX-License-Identifier: Apache-2.0
/*
 * A picture classified through an agent, beside the same here: by the same plugin,
 * with one thread on the worker's processor, which is the program's or another one. Each round has
 * an agent and a process of its own, in which both must give the same answer before anything is
 * timed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rpc/rpc.h"

#define PATH_ROOM  4096
#define RUN_LENGTH 10 /* two copies of a model's weights push each other out of the cache */

struct pair {
	struct rpc *rpc;
	enum route route;
	const char *directory; /* of the model */
	unsigned char *picture;
	size_t size;

	struct vaccel_session local;	  /* and that of @rpc */
	struct vaccel_resource models[2]; /* one of each */
	size_t nr_models;
};

static int classify(struct vaccel_session *sess, const struct pair *pair, size_t times)
{
	unsigned char text[512];
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_image_classification(sess, pair->picture, text, NULL, pair->size,
						  sizeof(text), 0);
	return ret;
}

static int classify_there(void *context, size_t times)
{
	struct pair *pair = context;

	return classify(&pair->rpc->sess, pair, times);
}

static int classify_here(void *context, size_t times)
{
	struct pair *pair = context;

	return classify(&pair->local, pair, times);
}

static int compare_answers(struct pair *pair)
{
	struct vaccel_class *here = NULL, *there = NULL;
	size_t nr_here = 0, nr_there = 0;
	int ret = vaccel_image_classify_top(&pair->local, pair->picture, pair->size, 5, &here,
					    &nr_here);

	if (!ret)
		ret = vaccel_image_classify_top(&pair->rpc->sess, pair->picture, pair->size, 5,
						&there, &nr_there);
	if (!ret && nr_here != nr_there)
		ret = vaccel_fail(VACCEL_EREMOTEIO, "the agent finds another number of classes");
	for (size_t i = 0; !ret && i < nr_here; i++)
		if (here[i].index != there[i].index || here[i].probability != there[i].probability)
			ret = vaccel_fail(VACCEL_EREMOTEIO, "the agent sees something else");
	free(here);
	free(there);
	return ret;
}

static int read_picture(struct pair *pair, const char *path)
{
	FILE *file = fopen(path, "re");
	long size = -1;

	if (file && !fseek(file, 0, SEEK_END))
		size = ftell(file);
	if (size > 0 && !fseek(file, 0, SEEK_SET))
		pair->picture = malloc((size_t)size);
	if (pair->picture)
		pair->size = fread(pair->picture, 1, (size_t)size, file);
	if (file)
		fclose(file);
	return pair->size ? VACCEL_OK
			  : vaccel_fail(VACCEL_ENOENT, "cannot read the picture '%s'", path);
}

static int open_models(struct pair *pair)
{
	struct vaccel_session *const sessions[] = {&pair->local, &pair->rpc->sess};
	int ret = vaccel_session_init(&pair->local, 0);

	while (!ret && pair->nr_models < 2) {
		struct vaccel_resource *model = &pair->models[pair->nr_models];

		ret = vaccel_resource_init(model, pair->directory, VACCEL_RESOURCE_MODEL);
		if (!ret)
			ret = vaccel_resource_register(model, sessions[pair->nr_models++]);
	}
	return ret;
}

static int begin_round(void *context)
{
	struct pair *pair = context;
	struct rpc *rpc = pair->rpc;
	int ret = agent_start(&rpc->agent, rpc->program, "onnx, noop");

	if (!ret)
		ret = rpc_open(rpc, pair->route, "onnx:remote");
	if (!ret)
		rpc_pin(rpc, rpc->processor);
	if (!ret)
		ret = open_models(pair);
	return ret ? ret : compare_answers(pair);
}

static void end_round(void *context)
{
	struct pair *pair = context;

	while (pair->nr_models)
		vaccel_resource_release(&pair->models[--pair->nr_models]);
	if (pair->local.id)
		vaccel_session_release(&pair->local);
	rpc_close(pair->rpc);
	agent_stop(&pair->rpc->agent);
}

/* The goals are for models whose work is worth the way, not for our own small one. */
static int measure_route(struct pair *pair, enum route route, double goal)
{
	static const char *const names[] = {"unix", "tcp", "tls"};
	const char *slash = strrchr(pair->directory, '/');
	char name[64];
	const struct bench_row row = {
		.name = name,
		.unit = "ms",
		.threads = 1,
		.batch = 1,
		.seconds = 20,
		.run = classify_there,
		.floor = classify_here,
		.context = pair,
		.begin = begin_round,
		.end = end_round,
		.floor_apart = 1, /* the model runs where the worker is */
		.run_length = RUN_LENGTH,
		.goal = pair->rpc->models->models ? goal : 0,
	};

	pair->route = route;
	snprintf(name, sizeof(name), "%.40s, %s", slash && slash[1] ? slash + 1 : pair->directory,
		 names[route]);
	return rpc_measure_apart(pair->rpc, &row);
}

static int measure_routes(struct pair *pair)
{
	int ret = measure_route(pair, ROUTE_UNIX, 1.01);

	if (!ret)
		ret = measure_route(pair, ROUTE_TCP, 1.01);
	if (!ret && pair->rpc->agent.has_tls)
		ret = measure_route(pair, ROUTE_TLS, 1.02);
	else if (!ret)
		ret = rpc_skip(pair->rpc, "classify, tls", "no OpenSSL, or no command openssl");
	return ret;
}

static bool has_onnx(void)
{
	char path[PATH_ROOM];
	FILE *file;

	snprintf(path, sizeof(path), "%s/libvaccel-onnx.so", vaccel_plugindir());
	file = fopen(path, "re");
	if (file)
		fclose(file);
	return file;
}

int rpc_classify(struct rpc *rpc)
{
	const char *const *given = rpc->models->models;
	char digits[PATH_ROOM], picture[PATH_ROOM];
	const char *const ours[] = {digits, NULL};
	struct pair pair = {.rpc = rpc};
	int ret;

	if (!has_onnx())
		return rpc_skip(rpc, "classify", "the onnx plugin is not built");
	setenv("VACCEL_ONNX_THREADS", "1", 1);
	snprintf(digits, sizeof(digits), "%s/models/classify", vaccel_datadir());
	snprintf(picture, sizeof(picture), "%s/images/seven.png", vaccel_datadir());
	ret = read_picture(&pair, rpc->models->picture ? rpc->models->picture : picture);
	for (const char *const *model = given ? given : ours; !ret && *model; model++) {
		pair.directory = *model;
		ret = measure_routes(&pair);
	}
	free(pair.picture);
	if (!ret && !given)
		ret = rpc_skip(rpc, "mobilenet_v2",
			       "no model was given: `make bench` does if ../shared/data has it");
	return ret;
}
