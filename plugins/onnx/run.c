// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a model on tensors as they come. What a program gives is compared with
 * what the model says of itself, so that an error names the tensor, what it is
 * and what it should be, and ONNX Runtime is only given what fits.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/tensor.h>

#include "model/util.h"
#include "model/words.h"
#include "onnx/engine.h"
#include "onnx/onnx.h"
#include "onnx/runtime.h"
#include "vision/vision.h"

_Static_assert((int)VACCEL_TENSOR_FLOAT == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT &&
		       (int)VACCEL_TENSOR_INT64 == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 &&
		       (int)VACCEL_TENSOR_BFLOAT16 == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 &&
		       (int)VACCEL_TENSOR_INT4 == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4,
	       "ONNX Runtime numbers its types as ONNX does");

/* The inputs, or the outputs, of a run: what ONNX Runtime wants side by side. */
struct side {
	const char *what;
	const struct port **ports;
	const char **names;
	OrtValue **values;
	size_t nr;
};

static void side_release(struct side *side)
{
	for (size_t i = 0; side->values && i < side->nr; i++)
		value_releasep(&side->values[i]);
	free(side->values);
	free(side->names);
	free(side->ports);
}

static int make_room(struct side *side)
{
	/* One more than asked for, so that none is still a list. */
	side->ports = calloc(side->nr + 1, sizeof(*side->ports));
	side->names = calloc(side->nr + 1, sizeof(*side->names));
	side->values = calloc(side->nr + 1, sizeof(OrtValue *));
	if (side->ports && side->names && side->values)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu %ss", side->nr, side->what);
}

static const struct port *find_port(const struct port *ports, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(ports[i].name, name))
			return &ports[i];
	return NULL;
}

static bool is_chosen(const struct side *side, size_t nr, const struct port *port)
{
	for (size_t i = 0; i < nr; i++)
		if (side->ports[i] == port)
			return true;
	return false;
}

/* The ports that are meant: those named, or the first ones in the model's order. */
static int choose_ports(struct side *side, const struct port *ports, size_t nr_ports,
			const struct vaccel_onnx_name *names)
{
	int ret;

	if (side->nr > nr_ports)
		return vaccel_fail(VACCEL_EINVAL, "there are %zu %ss, and the model has %zu",
				   side->nr, side->what, nr_ports);
	ret = make_room(side);
	if (ret)
		return ret;
	for (size_t i = 0; i < side->nr; i++) {
		const struct port *port = &ports[i];

		if (names && !(port = find_port(ports, nr_ports, names[i].name)))
			return vaccel_fail(VACCEL_EINVAL,
					   "the model has no %s '%.60s'; its first one is '%.60s'",
					   side->what, names[i].name, ports[0].name);
		if (is_chosen(side, i, port))
			return vaccel_fail(VACCEL_EINVAL, "the %s '%.60s' is there twice",
					   side->what, port->name);
		side->ports[i] = port;
		side->names[i] = port->name;
	}
	return VACCEL_OK;
}

static int check_complete(const struct side *in, const struct engine *engine)
{
	for (size_t i = 0; i < engine->nr_required; i++)
		if (!is_chosen(in, in->nr, &engine->inputs[i]))
			return vaccel_fail(
				VACCEL_EINVAL, "the model's input '%.60s' is missing; it is %s",
				engine->inputs[i].name,
				shape_words(engine->inputs[i].type, engine->inputs[i].nr_dims,
					    engine->inputs[i].dims)
					.text);
	return VACCEL_OK;
}

/* Strings have no one size, and what is no tensor cannot be handed over as one. */
static int check_kind(const char *what, const struct port *port)
{
	if (port->type != VACCEL_TENSOR_UNDEFINED && port->type != VACCEL_TENSOR_STRING)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOTSUP,
			   "the model's %s '%.60s' is %s; only tensors of numbers "
			   "can be handed over",
			   what, port->name,
			   port->type == VACCEL_TENSOR_STRING ? "of strings" : "no tensor");
}

/*
 * A copy: who gave it may write to it while the model runs, and ONNX Runtime uses places, sizes
 * and orders that it has made sure of before.
 */
static int copy_input(const struct vaccel_tensor *tensor, OrtValue **ret_value)
{
	OrtAllocator *allocator = NULL;
	void *data;
	int ret = runtime_check(ort->GetAllocatorWithDefaultOptions(&allocator));

	if (!ret)
		ret = runtime_check(ort->CreateTensorAsOrtValue(
			allocator, tensor->dims, tensor->nr_dims,
			(ONNXTensorElementDataType)tensor->data_type, ret_value));
	if (!ret)
		ret = runtime_check(ort->GetTensorMutableData(*ret_value, &data));
	if (!ret && tensor->size)
		memcpy(data, tensor->data, tensor->size);
	return ret;
}

static int make_input(const struct port *port, const struct vaccel_tensor *tensor,
		      OrtValue **ret_value)
{
	int ret = check_kind("input", port);

	if (!ret)
		ret = dims_check(port->name, tensor);
	if (ret)
		return ret;
	if (!port_takes(port, tensor->data_type, tensor->nr_dims, tensor->dims))
		return vaccel_fail(
			VACCEL_EINVAL, "the input '%.60s' is %s, and the model takes %s",
			port->name,
			shape_words(tensor->data_type, tensor->nr_dims, tensor->dims).text,
			shape_words(port->type, port->nr_dims, port->dims).text);
	ret = input_check(port->name, port->type, tensor);
	return ret ? ret : copy_input(tensor, ret_value);
}

static int make_inputs(const struct engine *engine, const struct vaccel_onnx_model_run_args *args,
		       struct side *in)
{
	int ret = choose_ports(in, engine->inputs, engine->nr_inputs, args->in_names.data);

	if (!ret)
		ret = check_complete(in, engine);
	for (size_t i = 0; !ret && i < in->nr; i++)
		ret = make_input(in->ports[i], &args->in.data[i], &in->values[i]);
	return ret;
}

static int choose_outputs(const struct engine *engine,
			  const struct vaccel_onnx_model_run_args *args, struct side *out)
{
	int ret = choose_ports(out, engine->outputs, engine->nr_outputs, args->out_names.data);

	for (size_t i = 0; !ret && i < out->nr; i++)
		ret = check_kind("output", out->ports[i]);
	return ret;
}

static int copy_output(struct vaccel_call *call, OrtValue *value, struct vaccel_tensor *tensor)
{
	_cleanup_(freep) int64_t *dims = NULL;
	ONNXTensorElementDataType type;
	size_t nr_dims, size = 0;
	void *data;
	int ret = value_shape(value, &type, &nr_dims, &dims);

	if (!ret)
		ret = runtime_check(ort->GetTensorMutableData(value, &data));
	if (!ret)
		ret = vaccel_tensor_data_size(nr_dims, dims, (int32_t)type, &size);
	if (!ret)
		ret = vaccel_call_out_tensor(call, tensor, (int32_t)type, nr_dims, dims, size);
	if (!ret && size)
		memcpy(tensor->data, data, size);
	return ret;
}

static int run(struct vaccel_call *call, const struct engine *engine,
	       struct vaccel_onnx_model_run_args *args)
{
	_cleanup_(side_release) struct side in = {.what = "input", .nr = args->in.count};
	_cleanup_(side_release) struct side out = {.what = "output", .nr = args->out.count};
	int ret = make_inputs(engine, args, &in);

	if (!ret)
		ret = choose_outputs(engine, args, &out);
	if (!ret)
		ret = runtime_check(ort->Run(engine->session, NULL, in.names,
					     (const OrtValue *const *)in.values, in.nr, out.names,
					     out.nr, out.values));
	for (size_t i = 0; !ret && i < out.nr; i++)
		ret = copy_output(call, out.values[i], &args->out.data[i]);
	return ret;
}

int model_run(struct vaccel_call *call, struct vaccel_onnx_model_run_args *args)
{
	_cleanup_(use_end) struct use use = {0};
	int ret = use_resource(call, args->model, &use);

	return ret ? ret : run(call, engine_of(vision_network(&use)), args);
}
