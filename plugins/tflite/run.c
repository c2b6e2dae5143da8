// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a model on tensors as they come. What a program gives is compared with
 * what the model says of itself, so that an error names the tensor, what it is
 * and what it should be, and TensorFlow Lite is only given what fits.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/tensor.h>

#include "model/util.h"
#include "model/words.h"
#include "tflite/engine.h"
#include "tflite/state.h"
#include "tflite/tflite.h"
#include "tflite/types.h"
#include "vision/vision.h"

/* A runner while a call uses it: of the shelf, or, if the model has state, the session's. */
struct loan {
	struct engine *engine;
	struct state *state;
	struct runner *runner;
	bool usable;
};

static int borrow(struct vaccel_call *call, struct loan *loan)
{
	if (loan->engine->keeps_state)
		return state_enter(call, loan->engine, &loan->state, &loan->runner);
	return engine_take(loan->engine, &loan->runner);
}

static void give_back(struct loan *loan)
{
	if (loan->state)
		state_leave(loan->state, loan->usable);
	else
		engine_give(loan->engine, loan->runner, loan->usable);
}

/* Tensors of programs have a dimension at least, so a single number may have one, of size 1. */
static bool is_single(const struct port *port, const struct vaccel_tensor *tensor)
{
	return port->nr_dims == 0 && tensor->nr_dims == 1 && tensor->dims[0] == 1;
}

static int check_sides(const struct port *port, const struct vaccel_tensor *tensor)
{
	for (size_t i = 0; i < tensor->nr_dims; i++)
		if (tensor->dims[i] > INT32_MAX)
			return vaccel_fail(VACCEL_ERANGE,
					   "the input '%.60s' has a dimension of %" PRId64
					   "; TensorFlow Lite has at most %d",
					   port->name, tensor->dims[i], INT32_MAX);
	return VACCEL_OK;
}

static int make_input(const struct port *port, const struct vaccel_tensor *tensor,
		      struct network_input *input)
{
	int32_t type = type_from_tflite(tensor->data_type);
	bool single = is_single(port, tensor);
	int ret;

	if (port->type == VACCEL_TENSOR_UNDEFINED)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "the model's input '%.60s' is no tensor of values", port->name);
	ret = dims_check(port->name, tensor);
	if (ret)
		return ret;
	if (!port_takes(port, type, single ? 0 : tensor->nr_dims, tensor->dims))
		return vaccel_fail(VACCEL_EINVAL, "the input '%.60s' is %s, and the model takes %s",
				   port->name,
				   shape_words(type, tensor->nr_dims, tensor->dims).text,
				   shape_words(port->type, port->nr_dims, port->dims).text);
	ret = check_sides(port, tensor);
	if (!ret)
		ret = input_check(port->name, type, tensor);
	*input = (struct network_input){
		.data = tensor->data,
		.size = tensor->size,
		.nr_dims = single ? 0 : tensor->nr_dims,
		.dims = tensor->dims,
	};
	return ret;
}

static int check_counts(const struct network *network,
			const struct vaccel_tflite_model_run_args *args)
{
	const struct port *missing;

	if (args->in.count > network->nr_inputs)
		return vaccel_fail(VACCEL_EINVAL, "there are %zu inputs, and the model has %zu",
				   args->in.count, network->nr_inputs);
	if (args->out.count > network->nr_outputs)
		return vaccel_fail(VACCEL_EINVAL, "there are %zu outputs, and the model has %zu",
				   args->out.count, network->nr_outputs);
	if (args->in.count == network->nr_inputs)
		return VACCEL_OK;
	missing = &network->inputs[args->in.count];
	return vaccel_fail(VACCEL_EINVAL, "the model's input '%.60s' is missing; it is %s",
			   missing->name,
			   shape_words(missing->type, missing->nr_dims, missing->dims).text);
}

static int copy_output(struct vaccel_call *call, const TfLiteTensor *from, struct vaccel_tensor *to)
{
	size_t nr_dims = (size_t)TfLiteTensorNumDims(from), size = TfLiteTensorByteSize(from);
	int64_t dims[VACCEL_TENSOR_DIMS_MAX];
	int ret;

	if (nr_dims > VACCEL_TENSOR_DIMS_MAX || (size && !TfLiteTensorData(from)))
		return vaccel_fail(VACCEL_EBACKEND,
				   "the model's output '%.60s' cannot be handed over",
				   TfLiteTensorName(from));
	for (size_t i = 0; i < nr_dims; i++)
		dims[i] = TfLiteTensorDim(from, (int32_t)i);
	ret = vaccel_call_out_tensor(call, to, TfLiteTensorType(from), nr_dims, dims, size);
	if (!ret && size)
		memcpy(to->data, TfLiteTensorData(from), size);
	return ret;
}

static int run_on(struct vaccel_call *call, struct loan *loan, const struct network_input *inputs,
		  struct vaccel_tflite_model_run_args *args)
{
	int ret = borrow(call, loan);

	if (ret)
		return ret;
	ret = runner_run(loan->runner, inputs, args->in.count);
	if (args->status)
		*args->status = (uint8_t)loan->runner->status;
	loan->usable = !ret;
	for (size_t i = 0; !ret && i < args->out.count; i++)
		ret = copy_output(
			call,
			TfLiteInterpreterGetOutputTensor(loan->runner->interpreter, (int32_t)i),
			&args->out.data[i]);
	give_back(loan);
	return ret;
}

static int run(struct vaccel_call *call, const struct network *network,
	       struct vaccel_tflite_model_run_args *args)
{
	_cleanup_(freep) struct network_input *inputs = calloc(args->in.count + 1, sizeof(*inputs));
	struct loan loan = {.engine = engine_of(network)};
	int ret;

	if (!inputs)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu inputs", args->in.count);
	ret = check_counts(network, args);
	for (size_t i = 0; !ret && i < args->in.count; i++)
		ret = make_input(&network->inputs[i], &args->in.data[i], &inputs[i]);
	return ret ? ret : run_on(call, &loan, inputs, args);
}

int model_run(struct vaccel_call *call, struct vaccel_tflite_model_run_args *args)
{
	_cleanup_(use_end) struct use use = {0};
	int ret = use_resource(call, args->model, &use);
	return ret ? ret : run(call, vision_network(&use), args);
}
