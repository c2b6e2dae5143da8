// SPDX-License-Identifier: Apache-2.0
/*
 * See model_floor.h: one session of a frozen graph. Its placeholders are its inputs, and
 * nodes whose results no other node takes its outputs. As in any program the inputs are
 * copied into TensorFlow's memory for each run, and the outputs out of it.
 */
#include <stdlib.h>
#include <string.h>

#include <tensorflow/c/c_api.h>

#include "bench/model_floor.h"

EMBED_SMALLEST(SMALLEST);

struct model {
	TF_Status *status;
	TF_Graph *graph;
	TF_Session *session;
	TF_Output in[ENDS_MAX], out[ENDS_MAX];
	struct vaccel_tf_node in_nodes[ENDS_MAX], out_nodes[ENDS_MAX];
	struct vaccel_tf_tensor given[ENDS_MAX];
	int64_t dims[ENDS_MAX][VACCEL_TENSOR_DIMS_MAX];
	int nr_in, nr_out;
};

static int check(const struct model *model)
{
	if (TF_GetCode(model->status) == TF_OK)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EBACKEND, "TensorFlow: %s", TF_Message(model->status));
}

static void close_model(void *opaque)
{
	struct model *model = opaque;

	for (int i = 0; i < model->nr_in; i++)
		free(model->given[i].data);
	if (model->session)
		TF_DeleteSession(model->session, model->status);
	TF_DeleteGraph(model->graph);
	TF_DeleteStatus(model->status);
	free(model);
}

/* Zeros, one where the graph leaves a size open. */
static int add_input(struct model *model, TF_Operation *operation)
{
	int i = model->nr_in;
	const TF_Output node = {operation, 0};
	TF_DataType type = TF_OperationOutputType(node);
	int nr_dims = TF_GraphGetTensorNumDims(model->graph, node, model->status);
	size_t size = TF_DataTypeSize(type);

	if (i == ENDS_MAX || nr_dims < 0 || nr_dims > VACCEL_TENSOR_DIMS_MAX)
		return vaccel_fail(VACCEL_ENOTSUP, "a model to be measured has fewer inputs, and "
						   "says how many dimensions they have");
	TF_GraphGetTensorShape(model->graph, node, model->dims[i], nr_dims, model->status);
	for (int d = 0; d < nr_dims; d++) {
		if (model->dims[i][d] < 0)
			model->dims[i][d] = 1;
		size *= (size_t)model->dims[i][d];
	}
	model->in[i] = node;
	model->in_nodes[i].name = (char *)TF_OperationName(operation);
	model->given[i] = (struct vaccel_tf_tensor){
		.data = calloc(1, size ? size : 1),
		.size = size,
		.nr_dims = nr_dims,
		.dims = model->dims[i],
		.data_type = (enum vaccel_tf_data_type)type,
	};
	if (!model->given[i].data)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an input");
	model->nr_in++;
	return check(model);
}

static bool is_output(TF_Operation *operation)
{
	return TF_OperationNumOutputs(operation) == 1 &&
	       !TF_OperationOutputNumConsumers((TF_Output){operation, 0});
}

static int find_ends(struct model *model)
{
	TF_Operation *operation;
	size_t at = 0;
	int ret = VACCEL_OK;

	while (!ret && (operation = TF_GraphNextOperation(model->graph, &at))) {
		if (!strcmp(TF_OperationOpType(operation), "Placeholder")) {
			ret = add_input(model, operation);
		} else if (is_output(operation) && model->nr_out < ENDS_MAX) {
			model->out[model->nr_out].oper = operation;
			model->out_nodes[model->nr_out++].name =
				(char *)TF_OperationName(operation);
		}
	}
	if (!ret && !model->nr_out)
		ret = vaccel_fail(VACCEL_ENOTSUP, "the graph has no outputs");
	return ret;
}

static int open_session(struct model *model, const void *data, size_t size)
{
	/* A ConfigProto with one thread for an operation, and one for several. */
	static const unsigned char one_thread[] = {2 << 3, 1, 5 << 3, 1};
	TF_ImportGraphDefOptions *import = TF_NewImportGraphDefOptions();
	TF_SessionOptions *options = TF_NewSessionOptions();
	const TF_Buffer buffer = {.data = data, .length = size};
	int ret;

	TF_GraphImportGraphDef(model->graph, &buffer, import, model->status);
	ret = check(model);
	if (!ret)
		TF_SetConfig(options, one_thread, sizeof(one_thread), model->status);
	if (!ret)
		model->session = TF_NewSession(model->graph, options, model->status);
	if (!ret)
		ret = check(model);
	TF_DeleteImportGraphDefOptions(import);
	TF_DeleteSessionOptions(options);
	return ret;
}

static int open_model(const void *data, size_t size, void **ret_model)
{
	struct model *model = calloc(1, sizeof(*model));
	int ret;

	if (!model)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	model->status = TF_NewStatus();
	model->graph = TF_NewGraph();
	ret = open_session(model, data, size);
	if (!ret)
		ret = find_ends(model);
	if (ret)
		close_model(model);
	else
		*ret_model = model;
	return ret;
}

static int run(void *opaque, unsigned char *ret_first)
{
	struct model *model = opaque;
	TF_Tensor *in[ENDS_MAX], *out[ENDS_MAX] = {NULL};
	int ret;

	for (int i = 0; i < model->nr_in; i++) {
		const struct vaccel_tf_tensor *given = &model->given[i];

		in[i] = TF_AllocateTensor((TF_DataType)given->data_type, given->dims,
					  given->nr_dims, given->size);
		memcpy(TF_TensorData(in[i]), given->data, given->size);
	}
	TF_SessionRun(model->session, NULL, model->in, in, model->nr_in, model->out, out,
		      model->nr_out, NULL, 0, NULL, model->status);
	ret = check(model);
	for (int i = 0; i < model->nr_in; i++)
		TF_DeleteTensor(in[i]);
	for (int i = 0; !ret && i < model->nr_out; i++) {
		size_t size = TF_TensorByteSize(out[i]);
		unsigned char *data = calloc(1, size ? size : 1);

		if (data)
			memcpy(data, TF_TensorData(out[i]), size);
		if (data && !i)
			*ret_first = *data;
		free(data);
		TF_DeleteTensor(out[i]);
	}
	return ret;
}

static int call(void *opaque, struct vaccel_session *sess, struct vaccel_resource *resource,
		unsigned char *ret_first)
{
	struct model *model = opaque;
	struct vaccel_tf_tensor *in[ENDS_MAX], *out[ENDS_MAX];
	int ret;

	for (int i = 0; i < model->nr_in; i++)
		in[i] = &model->given[i];
	ret = vaccel_tf_model_run(sess, resource, NULL, model->in_nodes, in, model->nr_in,
				  model->out_nodes, out, model->nr_out, NULL);
	if (ret)
		return ret;
	*ret_first = *(unsigned char *)out[0]->data;
	for (int i = 0; i < model->nr_out; i++)
		vaccel_tf_tensor_delete(out[i]);
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
