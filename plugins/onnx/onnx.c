// SPDX-License-Identifier: Apache-2.0
/*
 * The onnx plugin: ONNX models, and what a picture shows, by ONNX Runtime. This
 * file is what vaccel sees of it. Nothing here is loaded before an operation
 * needs it, and models not before they are used.
 */
#include "onnx/onnx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "onnx/engine.h"
#include "onnx/providers.h"
#include "onnx/runtime.h"
#include "vision/vision.h"

/* clang-format off */
const struct vaccel_knob knobs[KNOB_COUNT] = {
	[KNOB_PROVIDERS] = {"VACCEL_ONNX_PROVIDERS", "cpu",
		"what runs ONNX models, ':' between them, the first that works: cpu, cuda, tensorrt, openvino, ..."},
	[KNOB_THREADS] = {"VACCEL_ONNX_THREADS", "0",
		"threads that work on one run of an ONNX model; 0: one for each core",
		VACCEL_KNOB_NUMBER, 0, 1024},
	[KNOB_CACHE] = {"VACCEL_ONNX_CACHE", NULL,
		"directory for what TensorRT and OpenVINO compile; unset: vaccel/onnx in the user's cache"},
	[KNOB_XDG_CACHE_HOME] = {"XDG_CACHE_HOME", NULL, "the user's cache; unset: .cache in HOME"},
	[KNOB_HOME] = {"HOME", NULL, "the user's directory"},
	[KNOB_OF_VISION] = VISION_KNOBS,
};
/* clang-format on */

/* So many paths are named to a sandbox; what is behind them in VACCEL_MODEL_PATH is not read there.
 */
#define READ_PATHS_MAX 32

/*
 * What a sandbox must allow, as the knobs have it: filled by init() and valid to
 * fini().
 */
static char cache_root[CACHE_ROOM];
static const char *read_paths[READ_PATHS_MAX + 1];
static const char *const write_paths[] = {cache_root, NULL};
static const char *const devices[] = {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0",
				      "/dev/dri", NULL};
static const char *const system_calls[] = {"sched_setaffinity", NULL};
static struct vaccel_plugin_needs needs = {
	.read_paths = read_paths,
	.system_calls = system_calls,
};

static void fill_needs(void)
{
	bool only_cpu = !providers_other_than_cpu();
	size_t nr = 0;

	memset(read_paths, 0, sizeof(read_paths));
	read_paths[nr++] = "/proc/cpuinfo";
	read_paths[nr++] = "/sys/devices/system/cpu";
	vision_read_paths(read_paths + nr, READ_PATHS_MAX - nr);
	needs.jit = !only_cpu;
	needs.devices = only_cpu ? NULL : devices;
	needs.write_paths = only_cpu || !provider_cache_root(cache_root) ? NULL : write_paths;
}

static const struct vision_backend backend = {
	.format = FORMAT_ONNX,
	/* An ONNX file has nothing at its start to be known by. */
	.takes_unknown = true,
	.open = engine_open,
	.close = engine_close,
};

static void fini(void)
{
	vision_fini();
	runtime_close();
}

static int init(void)
{
	int ret = vision_init(&backend);

	if (ret)
		return ret;
	fill_needs();
	ret = runtime_open();
	if (ret)
		fini();
	return ret;
}

static int model_load(struct vaccel_call *call, struct vaccel_onnx_model_load_args *args)
{
	return holder_load(call, args->model);
}

static int model_unload(struct vaccel_call *call, struct vaccel_onnx_model_unload_args *args)
{
	return holder_unload(call, args->model);
}

static void report(vaccel_plugin_report_fn *say, void *context)
{
	char text[512], provider[PROVIDER_NAME_MAX];
	int64_t threads = vaccel_knob_number(&knobs[KNOB_THREADS]);

	snprintf(text, sizeof(text), "ONNX Runtime %s", runtime_version());
	say(context, "runtime", text);
	if (!providers_list(text, sizeof(text)))
		say(context, "providers", text);
	if (provider_in_use(provider))
		say(context, "provider", vaccel_error_text());
	else
		say(context, "provider", provider);
	if (threads)
		snprintf(text, sizeof(text), "%" PRId64, threads);
	else
		snprintf(text, sizeof(text), "one for each core");
	say(context, "threads", text);
	snprintf(text, sizeof(text), "%zu loaded", engine_count());
	say(context, "models", text);
	vision_report(say, context);
}

static const struct vaccel_plugin_info info = {
	.name = "onnx",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_GPU,
	.sentence = "runs ONNX models and classifies pictures, by ONNX Runtime",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(ONNX_MODEL_LOAD, onnx_model_load, model_load),
	VACCEL_PLUGIN_OP(ONNX_MODEL_RUN, onnx_model_run, model_run),
	VACCEL_PLUGIN_OP(ONNX_MODEL_UNLOAD, onnx_model_unload, model_unload),
	VISION_OPS,
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = KNOB_COUNT, .needs = &needs, .init = init, .fini = fini,
	      .supports = vision_supports, .resource_open = vision_resource_open,
	      .resource_close = vision_resource_close, .report = report);
