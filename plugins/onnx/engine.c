// SPDX-License-Identifier: Apache-2.0
/*
 * Loading a model takes from milliseconds to minutes, so it is done once for a
 * content: engines are kept in a list, by digest, while someone refers to them.
 * The lock guards the list and is not held while a model loads.
 */
#include "onnx/engine.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/tensor.h>

#include "onnx/providers.h"
#include "vision/util.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t loaded = PTHREAD_COND_INITIALIZER; /* some engine is, or has failed */
static struct engine *engines;

static void ports_delete(struct port *ports, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(ports[i].name);
		free(ports[i].dims);
	}
	free(ports);
}

static void engine_delete(struct engine *engine)
{
	ports_delete(engine->inputs, engine->nr_inputs);
	ports_delete(engine->outputs, engine->nr_outputs);
	if (engine->session)
		ort->ReleaseSession(engine->session);
	free(engine->failure);
	free(engine);
}

static int no_memory(void)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory for a model's inputs and outputs");
}

/* One of ONNX Runtime's three lists of a session's inputs and outputs. */
struct port_list {
	OrtStatus *(*count)(const OrtSession *session, size_t *ret_nr);
	OrtStatus *(*name)(const OrtSession *session, size_t index, OrtAllocator *allocator,
			   char **ret_name);
	OrtStatus *(*type)(const OrtSession *session, size_t index, OrtTypeInfo **ret_type);
};

static int read_name(const OrtSession *session, const struct port_list *list, size_t index,
		     char **ret_name)
{
	OrtAllocator *allocator = NULL;
	char *name;
	int ret = runtime_check(ort->GetAllocatorWithDefaultOptions(&allocator));

	if (!ret)
		ret = runtime_check(list->name(session, index, allocator, &name));
	if (ret)
		return ret;
	*ret_name = strdup(name);
	allocator->Free(allocator, name);
	return *ret_name ? VACCEL_OK : no_memory();
}

static int read_shape(const OrtTensorTypeAndShapeInfo *shape, struct port *port)
{
	ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	int ret = runtime_check(ort->GetTensorElementType(shape, &type));

	if (!ret)
		ret = runtime_check(ort->GetDimensionsCount(shape, &port->nr_dims));
	if (ret)
		return ret;
	port->dims = calloc(port->nr_dims ? port->nr_dims : 1, sizeof(*port->dims));
	if (!port->dims)
		return no_memory();
	port->type = (int32_t)type;
	return runtime_check(ort->GetDimensions(shape, port->dims, port->nr_dims));
}

static int read_port(const OrtSession *session, const struct port_list *list, size_t index,
		     struct port *port)
{
	const OrtTensorTypeAndShapeInfo *shape = NULL;
	OrtTypeInfo *type = NULL;
	int ret = read_name(session, list, index, &port->name);

	if (!ret)
		ret = runtime_check(list->type(session, index, &type));
	if (ret)
		return ret;
	ret = runtime_check(ort->CastTypeInfoToTensorInfo(type, &shape));
	if (!ret && shape)
		ret = read_shape(shape, port);
	ort->ReleaseTypeInfo(type);
	return ret;
}

/* Adds the ports of a list to those that are there. */
static int read_ports(const OrtSession *session, const struct port_list *list, struct port **ports,
		      size_t *nr)
{
	struct port *more;
	size_t count = 0;
	int ret = runtime_check(list->count(session, &count));

	if (ret)
		return ret;
	more = reallocarray(*ports, *nr + count + 1, sizeof(*more));
	if (!more)
		return no_memory();
	memset(more + *nr, 0, (count + 1) * sizeof(*more));
	*ports = more;
	for (size_t i = 0; !ret && i < count; i++)
		ret = read_port(session, list, i, &more[(*nr)++]);
	return ret;
}

static int read_all_ports(struct engine *engine)
{
	const struct port_list inputs = {ort->SessionGetInputCount, ort->SessionGetInputName,
					 ort->SessionGetInputTypeInfo};
	const struct port_list defaults = {ort->SessionGetOverridableInitializerCount,
					   ort->SessionGetOverridableInitializerName,
					   ort->SessionGetOverridableInitializerTypeInfo};
	const struct port_list outputs = {ort->SessionGetOutputCount, ort->SessionGetOutputName,
					  ort->SessionGetOutputTypeInfo};
	int ret = read_ports(engine->session, &inputs, &engine->inputs, &engine->nr_inputs);

	engine->nr_required = engine->nr_inputs;
	if (!ret)
		ret = read_ports(engine->session, &defaults, &engine->inputs, &engine->nr_inputs);
	if (!ret)
		ret = read_ports(engine->session, &outputs, &engine->outputs, &engine->nr_outputs);
	return ret;
}

static struct engine *find(const struct digest *digest)
{
	struct engine *engine = engines;

	while (engine && memcmp(&engine->digest, digest, sizeof(*digest)) != 0)
		engine = engine->next;
	return engine;
}

/* The lock is held. */
static void forget(struct engine *engine)
{
	struct engine **at = &engines;

	while (*at != engine)
		at = &(*at)->next;
	*at = engine->next;
}

/* The lock is held; it is let go while the model loads. */
static void load(struct engine *engine, const struct content *content)
{
	int ret;

	pthread_mutex_unlock(&lock);
	ret = provider_session(content, &engine->session);
	if (!ret)
		ret = read_all_ports(engine);
	/* Whoever waits for it shares the failure; it is forgotten with the last of them. */
	if (ret)
		engine->failure = strdup(vaccel_error_text());
	pthread_mutex_lock(&lock);
	engine->failure_code = ret;
	engine->loading = false;
	pthread_cond_broadcast(&loaded);
}

static struct engine *add(const struct digest *digest)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->digest = *digest;
	engine->refs = 1;
	engine->loading = true;
	engine->next = engines;
	engines = engine;
	return engine;
}

/* The engine of that content, counted, whether it was loaded or has failed; NULL without memory. */
static struct engine *get_settled(const struct content *content)
{
	struct engine *engine;

	pthread_mutex_lock(&lock);
	engine = find(&content->digest);
	if (engine) {
		engine->refs++;
		while (engine->loading)
			pthread_cond_wait(&loaded, &lock);
	} else {
		engine = add(&content->digest);
		if (engine)
			load(engine, content);
	}
	pthread_mutex_unlock(&lock);
	return engine;
}

int engine_get(const struct content *content, struct engine **ret_engine)
{
	struct engine *engine = get_settled(content);
	int ret;

	if (!engine)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	if (!engine->failure_code) {
		*ret_engine = engine;
		return VACCEL_OK;
	}
	ret = vaccel_fail(engine->failure_code, "%s",
			  engine->failure ? engine->failure : "the model cannot be loaded");
	engine_put(engine);
	return ret;
}

void engine_put(struct engine *engine)
{
	bool last;

	if (!engine)
		return;
	pthread_mutex_lock(&lock);
	last = --engine->refs == 0;
	if (last)
		forget(engine);
	pthread_mutex_unlock(&lock);
	if (last)
		engine_delete(engine);
}

size_t engine_count(void)
{
	size_t count = 0;

	pthread_mutex_lock(&lock);
	for (const struct engine *engine = engines; engine; engine = engine->next)
		count += !engine->loading && !engine->failure_code;
	pthread_mutex_unlock(&lock);
	return count;
}
