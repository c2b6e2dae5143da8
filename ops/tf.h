/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow: its tensors, buffers, nodes and status. */
#ifndef VACCEL_OPS_TF_H
#define VACCEL_OPS_TF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers of TF_DataType in TensorFlow's C API. */
enum vaccel_tf_data_type {
	VACCEL_TF_FLOAT = 1,
	VACCEL_TF_DOUBLE = 2,
	VACCEL_TF_INT32 = 3,
	VACCEL_TF_UINT8 = 4,
	VACCEL_TF_INT16 = 5,
	VACCEL_TF_INT8 = 6,
	VACCEL_TF_STRING = 7,
	VACCEL_TF_COMPLEX64 = 8,
	VACCEL_TF_COMPLEX = 8, /* an older name of COMPLEX64 */
	VACCEL_TF_INT64 = 9,
	VACCEL_TF_BOOL = 10,
	VACCEL_TF_QINT8 = 11,
	VACCEL_TF_QUINT8 = 12,
	VACCEL_TF_QINT32 = 13,
	VACCEL_TF_BFLOAT16 = 14,
	VACCEL_TF_QINT16 = 15,
	VACCEL_TF_QUINT16 = 16,
	VACCEL_TF_UINT16 = 17,
	VACCEL_TF_COMPLEX128 = 18,
	VACCEL_TF_HALF = 19,
	VACCEL_TF_RESOURCE = 20,
	VACCEL_TF_VARIANT = 21,
	VACCEL_TF_UINT32 = 22,
	VACCEL_TF_UINT64 = 23
};

/** struct vaccel_tf_tensor - a tensor of TensorFlow */
struct vaccel_tf_tensor {
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_tf_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	int nr_dims;
	int64_t *dims;
	enum vaccel_tf_data_type data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_tf_tensor, int, int64_t, enum vaccel_tf_data_type)

/** struct vaccel_tf_buffer - bytes, such as serialized run options */
struct vaccel_tf_buffer {
	/** malloc'd, and the buffer's own. */
	void *data;
	size_t size;
};

VACCEL_BUFFER_FUNCTIONS(vaccel_tf_buffer, void)

/** struct vaccel_tf_node - an operation of a graph, and one of its outputs */
#define VACCEL_FIELDS_tf_node(FIELD, item)                     \
	FIELD(item, TEXT, char, name, "name of the operation") \
	FIELD(item, ONE, i32, id, "which of its outputs")
VACCEL_ITEM(tf_node)

/**
 * vaccel_tf_node_init() - make a node
 * @node: memory to initialise
 * @name: copied
 * @id: number of the operation's output
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL; VACCEL_ENOMEM.
 */
int vaccel_tf_node_init(struct vaccel_tf_node *node, const char *name, int id);

/** vaccel_tf_node_new() - vaccel_tf_node_init() of a node it allocates */
int vaccel_tf_node_new(struct vaccel_tf_node **node, const char *name, int id);

/** vaccel_tf_node_release() - free the name; leaves NULL and -1. VACCEL_EINVAL for NULL */
int vaccel_tf_node_release(struct vaccel_tf_node *node);

/** vaccel_tf_node_delete() - release, and free what new made. VACCEL_EINVAL for NULL */
int vaccel_tf_node_delete(struct vaccel_tf_node *node);

/** struct vaccel_tf_status - what TensorFlow said of a call */
struct vaccel_tf_status {
	/** A TF_Code, 0 if all went well. */
	uint8_t code;
	char *message;
};

/**
 * vaccel_tf_status_init() - make a status
 * @status: memory to initialise
 * @code: a TF_Code
 * @message: copied
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL; VACCEL_ENOMEM.
 */
int vaccel_tf_status_init(struct vaccel_tf_status *status, uint8_t code, const char *message);

/** vaccel_tf_status_new() - vaccel_tf_status_init() of a status it allocates */
int vaccel_tf_status_new(struct vaccel_tf_status **status, uint8_t code, const char *message);

/** vaccel_tf_status_release() - free the message; leaves 0 and NULL. VACCEL_EINVAL for NULL */
int vaccel_tf_status_release(struct vaccel_tf_status *status);

/** vaccel_tf_status_delete() - release, and free what new made. VACCEL_EINVAL for NULL */
int vaccel_tf_status_delete(struct vaccel_tf_status *status);

#define VACCEL_TF_MODEL_LOAD_ARGS(ARG, op)                                                    \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "a SavedModel directory or a frozen graph") \
	ARG(op, OUT, ONE, u8, status, NONE, "a TF_Code")                                      \
	ARG(op, OUT, TEXT, char, message, GROWS, "what TensorFlow said")
VACCEL_OP(8, TF_MODEL_LOAD, tf_model_load, vaccel_tf_model_load, LOAD,
	  "bring a TensorFlow model to where it runs")

#define VACCEL_TF_MODEL_UNLOAD_ARGS(ARG, op)                   \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model") \
	ARG(op, OUT, ONE, u8, status, NONE, "a TF_Code")       \
	ARG(op, OUT, TEXT, char, message, GROWS, "what TensorFlow said")
VACCEL_OP(9, TF_MODEL_UNLOAD, tf_model_unload, vaccel_tf_model_unload, UNLOAD,
	  "take a TensorFlow model away from where it runs")

#define VACCEL_TF_MODEL_RUN_ARGS(ARG, op)                                                        \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model")                                   \
	ARG(op, IN, SPAN, u8, run_options, OPTIONAL_STABLE, "a serialized RunOptions")           \
	ARG(op, IN, LIST, tf_node, in_nodes, OPTIONAL, "where the inputs go")                    \
	ARG(op, IN, TENSORS, tensor, in, OPTIONAL, "the inputs, with TensorFlow's type numbers") \
	ARG(op, IN, LIST, tf_node, out_nodes, NONE, "where the outputs come from")               \
	ARG(op, OUT, TENSORS, tensor, out, GROWS, "the outputs")                                 \
	ARG(op, OUT, ONE, u8, status, NONE, "a TF_Code")                                         \
	ARG(op, OUT, TEXT, char, message, GROWS, "what TensorFlow said")
VACCEL_OP_CHECKED(10, TF_MODEL_RUN, tf_model_run, vaccel_tf_model_run, EFFECT,
		  "run a TensorFlow model")

/**
 * vaccel_tf_model_load() - bring a TensorFlow model to where it runs
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess: the directory of a
 *	SavedModel, or the file of a frozen graph
 * @status: NULL, or memory that is written on every return and not read or freed
 *	before: TensorFlow's code and message, or a code that is not 0 and the
 *	words of the error; release it with vaccel_tf_status_release()
 *
 * Return: VACCEL_OK; VACCEL_EPERM if @model is not registered; VACCEL_EBACKEND if
 * TensorFlow refused it; or an error of vaccel_call().
 */
int vaccel_tf_model_load(struct vaccel_session *sess, struct vaccel_resource *model,
			 struct vaccel_tf_status *status);

/** vaccel_tf_model_unload() - take it away again; as vaccel_tf_model_load() */
int vaccel_tf_model_unload(struct vaccel_session *sess, struct vaccel_resource *model,
			   struct vaccel_tf_status *status);

/**
 * vaccel_tf_model_run() - run a TensorFlow model
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess
 * @run_options: a serialized RunOptions, or NULL
 * @in_nodes: @nr_in nodes that take the inputs
 * @in: @nr_in tensors
 * @nr_in: how many, 0 or more
 * @out_nodes: @nr_out nodes that give the outputs
 * @out: room for @nr_out pointers; set to new tensors, each to be freed with
 *	vaccel_tf_tensor_delete()
 * @nr_out: how many, at least 1
 * @status: as for vaccel_tf_model_load()
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_EPERM if @model is not registered;
 * VACCEL_EBACKEND if TensorFlow failed; or an error of vaccel_call().
 */
int vaccel_tf_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_tf_buffer *run_options,
			const struct vaccel_tf_node *in_nodes, struct vaccel_tf_tensor *const *in,
			int nr_in, const struct vaccel_tf_node *out_nodes,
			struct vaccel_tf_tensor **out, int nr_out, struct vaccel_tf_status *status);

#ifdef VACCEL_OP_BODIES
/* TF_UNKNOWN, for what went wrong before TensorFlow was asked */
#define TF_CODE_UNKNOWN 2

/* Tells a call's outcome; takes @message, which is malloc'd. */
static int tf_tell(struct vaccel_tf_status *status, int ret, uint8_t code, char *message)
{
	if (status) {
		*status = (struct vaccel_tf_status){
			.code = ret && !code ? TF_CODE_UNKNOWN : code,
			.message = message ? message : strdup(ret ? vaccel_error_text() : ""),
		};
		if (!status->message)
			status->message = calloc(1, 1);
	} else {
		free(message);
	}
	return ret;
}

static int tf_model_run_check(const struct vaccel_tf_model_run_args *args)
{
	if (args->in_nodes.count != args->in.count || args->out_nodes.count != args->out.count)
		return vaccel_fail(
			VACCEL_EINVAL,
			"tf_model_run: %zu nodes for %zu inputs, %zu nodes for %zu outputs",
			args->in_nodes.count, args->in.count, args->out_nodes.count,
			args->out.count);
	return VACCEL_OK;
}

int vaccel_tf_model_load(struct vaccel_session *sess, struct vaccel_resource *model,
			 struct vaccel_tf_status *status)
{
	uint8_t code = 0;
	struct vaccel_tf_model_load_args args = {.model = model, .status = &code};
	int ret = vaccel_call(sess, &vaccel_op_tf_model_load, &args);

	return tf_tell(status, ret, code, args.message.data);
}

int vaccel_tf_model_unload(struct vaccel_session *sess, struct vaccel_resource *model,
			   struct vaccel_tf_status *status)
{
	uint8_t code = 0;
	struct vaccel_tf_model_unload_args args = {.model = model, .status = &code};
	int ret = vaccel_call(sess, &vaccel_op_tf_model_unload, &args);

	return tf_tell(status, ret, code, args.message.data);
}

int vaccel_tf_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			const struct vaccel_tf_buffer *run_options,
			const struct vaccel_tf_node *in_nodes, struct vaccel_tf_tensor *const *in,
			int nr_in, const struct vaccel_tf_node *out_nodes,
			struct vaccel_tf_tensor **out, int nr_out, struct vaccel_tf_status *status)
{
	size_t inputs = tensor_count(nr_in), outputs = tensor_count(nr_out);
	uint8_t code = 0;
	struct vaccel_tf_model_run_args args = {
		.model = model,
		.in_nodes = {in_nodes, inputs},
		.out_nodes = {out_nodes, outputs},
		.status = &code,
	};
	_cleanup_(freep) struct vaccel_tensor *in_array = NULL;
	_cleanup_(freep) struct vaccel_tensor *out_array = NULL;
	int ret = import_vaccel_tf_tensor(in, inputs, &in_array);

	if (!ret)
		ret = tensor_outputs_new("tf_model_run", out, outputs, &out_array);
	if (ret)
		return tf_tell(status, ret, code, NULL);
	args.in.data = in_array;
	args.in.count = inputs;
	args.out.data = out_array;
	args.out.count = outputs;
	if (run_options) {
		args.run_options.data = (const uint8_t *)run_options->data;
		args.run_options.count = run_options->size;
	}
	ret = vaccel_call(sess, &vaccel_op_tf_model_run, &args);
	if (!ret)
		ret = export_vaccel_tf_tensor(out_array, outputs, out);
	return tf_tell(status, ret, code, args.message.data);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
