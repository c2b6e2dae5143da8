// SPDX-License-Identifier: Apache-2.0
/* An ONNX Runtime session with what it says of its inputs and outputs. */
#include "onnx/engine.h"

#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/tensor.h>

#include "model/util.h"
#include "onnx/providers.h"

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

static int load(struct shared *shared, const void *content)
{
	struct engine *engine = (struct engine *)shared;
	int ret = provider_session(content, &engine->session);

	return ret ? ret : read_all_ports(engine);
}

static void unload(struct shared *shared)
{
	struct engine *engine = (struct engine *)shared;

	ports_delete(engine->inputs, engine->nr_inputs);
	ports_delete(engine->outputs, engine->nr_outputs);
	if (engine->session)
		ort->ReleaseSession(engine->session);
}

static struct share engines = {.size = sizeof(struct engine), .load = load, .unload = unload};

int engine_get(const struct content *content, struct engine **ret_engine)
{
	return share_get(&engines, &content->digest, content, (struct shared **)ret_engine);
}

void engine_put(struct engine *engine)
{
	share_put(&engines, (struct shared *)engine);
}

size_t engine_count(void)
{
	return share_count(&engines);
}
