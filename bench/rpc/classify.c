// SPDX-License-Identifier: Apache-2.0
/*
 * A picture classified through an agent, beside the same here: by the same plugin,
 * with one thread, on the same processor. Before anything is timed both must give
 * the same answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rpc/rpc.h"

#define PATH_ROOM  4096
#define RUN_LENGTH 10 /* two copies of a model's weights push each other out of the cache */

struct pair {
	struct vaccel_session *remote;
	struct vaccel_session local;
	struct vaccel_resource models[2]; /* one of each */
	unsigned char *picture;
	size_t size;
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

	return classify(pair->remote, pair, times);
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
		ret = vaccel_image_classify_top(pair->remote, pair->picture, pair->size, 5, &there,
						&nr_there);
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

static int measure_model(struct rpc *rpc, struct pair *pair, const char *directory,
			 const struct bench_row *row)
{
	struct vaccel_session *const sessions[] = {&pair->local, pair->remote};
	int ret = VACCEL_OK, ready = 0;

	while (!ret && ready < 2) {
		struct vaccel_resource *model = &pair->models[ready];

		ret = vaccel_resource_init(model, directory, VACCEL_RESOURCE_MODEL);
		if (ret)
			break;
		ret = vaccel_resource_register(model, sessions[ready++]);
	}
	if (!ret)
		ret = compare_answers(pair);
	if (!ret)
		ret = rpc_measure(rpc, row);
	while (ready--)
		vaccel_resource_release(&pair->models[ready]);
	return ret;
}

/* The goals are for models whose work is worth the way, not for our own small one. */
static int measure_route(struct rpc *rpc, enum route route, const char *directory, double goal)
{
	static const char *const names[] = {"unix", "tcp", "tls"};
	const char *slash = strrchr(directory, '/');
	struct pair pair = {.remote = &rpc->sess};
	char name[64], picture[PATH_ROOM];
	const struct bench_row rows[] = {
		{.name = name,
		 .unit = "ms",
		 .threads = 1,
		 .batch = 1,
		 .seconds = 20,
		 .run = classify_there,
		 .floor = classify_here,
		 .context = &pair,
		 .run_length = RUN_LENGTH,
		 .goal = rpc->models->models ? goal : 0},
		{.name = NULL},
	};
	int ret = rpc_open(rpc, route, "onnx:remote");

	snprintf(name, sizeof(name), "%.40s, %s", slash && slash[1] ? slash + 1 : directory,
		 names[route]);
	snprintf(picture, sizeof(picture), "%s/images/seven.png", vaccel_datadir());
	rpc_pin(rpc, 0);
	if (!ret)
		ret = vaccel_session_init(&pair.local, 0);
	if (!ret)
		ret = read_picture(&pair, rpc->models->picture ? rpc->models->picture : picture);
	if (!ret)
		ret = measure_model(rpc, &pair, directory, rows);
	free(pair.picture);
	if (pair.local.id)
		vaccel_session_release(&pair.local);
	rpc_close(rpc);
	return ret;
}

static int measure_routes(struct rpc *rpc, const char *directory)
{
	int ret = measure_route(rpc, ROUTE_UNIX, directory, 1.01);

	if (!ret)
		ret = measure_route(rpc, ROUTE_TCP, directory, 1.01);
	if (!ret && rpc->agent.has_tls)
		ret = measure_route(rpc, ROUTE_TLS, directory, 1.02);
	else if (!ret)
		ret = rpc_skip(rpc, "classify, tls", "no OpenSSL, or no command openssl");
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
	char digits[PATH_ROOM];
	const char *const ours[] = {digits, NULL};
	const char *const *model = rpc->models->models ? rpc->models->models : ours;
	int ret;

	if (!has_onnx())
		return rpc_skip(rpc, "classify", "the onnx plugin is not built");
	setenv("VACCEL_ONNX_THREADS", "1", 1);
	snprintf(digits, sizeof(digits), "%s/models/classify", vaccel_datadir());
	ret = agent_start(&rpc->agent, rpc->program, "onnx, noop");
	for (; !ret && *model; model++)
		ret = measure_routes(rpc, *model);
	agent_stop(&rpc->agent);
	if (!ret && !rpc->models->models)
		ret = rpc_skip(rpc, "mobilenet_v2",
			       "no model was given: `make bench` does if ../shared/data has it");
	return ret;
}
