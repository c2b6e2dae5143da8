// SPDX-License-Identifier: Apache-2.0
/*
 * The tf plugin: TensorFlow models, by TensorFlow's C API. This file is what vaccel sees
 * of it.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/environment.h"
#include "model/util.h"
#include "tf/module.h"

/* clang-format off */
static const struct vaccel_knob knobs[KNOB_COUNT] = {
	[KNOB_THREADS] = {"VACCEL_TF_THREADS", "0",
		"threads that work on one run of a TensorFlow model; 0: one for each core",
		VACCEL_KNOB_NUMBER, 0, 1024},
	[KNOB_TAGS] = {"VACCEL_TF_TAGS", "serve",
		"tags of the graph of a SavedModel that is loaded, ':' between them"},
	[KNOB_SIGNATURE] = {"VACCEL_TF_SIGNATURE", "serving_default",
		"signature of a SavedModel by which nodes can be named"},
};
/* clang-format on */

/* TensorFlow reads the command line where the path of the program has "python" in it, or aborts. */
static const char *const read_paths[] = {"/proc/cpuinfo", "/proc/self/cmdline",
					 "/sys/devices/system/cpu", "/sys/devices/system/node",
					 NULL};
static const char *const system_calls[] = {"sched_setaffinity", "sched_getparam",
					   "sched_getscheduler", NULL};
static const struct vaccel_plugin_needs needs = {
	.read_paths = read_paths,
	.system_calls = system_calls,
	/* Of oneDNN, which TensorFlow computes with. */
	.jit = true,
};

static const struct tf_module *module;

/* The module lies beside this plugin, wherever that is. It stays: TensorFlow cannot be unloaded. */
static int open_module(void)
{
	_cleanup_(freep) char *path = NULL;
	tf_module_open_fn *open = NULL;
	void *library = NULL;
	Dl_info info;

	if (!dladdr((void *)open_module, &info) ||
	    asprintf(&path, "%.*s/tensorflow.so",
		     (int)(strrchr(info.dli_fname, '/') - info.dli_fname), info.dli_fname) < 0) {
		path = NULL;
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	}
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library)
		open = (tf_module_open_fn *)dlsym(library, "tf_module_open");
	if (!open)
		return vaccel_fail(VACCEL_ELIBBAD, "TensorFlow cannot be loaded: %.700s",
				   dlerror());
	module = open(knobs);
	return VACCEL_OK;
}

/* Without this TensorFlow writes to stderr what it does, and what it returns as well. */
static int init(void)
{
	int ret = environment_default("TF_CPP_MIN_LOG_LEVEL", "3");

	return ret ? ret : open_module();
}

static int session_open(struct vaccel_session *session, void **ret_slot)
{
	return module->session_open(session, ret_slot);
}

static void session_close(struct vaccel_session *session, void *slot)
{
	module->session_close(session, slot);
}

static int resource_open(struct vaccel_resource *resource, void **ret_slot)
{
	return holder_new(module->kind, NULL, (struct holder **)ret_slot);
}

static void resource_close(struct vaccel_resource *resource, void *slot)
{
	holder_delete(slot);
}

static int load(struct vaccel_call *call, struct vaccel_tf_model_load_args *args)
{
	return module->load(call, args);
}

static int run(struct vaccel_call *call, struct vaccel_tf_model_run_args *args)
{
	return module->run(call, args);
}

static int unload(struct vaccel_call *call, struct vaccel_tf_model_unload_args *args)
{
	return module->unload(call, args);
}

static void report(vaccel_plugin_report_fn *say, void *context)
{
	char text[64];
	int64_t threads = vaccel_knob_number(&knobs[KNOB_THREADS]);

	snprintf(text, sizeof(text), "TensorFlow %s", module->version());
	say(context, "runtime", text);
	if (threads)
		snprintf(text, sizeof(text), "%" PRId64, threads);
	else
		snprintf(text, sizeof(text), "one for each core");
	say(context, "threads", text);
	snprintf(text, sizeof(text), "%zu loaded", module->count());
	say(context, "models", text);
	snprintf(text, sizeof(text), "%zu of sessions that change variables", module->count_own());
	say(context, "copies", text);
}

static const struct vaccel_plugin_info info = {
	.name = "tf",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_TENSORFLOW,
	.sentence = "runs TensorFlow models, by TensorFlow",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(TF_MODEL_LOAD, tf_model_load, load),
	VACCEL_PLUGIN_OP(TF_MODEL_RUN, tf_model_run, run),
	VACCEL_PLUGIN_OP(TF_MODEL_UNLOAD, tf_model_unload, unload),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = KNOB_COUNT, .needs = &needs, .init = init, .session_open = session_open,
	      .session_close = session_close, .resource_open = resource_open,
	      .resource_close = resource_close, .report = report);
