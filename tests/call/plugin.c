// SPDX-License-Identifier: Apache-2.0
/* A plugin that does as the test says, and uses everything that a call offers to plugins. */
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel.h>

#include "answers.h"

__attribute__((visibility("default"))) extern struct answers answers;
struct answers answers;

static int end(void)
{
	__atomic_fetch_add(&answers.calls, 1, __ATOMIC_RELAXED);
	if (answers.code && answers.say)
		return vaccel_fail(answers.code, "as the test said");
	return answers.code;
}

static int noop(struct vaccel_call *call, struct vaccel_noop_args *args)
{
	return end();
}

static int minmax(struct vaccel_call *call, struct vaccel_minmax_args *args)
{
	return end();
}

static int classify_top(struct vaccel_call *call, struct vaccel_image_classify_top_args *args)
{
	struct vaccel_class *top;

	/* The first block is too small; asking anew gives it back. */
	if (!vaccel_call_out(call, &args->top, 1))
		return VACCEL_ENOMEM;
	top = vaccel_call_out(call, &args->top, 2 * sizeof(*top) + 8);
	if (!top)
		return VACCEL_ENOMEM;
	for (int i = 0; i < 2; i++) {
		top[i].index = (uint32_t)i;
		top[i].label = (char *)(top + 2) + 4 * i;
		memcpy(top[i].label, i ? "two" : "one", 4);
	}
	args->top.count = 2;
	return end();
}

/* A map without pixels, of no size. */
static int depth(struct vaccel_call *call, struct vaccel_image_depth_map_args *args)
{
	return end();
}

/* Asks for memory for an argument that does not grow. */
static int exec(struct vaccel_call *call, struct vaccel_exec_args *args)
{
	return vaccel_call_out(call, &args->symbol, 8) ? VACCEL_OK : VACCEL_EINVAL;
}

static int onnx_run(struct vaccel_call *call, struct vaccel_onnx_model_run_args *args)
{
	const int64_t dims[] = {2, 3};
	int ret;

	for (size_t i = 0; i < args->out.count; i++) {
		ret = vaccel_call_out_tensor(call, &args->out.data[i], VACCEL_TENSOR_FLOAT,
					     i ? 2 : 0, dims, i ? 24 : 4);
		if (ret)
			return ret;
	}
	return end();
}

static int tf_load(struct vaccel_call *call, struct vaccel_tf_model_load_args *args)
{
	char *message = vaccel_call_out(call, &args->message, 16);

	if (!message)
		return VACCEL_ENOMEM;
	strcpy(message, "said by TF");
	*args->status = answers.code ? 3 : 0;
	return end();
}

/* Everything about slots and resources of the session. */
static int onnx_load(struct vaccel_call *call, struct vaccel_onnx_model_load_args *args)
{
	struct vaccel_resource *model;
	void *slot = NULL, *again = NULL;
	int ret = vaccel_call_session_slot(call, &slot);

	if (!ret)
		ret = vaccel_call_session_slot(call, &again);
	if (!ret && slot != again)
		ret = vaccel_fail(VACCEL_EBACKEND, "two slots for one session");
	if (!ret)
		ret = vaccel_call_resource_slot(call, args->model, &slot);
	if (!ret)
		ret = vaccel_call_resource_slot(call, args->model, &again);
	if (!ret && (slot != again || slot != args->model))
		ret = vaccel_fail(VACCEL_EBACKEND, "two slots for one resource");
	model = vaccel_call_resource(call, VACCEL_RESOURCE_MODEL);
	answers.model_seen = model;
	vaccel_resource_unref(model);
	return ret ? ret : end();
}

/* As another thread of the program may, just then. */
static void fork_if_told(void)
{
	pid_t child = answers.forks > 0 ? fork() : -1;

	if (!child)
		_exit(0);
	if (child > 0 && waitpid(child, NULL, 0) == child)
		answers.forks--;
}

static int session_open(struct vaccel_session *sess, void **ret_slot)
{
	/* Gives other threads the time to come to the same point. */
	for (int i = 0; i < answers.yields; i++)
		sched_yield();
	if (answers.slot_code)
		return vaccel_fail(answers.slot_code, "no slot, as the test said");
	__atomic_fetch_add(&answers.sessions_open, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&answers.opened, 1, __ATOMIC_RELAXED);
	*ret_slot = sess;
	return VACCEL_OK;
}

static void session_close(struct vaccel_session *sess, void *slot)
{
	fork_if_told();
	__atomic_fetch_sub(&answers.sessions_open, 1, __ATOMIC_RELAXED);
}

static int resource_open(struct vaccel_resource *resource, void **ret_slot)
{
	__atomic_fetch_add(&answers.resources_open, 1, __ATOMIC_RELAXED);
	*ret_slot = resource;
	return VACCEL_OK;
}

static void resource_close(struct vaccel_resource *resource, void *slot)
{
	fork_if_told();
	__atomic_fetch_sub(&answers.resources_open, 1, __ATOMIC_RELAXED);
}

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(NOOP, noop, noop),
	VACCEL_PLUGIN_OP(EXEC, exec, exec),
	VACCEL_PLUGIN_OP(MINMAX, minmax, minmax),
	VACCEL_PLUGIN_OP(IMAGE_CLASSIFY_TOP, image_classify_top, classify_top),
	VACCEL_PLUGIN_OP(IMAGE_DEPTH_MAP, image_depth_map, depth),
	VACCEL_PLUGIN_OP(ONNX_MODEL_LOAD, onnx_model_load, onnx_load),
	VACCEL_PLUGIN_OP(ONNX_MODEL_RUN, onnx_model_run, onnx_run),
	VACCEL_PLUGIN_OP(TF_MODEL_LOAD, tf_model_load, tf_load),
};

static const struct vaccel_plugin_info info = {
	.name = "answers",
	.version = "1",
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU,
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]),
	      .session_open = session_open, .session_close = session_close,
	      .resource_open = resource_open, .resource_close = resource_close);
