/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models. */
#ifndef VACCEL_OPS_ONNX_H
#define VACCEL_OPS_ONNX_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct vaccel_onnx_name - the name of an input or output; as good as a char pointer */
#define VACCEL_FIELDS_onnx_name(FIELD, item) \
	FIELD(item, TEXT, char, name, "name of an input or output")
VACCEL_ITEM(onnx_name)

#define VACCEL_ONNX_MODEL_LOAD_ARGS(ARG, op) \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "an ONNX file, or a directory with model.onnx")
VACCEL_OP(64, ONNX_MODEL_LOAD, onnx_model_load, vaccel_onnx_model_load, LOAD,
	  "bring an ONNX model to where it runs")

#define VACCEL_ONNX_MODEL_RUN_ARGS(ARG, op)                      \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model")   \
	ARG(op, IN, LIST, onnx_name, in_names, OPTIONAL,         \
	    "names of the inputs, or the model's order")         \
	ARG(op, IN, TENSORS, tensor, in, OPTIONAL, "the inputs") \
	ARG(op, IN, LIST, onnx_name, out_names, OPTIONAL,        \
	    "names of the outputs, or the model's order")        \
	ARG(op, OUT, TENSORS, tensor, out, GROWS, "the outputs")
VACCEL_OP_CHECKED(65, ONNX_MODEL_RUN, onnx_model_run, vaccel_onnx_model_run, PURE,
		  "run an ONNX model")

#define VACCEL_ONNX_MODEL_UNLOAD_ARGS(ARG, op) \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model")
VACCEL_OP(66, ONNX_MODEL_UNLOAD, onnx_model_unload, vaccel_onnx_model_unload, UNLOAD,
	  "take an ONNX model away from where it runs")

/**
 * vaccel_onnx_model_load() - bring an ONNX model to where it runs
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess: an ONNX file, or a
 *	directory with model.onnx
 *
 * A run loads the model by itself if need be; loading early takes the time now.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if it is no ONNX model; VACCEL_EPERM if it is
 * not registered; or an error of vaccel_call().
 */
int vaccel_onnx_model_load(struct vaccel_session *sess, struct vaccel_resource *model);

/** vaccel_onnx_model_unload() - take it away again; VACCEL_EINVAL if it was not loaded */
int vaccel_onnx_model_unload(struct vaccel_session *sess, struct vaccel_resource *model);

/**
 * vaccel_onnx_model_run() - run an ONNX model
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess
 * @in_names: @nr_in names of inputs; NULL for the model's own order
 * @in: @nr_in tensors, of the types and shapes that the model takes
 * @nr_in: how many; all the model's inputs that have no default
 * @out_names: @nr_out names of outputs; NULL for the first ones in the model's order
 * @out: room for @nr_out pointers; set to new tensors, each to be freed with vaccel_tensor_delete()
 * @nr_out: how many, at least 1
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for inputs that do not fit the model;
 * VACCEL_EBACKEND if the runtime failed; or an error of vaccel_call(). After a failure @out is as
 * it was.
 */
int vaccel_onnx_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			  const char *const *in_names, struct vaccel_tensor *const *in,
			  size_t nr_in, const char *const *out_names, struct vaccel_tensor **out,
			  size_t nr_out);

#ifdef VACCEL_OP_BODIES
static int onnx_model_run_check(const struct vaccel_onnx_model_run_args *args)
{
	if (args->in_names.count && args->in_names.count != args->in.count)
		return vaccel_fail(VACCEL_EINVAL, "onnx_model_run: %zu names for %zu inputs",
				   args->in_names.count, args->in.count);
	if (args->out_names.count && args->out_names.count != args->out.count)
		return vaccel_fail(VACCEL_EINVAL, "onnx_model_run: %zu names for %zu outputs",
				   args->out_names.count, args->out.count);
	return VACCEL_OK;
}

int vaccel_onnx_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	struct vaccel_onnx_model_load_args args = {.model = model};

	return vaccel_call(sess, &vaccel_op_onnx_model_load, &args);
}

int vaccel_onnx_model_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	struct vaccel_onnx_model_unload_args args = {.model = model};

	return vaccel_call(sess, &vaccel_op_onnx_model_unload, &args);
}

int vaccel_onnx_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			  const char *const *in_names, struct vaccel_tensor *const *in,
			  size_t nr_in, const char *const *out_names, struct vaccel_tensor **out,
			  size_t nr_out)
{
	struct vaccel_onnx_model_run_args args = {
		.model = model,
		.in_names = {(const struct vaccel_onnx_name *)in_names, in_names ? nr_in : 0},
		.in = {NULL, nr_in},
		.out_names = {(const struct vaccel_onnx_name *)out_names, out_names ? nr_out : 0},
		.out = {NULL, nr_out},
	};
	_cleanup_(freep) struct vaccel_tensor *inputs = NULL;
	_cleanup_(freep) struct vaccel_tensor *outputs = NULL;
	int ret = import_vaccel_tensor(in, nr_in, &inputs);

	if (!ret)
		ret = tensor_outputs_new("onnx_model_run", out, nr_out, &outputs);
	if (ret)
		return ret;
	args.in.data = inputs;
	args.out.data = outputs;
	ret = vaccel_call(sess, &vaccel_op_onnx_model_run, &args);
	return ret ? ret : export_vaccel_tensor(outputs, nr_out, out);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
