/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow Lite: its tensors. */
#ifndef VACCEL_OPS_TFLITE_H
#define VACCEL_OPS_TFLITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers of TfLiteType in TensorFlow Lite's C API. */
enum vaccel_tflite_data_type {
	VACCEL_TFLITE_NOTYPE = 0,
	VACCEL_TFLITE_FLOAT32 = 1,
	VACCEL_TFLITE_INT32 = 2,
	VACCEL_TFLITE_UINT8 = 3,
	VACCEL_TFLITE_INT64 = 4,
	VACCEL_TFLITE_STRING = 5,
	VACCEL_TFLITE_BOOL = 6,
	VACCEL_TFLITE_INT16 = 7,
	VACCEL_TFLITE_COMPLEX64 = 8,
	VACCEL_TFLITE_INT8 = 9,
	VACCEL_TFLITE_FLOAT16 = 10,
	VACCEL_TFLITE_FLOAT64 = 11,
	VACCEL_TFLITE_COMPLEX128 = 12,
	VACCEL_TFLITE_UINT64 = 13,
	VACCEL_TFLITE_RESOURCE = 14,
	VACCEL_TFLITE_VARIANT = 15,
	VACCEL_TFLITE_UINT32 = 16,
	VACCEL_TFLITE_UINT16 = 17,
	VACCEL_TFLITE_INT4 = 18
};

/** struct vaccel_tflite_tensor - a tensor of TensorFlow Lite */
struct vaccel_tflite_tensor {
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_tflite_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	int nr_dims;
	int32_t *dims;
	enum vaccel_tflite_data_type data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_tflite_tensor, int, int32_t, enum vaccel_tflite_data_type)

#define VACCEL_TFLITE_MODEL_LOAD_ARGS(ARG, op) \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "a .tflite file")
VACCEL_OP(11, TFLITE_MODEL_LOAD, tflite_model_load, vaccel_tflite_model_load, LOAD,
	  "bring a TensorFlow Lite model to where it runs")

#define VACCEL_TFLITE_MODEL_UNLOAD_ARGS(ARG, op) \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model")
VACCEL_OP(12, TFLITE_MODEL_UNLOAD, tflite_model_unload, vaccel_tflite_model_unload, UNLOAD,
	  "take a TensorFlow Lite model away from where it runs")

#define VACCEL_TFLITE_MODEL_RUN_ARGS(ARG, op)                                                \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model")                               \
	ARG(op, IN, TENSORS, tensor, in, OPTIONAL, "the inputs, with TFLite's type numbers") \
	ARG(op, OUT, TENSORS, tensor, out, GROWS, "the outputs")                             \
	ARG(op, OUT, ONE, u8, status, OPTIONAL, "a TfLiteStatus")
VACCEL_OP(13, TFLITE_MODEL_RUN, tflite_model_run, vaccel_tflite_model_run, EFFECT,
	  "run a TensorFlow Lite model")

/**
 * vaccel_tflite_model_load() - bring a TensorFlow Lite model to where it runs
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess: a .tflite file
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if it is no such model; VACCEL_EPERM if it is not
 * registered; or an error of vaccel_call().
 */
int vaccel_tflite_model_load(struct vaccel_session *sess, struct vaccel_resource *model);

/** vaccel_tflite_model_unload() - take it away again; as vaccel_tflite_model_load() */
int vaccel_tflite_model_unload(struct vaccel_session *sess, struct vaccel_resource *model);

/**
 * vaccel_tflite_model_run() - run a TensorFlow Lite model
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess
 * @in: @nr_in tensors, in the order of the model's inputs
 * @nr_in: how many
 * @out: room for @nr_out pointers; set to new tensors, in the order of the model's
 *	outputs, each to be freed with vaccel_tflite_tensor_delete()
 * @nr_out: how many, at least 1
 * @status: NULL, or written on every return: TensorFlow Lite's TfLiteStatus, 0 if all went well,
 *	and 1, an error, if it was not even asked
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_EPERM if @model is not registered;
 * VACCEL_EBACKEND if TensorFlow Lite failed; or an error of vaccel_call().
 */
int vaccel_tflite_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			    struct vaccel_tflite_tensor *const *in, int nr_in,
			    struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status);

#ifdef VACCEL_OP_BODIES
/* kTfLiteError, for what went wrong before TensorFlow Lite was asked */
#define TFLITE_STATUS_ERROR 1

/* Tells a call's outcome. */
static int tflite_tell(uint8_t *status, int ret, uint8_t code)
{
	if (status)
		*status = ret && !code ? TFLITE_STATUS_ERROR : code;
	return ret;
}

int vaccel_tflite_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	struct vaccel_tflite_model_load_args args = {.model = model};

	return vaccel_call(sess, &vaccel_op_tflite_model_load, &args);
}

int vaccel_tflite_model_unload(struct vaccel_session *sess, struct vaccel_resource *model)
{
	struct vaccel_tflite_model_unload_args args = {.model = model};

	return vaccel_call(sess, &vaccel_op_tflite_model_unload, &args);
}

int vaccel_tflite_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			    struct vaccel_tflite_tensor *const *in, int nr_in,
			    struct vaccel_tflite_tensor **out, int nr_out, uint8_t *status)
{
	size_t inputs = tensor_count(nr_in), outputs = tensor_count(nr_out);
	uint8_t code = 0;
	struct vaccel_tflite_model_run_args args = {.model = model, .status = &code};
	_cleanup_(freep) struct vaccel_tensor *in_array = NULL;
	_cleanup_(freep) struct vaccel_tensor *out_array = NULL;
	int ret = import_vaccel_tflite_tensor(in, inputs, &in_array);

	if (!ret)
		ret = tensor_outputs_new("tflite_model_run", out, outputs, &out_array);
	if (ret)
		return tflite_tell(status, ret, code);
	args.in.data = in_array;
	args.in.count = inputs;
	args.out.data = out_array;
	args.out.count = outputs;
	ret = vaccel_call(sess, &vaccel_op_tflite_model_run, &args);
	if (!ret)
		ret = export_vaccel_tflite_tensor(out_array, outputs, out);
	return tflite_tell(status, ret, code);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
