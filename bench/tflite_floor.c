// SPDX-License-Identifier: Apache-2.0
/*
 * See model_floor.h: one interpreter, into which inputs are copied and out of which
 * outputs are.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/model_floor.h"
#include "tflite/api.h"

EMBED_SMALLEST(SMALLEST);

struct model {
	TfLiteModel *model;
	TfLiteInterpreter *interpreter;
	TfLiteDelegate *xnnpack;
	struct vaccel_tflite_tensor in[ENDS_MAX];
	int32_t dims[ENDS_MAX][VACCEL_TENSOR_DIMS_MAX];
	int32_t nr_in, nr_out;
};

static void close_model(void *opaque)
{
	struct model *model = opaque;

	for (int32_t i = 0; i < model->nr_in; i++)
		free(model->in[i].data);
	if (model->interpreter)
		TfLiteInterpreterDelete(model->interpreter);
	if (model->xnnpack)
		TfLiteXNNPackDelegateDelete(model->xnnpack);
	if (model->model)
		TfLiteModelDelete(model->model);
	free(model);
}

static int make_inputs(struct model *model)
{
	for (; model->nr_in < TfLiteInterpreterGetInputTensorCount(model->interpreter);
	     model->nr_in++) {
		const TfLiteTensor *tensor =
			TfLiteInterpreterGetInputTensor(model->interpreter, model->nr_in);
		size_t size = TfLiteTensorByteSize(tensor);
		void *data = calloc(1, size ? size : 1);

		if (!data)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for an input");
		model->in[model->nr_in] = (struct vaccel_tflite_tensor){
			.data = data,
			.size = size,
			.nr_dims = TfLiteTensorNumDims(tensor),
			.dims = model->dims[model->nr_in],
			.data_type = (enum vaccel_tflite_data_type)TfLiteTensorType(tensor),
		};
		for (int32_t i = 0; i < TfLiteTensorNumDims(tensor); i++)
			model->dims[model->nr_in][i] = TfLiteTensorDim(tensor, i);
	}
	return VACCEL_OK;
}

static int prepare(struct model *model, const void *data, size_t size)
{
	TfLiteXNNPackDelegateOptions options = TfLiteXNNPackDelegateOptionsDefault();

	model->model = TfLiteModelCreateWithErrorReporter(data, size, NULL, NULL);
	if (model->model)
		model->interpreter = TfLiteInterpreterCreate(model->model, NULL);
	if (!model->interpreter)
		return vaccel_fail(VACCEL_EBACKEND, "TensorFlow Lite cannot load the model");
	options.num_threads = 1;
	options.flags |= XNNPACK_SIGNED_BYTES | XNNPACK_UNSIGNED_BYTES;
	model->xnnpack = TfLiteXNNPackDelegateCreate(&options);
	/* Whether it takes the model is seen below. */
	TfLiteInterpreterModifyGraphWithDelegate(model->interpreter, model->xnnpack);
	if (TfLiteInterpreterAllocateTensors(model->interpreter))
		return vaccel_fail(VACCEL_EBACKEND, "TensorFlow Lite cannot prepare the model");
	model->nr_out = TfLiteInterpreterGetOutputTensorCount(model->interpreter);
	if (TfLiteInterpreterGetInputTensorCount(model->interpreter) > ENDS_MAX ||
	    model->nr_out > ENDS_MAX || !model->nr_out)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "a model to be measured has at most %d inputs and outputs",
				   ENDS_MAX);
	return make_inputs(model);
}

static int open_model(const void *data, size_t size, void **ret_model)
{
	struct model *model = calloc(1, sizeof(*model));
	int ret;

	if (!model)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	ret = prepare(model, data, size);
	if (ret)
		close_model(model);
	else
		*ret_model = model;
	return ret;
}

static int run(void *opaque, unsigned char *ret_first)
{
	struct model *model = opaque;

	for (int32_t i = 0; i < model->nr_in; i++)
		memcpy(TfLiteTensorData(TfLiteInterpreterGetInputTensor(model->interpreter, i)),
		       model->in[i].data, model->in[i].size);
	if (TfLiteInterpreterInvoke(model->interpreter))
		return vaccel_fail(VACCEL_EBACKEND, "TensorFlow Lite cannot run the model");
	for (int32_t i = 0; i < model->nr_out; i++) {
		const TfLiteTensor *tensor =
			TfLiteInterpreterGetOutputTensor(model->interpreter, i);
		size_t size = TfLiteTensorByteSize(tensor);
		unsigned char *data = calloc(1, size ? size : 1);

		if (!data)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for an output");
		memcpy(data, TfLiteTensorData(tensor), size);
		if (!i)
			*ret_first = *data;
		free(data);
	}
	return VACCEL_OK;
}

static int call(void *opaque, struct vaccel_session *sess, struct vaccel_resource *resource,
		unsigned char *ret_first)
{
	struct model *model = opaque;
	struct vaccel_tflite_tensor *in[ENDS_MAX], *out[ENDS_MAX];
	int ret;

	for (int32_t i = 0; i < model->nr_in; i++)
		in[i] = &model->in[i];
	ret = vaccel_tflite_model_run(sess, resource, in, model->nr_in, out, model->nr_out, NULL);
	if (ret)
		return ret;
	*ret_first = *(unsigned char *)out[0]->data;
	for (int32_t i = 0; i < model->nr_out; i++)
		vaccel_tflite_tensor_delete(out[i]);
	return VACCEL_OK;
}

__attribute__((visibility("default"))) extern const struct model_floor model_floor;
const struct model_floor model_floor = {
	.smallest = smallest_model,
	.smallest_end = smallest_model_end,
	.open = open_model,
	.run = run,
	.call = call,
	.close = close_model,
};
