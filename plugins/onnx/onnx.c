// SPDX-License-Identifier: Apache-2.0
/*
 * The onnx plugin: ONNX models, and what a picture shows, by ONNX Runtime. This
 * file is what vaccel sees of it. Nothing here is loaded before an operation
 * needs it, and models not before they are used.
 */
#include "onnx/onnx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/util.h"
#include "onnx/engine.h"
#include "onnx/model.h"
#include "onnx/providers.h"
#include "onnx/runtime.h"
#include "onnx/scratch.h"

/* clang-format off */
const struct vaccel_knob knobs[KNOB_COUNT] = {
	[KNOB_PROVIDERS] = {"VACCEL_ONNX_PROVIDERS", "cpu",
		"what runs ONNX models, ':' between them, the first that works: cpu, cuda, tensorrt, openvino, ..."},
	[KNOB_THREADS] = {"VACCEL_ONNX_THREADS", "0",
		"threads that work on one run of an ONNX model; 0: one for each core",
		VACCEL_KNOB_NUMBER, 0, 1024},
	[KNOB_CACHE] = {"VACCEL_ONNX_CACHE", NULL,
		"directory for what TensorRT and OpenVINO compile; unset: vaccel/onnx in the user's cache"},
	[KNOB_MODEL_PATH] = {"VACCEL_MODEL_PATH", NULL,
		"directories of default models, ':' between them, each with TASK/model.json; then share/vaccel/models"},
	[KNOB_MAX_PIXELS] = {"VACCEL_IMAGE_MAX_PIXELS", "100000000",
		"largest picture that is decoded, in pixels", VACCEL_KNOB_NUMBER, 1, INT64_MAX},
	[KNOB_XDG_CACHE_HOME] = {"XDG_CACHE_HOME", NULL, "the user's cache; unset: .cache in HOME"},
	[KNOB_HOME] = {"HOME", NULL, "the user's directory"},
};
/* clang-format on */

struct picture_limits limits;
struct holder *default_model;

/* So many directories of VACCEL_MODEL_PATH are named to a sandbox; more are not read there. */
#define MODEL_DIRS_MAX 32

/*
 * What a sandbox must allow, as the knobs have it: filled by init() and valid to
 * fini().
 */
static char *model_dirs;
static char cache_root[CACHE_ROOM];
static const char *read_paths[MODEL_DIRS_MAX + 4];
static const char *const write_paths[] = {cache_root, NULL};
static const char *const devices[] = {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0",
				      "/dev/dri", NULL};
static const char *const system_calls[] = {"sched_setaffinity", NULL};
static struct vaccel_plugin_needs needs = {
	.read_paths = read_paths,
	.system_calls = system_calls,
};

static int fill_needs(void)
{
	const char *list = vaccel_knob_text(&knobs[KNOB_MODEL_PATH]);
	bool only_cpu = !providers_other_than_cpu();
	char *rest, *dir;
	size_t nr = 0;

	model_dirs = strdup(list ? list : "");
	if (!model_dirs)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the path of models");
	memset(read_paths, 0, sizeof(read_paths));
	read_paths[nr++] = "/proc/cpuinfo";
	read_paths[nr++] = "/sys/devices/system/cpu";
	read_paths[nr++] = vaccel_datadir();
	dir = strtok_r(model_dirs, ":", &rest);
	for (size_t i = 0; dir && i < MODEL_DIRS_MAX; i++) {
		read_paths[nr++] = dir;
		dir = strtok_r(NULL, ":", &rest);
	}
	needs.jit = !only_cpu;
	needs.devices = only_cpu ? NULL : devices;
	needs.write_paths = only_cpu || !provider_cache_root(cache_root) ? NULL : write_paths;
	return VACCEL_OK;
}

static void fini(void)
{
	holder_delete(TAKE(default_model));
	scratch_drop_all();
	runtime_close();
	free(model_dirs);
	model_dirs = NULL;
}

static int init(void)
{
	int ret = fill_needs();

	limits.pixels = (uint64_t)vaccel_knob_number(&knobs[KNOB_MAX_PIXELS]);
	if (!ret)
		ret = holder_new(&model_kind, NULL, &default_model);
	if (!ret)
		ret = runtime_open();
	if (ret)
		fini();
	return ret;
}

static int resource_open(struct vaccel_resource *resource, void **ret_slot)
{
	return holder_new(&model_kind, NULL, (struct holder **)ret_slot);
}

static void resource_close(struct vaccel_resource *resource, void *slot)
{
	holder_delete(slot);
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
	char text[512], provider[PROVIDER_NAME_MAX], path[MODEL_PATH_SIZE];
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
	say(context, "default model", model_default_find(path) ? vaccel_error_text() : path);
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
	VACCEL_PLUGIN_OP(IMAGE_CLASSIFY, image_classify, image_classify),
	VACCEL_PLUGIN_OP(IMAGE_CLASSIFY_TOP, image_classify_top, image_classify_top),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = KNOB_COUNT, .needs = &needs, .init = init, .fini = fini,
	      .resource_open = resource_open, .resource_close = resource_close, .report = report);
