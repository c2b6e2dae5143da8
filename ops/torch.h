/* SPDX-License-Identifier: Apache-2.0 */
/* PyTorch: its tensors and buffers. */
#ifndef VACCEL_OPS_TORCH_H
#define VACCEL_OPS_TORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Our numbers for torch's kByte, kChar and so on. */
enum vaccel_torch_data_type {
	VACCEL_TORCH_BYTE = 1,
	VACCEL_TORCH_CHAR = 2,
	VACCEL_TORCH_SHORT = 3,
	VACCEL_TORCH_INT = 4,
	VACCEL_TORCH_LONG = 5,
	VACCEL_TORCH_HALF = 6,
	VACCEL_TORCH_FLOAT = 7,
	VACCEL_TORCH_DOUBLE = 8,
	VACCEL_TORCH_BOOL = 9,
	VACCEL_TORCH_BFLOAT16 = 10
};

/** struct vaccel_torch_tensor - a tensor of PyTorch */
struct vaccel_torch_tensor {
	void *data;
	/** Bytes at data. */
	size_t size;
	/** Whether vaccel_torch_tensor_release() frees data, which is malloc'd then. */
	bool owned;
	int64_t nr_dims;
	int64_t *dims;
	enum vaccel_torch_data_type data_type;
};

VACCEL_TENSOR_FUNCTIONS(vaccel_torch_tensor, int64_t, int64_t, enum vaccel_torch_data_type)

/** struct vaccel_torch_buffer - bytes, such as run options */
struct vaccel_torch_buffer {
	/** malloc'd, and the buffer's own. */
	char *data;
	size_t size;
};

VACCEL_BUFFER_FUNCTIONS(vaccel_torch_buffer, char)

#define VACCEL_TORCH_MODEL_LOAD_ARGS(ARG, op) \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "a TorchScript file")
VACCEL_OP(14, TORCH_MODEL_LOAD, torch_model_load, vaccel_torch_model_load, LOAD,
	  "bring a TorchScript model to where it runs")

#define VACCEL_TORCH_MODEL_RUN_ARGS(ARG, op)                                                  \
	ARG(op, IN, RESOURCE, MODEL, model, NONE, "the model")                                \
	ARG(op, IN, SPAN, char, run_options, OPTIONAL, "for the plugin")                      \
	ARG(op, IN, TENSORS, tensor, in, OPTIONAL, "the inputs, with VACCEL_TORCH_* numbers") \
	ARG(op, OUT, TENSORS, tensor, out, GROWS, "the outputs")
VACCEL_OP(15, TORCH_MODEL_RUN, torch_model_run, vaccel_torch_model_run, EFFECT,
	  "run a TorchScript model")

#define VACCEL_TORCH_SGEMM_ARGS(ARG, op)                          \
	ARG(op, IN, TENSORS, tensor, in, NONE, "a, b and c")      \
	ARG(op, IN, ONE, i32, m, NONE, "rows of a and c")         \
	ARG(op, IN, ONE, i32, n, NONE, "columns of b and c")      \
	ARG(op, IN, ONE, i32, k, NONE, "columns of a, rows of b") \
	ARG(op, OUT, TENSORS, tensor, out, GROWS, "a b + c")
VACCEL_OP_CHECKED(16, TORCH_SGEMM, torch_sgemm, vaccel_torch_sgemm, PURE,
		  "multiply matrices with PyTorch: a b + c")

/**
 * vaccel_torch_model_load() - bring a TorchScript model to where it runs
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess: a TorchScript file
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if it is no such model; VACCEL_EPERM if it is not
 * registered; or an error of vaccel_call().
 */
int vaccel_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model);

/**
 * vaccel_torch_model_run() - run a TorchScript model
 * @sess: the session
 * @model: a resource of type MODEL, registered with @sess
 * @run_options: for the plugin, or NULL
 * @in: @nr_in tensors, in the order of the arguments of forward()
 * @nr_in: how many
 * @out: room for @nr_out pointers; set to new tensors, each to be freed with
 *	vaccel_torch_tensor_delete()
 * @nr_out: how many, at least 1
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_EPERM if @model is not registered;
 * VACCEL_EBACKEND if PyTorch failed; or an error of vaccel_call().
 */
int vaccel_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			   const struct vaccel_torch_buffer *run_options,
			   struct vaccel_torch_tensor *const *in, int nr_in,
			   struct vaccel_torch_tensor **out, int nr_out);

/** vaccel_torch_jitload_forward() - the older name of vaccel_torch_model_run() */
int vaccel_torch_jitload_forward(struct vaccel_session *sess, struct vaccel_resource *model,
				 const struct vaccel_torch_buffer *run_options,
				 struct vaccel_torch_tensor *const *in, int nr_in,
				 struct vaccel_torch_tensor **out, int nr_out);

/**
 * vaccel_torch_sgemm() - multiply matrices with PyTorch: a·b + c
 * @sess: the session
 * @a, @b, @c: the addresses of one tensor each, of float: @M×@K, @K×@N and @M×@N
 * @M, @N, @K: the sizes, at least 1
 * @out: set to a new tensor, to be freed with vaccel_torch_tensor_delete()
 *
 * Return: VACCEL_OK, VACCEL_EINVAL or an error of vaccel_call().
 */
int vaccel_torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **a,
		       struct vaccel_torch_tensor **b, struct vaccel_torch_tensor **c, int M, int N,
		       int K, struct vaccel_torch_tensor **out);

#ifdef VACCEL_OP_BODIES
int vaccel_torch_model_load(struct vaccel_session *sess, struct vaccel_resource *model)
{
	struct vaccel_torch_model_load_args args = {.model = model};

	return vaccel_call(sess, &vaccel_op_torch_model_load, &args);
}

int vaccel_torch_model_run(struct vaccel_session *sess, struct vaccel_resource *model,
			   const struct vaccel_torch_buffer *run_options,
			   struct vaccel_torch_tensor *const *in, int nr_in,
			   struct vaccel_torch_tensor **out, int nr_out)
{
	size_t inputs = tensor_count(nr_in), outputs = tensor_count(nr_out);
	struct vaccel_torch_model_run_args args = {.model = model};
	_cleanup_(freep) struct vaccel_tensor *in_array = NULL;
	_cleanup_(freep) struct vaccel_tensor *out_array = NULL;
	int ret = import_vaccel_torch_tensor(in, inputs, &in_array);

	if (!ret)
		ret = tensor_outputs_new("torch_model_run", out, outputs, &out_array);
	if (ret)
		return ret;
	args.in.data = in_array;
	args.in.count = inputs;
	args.out.data = out_array;
	args.out.count = outputs;
	if (run_options) {
		args.run_options.data = run_options->data;
		args.run_options.count = run_options->size;
	}
	ret = vaccel_call(sess, &vaccel_op_torch_model_run, &args);
	return ret ? ret : export_vaccel_torch_tensor(out_array, outputs, out);
}

int vaccel_torch_jitload_forward(struct vaccel_session *sess, struct vaccel_resource *model,
				 const struct vaccel_torch_buffer *run_options,
				 struct vaccel_torch_tensor *const *in, int nr_in,
				 struct vaccel_torch_tensor **out, int nr_out)
{
	return vaccel_torch_model_run(sess, model, run_options, in, nr_in, out, nr_out);
}

static int check_float_matrix(const char *name, const struct vaccel_tensor *matrix, int32_t rows,
			      int32_t columns)
{
	uint64_t bytes = (uint64_t)rows * (uint64_t)columns * sizeof(float);

	if (matrix->data_type == VACCEL_TORCH_FLOAT && matrix->size == bytes)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL,
			   "torch_sgemm: %s has type %d and %zu bytes; give %d x %d floats", name,
			   (int)matrix->data_type, matrix->size, rows, columns);
}

static int torch_sgemm_check(const struct vaccel_torch_sgemm_args *args)
{
	int ret;

	if (args->in.count != 3 || args->out.count != 1)
		return vaccel_fail(VACCEL_EINVAL,
				   "torch_sgemm: %zu matrices in, %zu out; give 3 and take 1",
				   args->in.count, args->out.count);
	if (args->m < 1 || args->n < 1 || args->k < 1)
		return vaccel_fail(VACCEL_EINVAL, "torch_sgemm: m %d, n %d, k %d: give at least 1",
				   args->m, args->n, args->k);
	ret = check_float_matrix("a", &args->in.data[0], args->m, args->k);
	if (!ret)
		ret = check_float_matrix("b", &args->in.data[1], args->k, args->n);
	if (!ret)
		ret = check_float_matrix("c", &args->in.data[2], args->m, args->n);
	return ret;
}

int vaccel_torch_sgemm(struct vaccel_session *sess, struct vaccel_torch_tensor **a,
		       struct vaccel_torch_tensor **b, struct vaccel_torch_tensor **c, int M, int N,
		       int K, struct vaccel_torch_tensor **out)
{
	struct vaccel_torch_tensor *const in[] = {a ? *a : NULL, b ? *b : NULL, c ? *c : NULL};
	_cleanup_(freep) struct vaccel_tensor *in_array = NULL;
	struct vaccel_tensor product = {0};
	struct vaccel_torch_sgemm_args args = {.m = M, .n = N, .k = K, .out = {&product, 1}};
	int ret;

	if (!out)
		return vaccel_fail(VACCEL_EINVAL, "torch_sgemm: no place for the product");
	ret = import_vaccel_torch_tensor(in, ARRAY_SIZE(in), &in_array);
	if (ret)
		return ret;
	args.in.data = in_array;
	args.in.count = ARRAY_SIZE(in);
	ret = vaccel_call(sess, &vaccel_op_torch_sgemm, &args);
	return ret ? ret : export_vaccel_torch_tensor(&product, 1, out);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
