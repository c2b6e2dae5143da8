// SPDX-License-Identifier: Apache-2.0
/* An ONNX Runtime session with what it says of its inputs and outputs. */
#include "onnx/engine.h"

#include <stddef.h>
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

/* As vision runs it */

const struct engine *engine_of(const struct network *network)
{
	return (const struct engine *)((const char *)network - offsetof(struct engine, network));
}

static int read_output(OrtValue *value, struct network_output *output)
{
	_cleanup_(freep) int64_t *dims = NULL;
	ONNXTensorElementDataType type;
	int ret = value_shape(value, &type, &output->nr_dims, &dims);

	if (ret)
		return ret;
	output->type = (int32_t)type;
	if (output->nr_dims > NETWORK_DIMS_MAX)
		return vaccel_fail(VACCEL_EBACKEND,
				   "an output of the model has %zu dimensions; %d can be read",
				   output->nr_dims, NETWORK_DIMS_MAX);
	memcpy(output->dims, dims, output->nr_dims * sizeof(*dims));
	return runtime_check(ort->GetTensorMutableData(value, (void **)&output->data));
}

static int network_run(const struct network *network, const struct network_input *input,
		       struct network_outputs *outputs)
{
	const struct engine *engine = engine_of(network);
	const char *const in[] = {engine->inputs[0].name};
	const char *names[NETWORK_OUTPUTS_MAX];
	OrtValue *values[NETWORK_OUTPUTS_MAX] = {0};
	_cleanup_(value_releasep) OrtValue *value = NULL;
	int ret = runtime_check(ort->CreateTensorWithDataAsOrtValue(
		runtime_memory, input->data, input->size, input->dims, input->nr_dims,
		(ONNXTensorElementDataType)engine->inputs[0].type, &value));

	for (size_t i = 0; i < outputs->nr; i++)
		names[i] = engine->outputs[i].name;
	if (!ret)
		ret = runtime_check(ort->Run(engine->session, NULL, in,
					     (const OrtValue *const *)&value, 1, names, outputs->nr,
					     values));
	for (size_t i = 0; i < outputs->nr; i++) {
		outputs->output[i].own = values[i];
		if (!ret)
			ret = read_output(values[i], &outputs->output[i]);
	}
	return ret;
}

static void network_done(const struct network *network, struct network_outputs *outputs)
{
	for (size_t i = 0; i < outputs->nr; i++)
		value_releasep((OrtValue **)&outputs->output[i].own);
}

static const struct network_kind network_kind = {network_run, network_done};

static int load(struct shared *shared, const void *content)
{
	struct engine *engine = (struct engine *)shared;
	int ret = provider_session(content, &engine->session);

	if (!ret)
		ret = read_all_ports(engine);
	engine->network = (struct network){
		.kind = &network_kind,
		.inputs = engine->inputs,
		.nr_inputs = engine->nr_required,
		.outputs = engine->outputs,
		.nr_outputs = engine->nr_outputs,
	};
	return ret;
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

int engine_open(struct model_files *files, const struct network **ret_network)
{
	_cleanup_(content_release) struct content content = {0};
	struct shared *shared;
	int ret = content_read(files, &content);

	if (!ret)
		ret = share_get(&engines, &content.digest, &content, &shared);
	if (!ret)
		*ret_network = &((struct engine *)shared)->network;
	return ret;
}

void engine_close(const struct network *network)
{
	share_put(&engines, &((struct engine *)engine_of(network))->shared);
}

size_t engine_count(void)
{
	return share_count(&engines);
}
