// SPDX-License-Identifier: Apache-2.0
/*
 * The tflite plugin: TensorFlow Lite models, and what a picture shows, by TensorFlow
 * Lite. This file is what vaccel sees of it.
 */
#include "tflite/tflite.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "model/holder.h"
#include "model/own.h"
#include "tflite/api.h"
#include "tflite/delegates.h"
#include "tflite/engine.h"
#include "tflite/state.h"
#include "vision/vision.h"

/* clang-format off */
const struct vaccel_knob knobs[] = {
	[KNOB_THREADS] = {"VACCEL_TFLITE_THREADS", "0",
		"threads that work on one run of a TensorFlow Lite model; 0: one for each core",
		VACCEL_KNOB_NUMBER, 0, 1024},
	[KNOB_DELEGATES] = {"VACCEL_TFLITE_DELEGATES", "xnnpack",
		"what runs parts of TensorFlow Lite models, ':' between them: xnnpack, or a library's path, with ,KEY=VALUE for each of its options"},
	VISION_KNOBS,
};
/* clang-format on */

static const struct vision_backend backend = {
	.format = FORMAT_TFLITE,
	.takes_unknown = true,
	.open = engine_open,
	.close = engine_close,
};

/* What a sandbox must allow, as the knobs have it: filled by init() and valid to fini(). */
enum { READ_PATHS_MAX = 40 };
static const char *read_paths[READ_PATHS_MAX + 1];
static const char *const system_calls[] = {"sched_setaffinity", NULL};
static struct vaccel_plugin_needs needs = {
	.read_paths = read_paths,
	.system_calls = system_calls,
};

int threads_wanted(void)
{
	int64_t threads = vaccel_knob_number(&knobs[KNOB_THREADS]);
	cpu_set_t cores;

	if (threads)
		return (int)threads;
	return sched_getaffinity(0, sizeof(cores), &cores) ? 1 : CPU_COUNT(&cores);
}

static void fill_needs(void)
{
	size_t nr = 0;

	memset(read_paths, 0, sizeof(read_paths));
	read_paths[nr++] = "/proc/cpuinfo";
	read_paths[nr++] = "/sys/devices/system/cpu";
	nr += delegates_paths(&read_paths[nr], DELEGATES_MAX);
	vision_read_paths(&read_paths[nr], READ_PATHS_MAX - nr);
}

static void fini(void)
{
	vision_fini();
	delegates_fini();
}

static int init(void)
{
	/* From "error" on, which it reports as well, to those that ask. */
	enum { SILENT = 3 };
	int ret = vision_init(&backend);

	if (ret)
		return ret;
	if (tflite_set_severity)
		tflite_set_severity(SILENT);
	fill_needs();
	return VACCEL_OK;
}

static int model_load(struct vaccel_call *call, struct vaccel_tflite_model_load_args *args)
{
	return holder_load(call, args->model);
}

static int model_unload(struct vaccel_call *call, struct vaccel_tflite_model_unload_args *args)
{
	return holder_unload(call, args->model);
}

static void report(vaccel_plugin_report_fn *say, void *context)
{
	char text[64];

	snprintf(text, sizeof(text), "TensorFlow Lite %s", TfLiteVersion());
	say(context, "runtime", text);
	say(context, "delegates", vaccel_knob_text(&knobs[KNOB_DELEGATES]));
	snprintf(text, sizeof(text), "%d", threads_wanted());
	say(context, "threads", text);
	snprintf(text, sizeof(text), "%zu loaded", engine_count());
	say(context, "models", text);
	vision_report(say, context);
}

static const struct vaccel_plugin_info info = {
	.name = "tflite",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_TENSORFLOW,
	.sentence = "runs TensorFlow Lite models, also on pictures, by TensorFlow Lite",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(TFLITE_MODEL_LOAD, tflite_model_load, model_load),
	VACCEL_PLUGIN_OP(TFLITE_MODEL_RUN, tflite_model_run, model_run),
	VACCEL_PLUGIN_OP(TFLITE_MODEL_UNLOAD, tflite_model_unload, model_unload),
	VISION_OPS,
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = sizeof(knobs) / sizeof(knobs[0]), .needs = &needs, .init = init,
	      .fini = fini, .supports = vision_supports, .session_open = own_slot_open,
	      .session_close = state_session_close, .resource_open = vision_resource_open,
	      .resource_close = vision_resource_close, .report = report);
