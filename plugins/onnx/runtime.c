// SPDX-License-Identifier: Apache-2.0
/*
 * ONNX Runtime's library: its functions, its environment, and its errors in our
 * form. What it has to say besides goes to vaccel's log; its errors come back as
 * statuses and are logged where they end up.
 *
 * All of its functions come from one, OrtGetApiBase(), whose symbol carries the
 * library's exact version. It is looked up by its name alone, so that the library
 * can be exchanged for any other that is new enough, such as one for GPUs.
 */
#include "onnx/runtime.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "model/environment.h"
#include "model/util.h"

const OrtApi *ort;
OrtEnv *runtime_env;
OrtMemoryInfo *runtime_memory;

static const OrtApiBase *base;

static void ORT_API_CALL log_line(void *param, OrtLoggingLevel severity, const char *category,
				  const char *id, const char *location, const char *message)
{
	vaccel_debug("ONNX Runtime: %s", message);
}

/* Among this plugin's own libraries: others in the process may have theirs. */
static int find_base(void)
{
	const OrtApiBase *(*get_base)(void) = NULL;
	void *plugin = NULL;
	Dl_info info;

	if (dladdr((void *)find_base, &info))
		plugin = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (plugin) {
		get_base = (const OrtApiBase *(*)(void))dlsym(plugin, "OrtGetApiBase");
		dlclose(plugin);
	}
	if (!get_base)
		return vaccel_fail(VACCEL_ELIBBAD, "the library of ONNX Runtime that was found has "
						   "no OrtGetApiBase; install another");
	base = get_base();
	return VACCEL_OK;
}

/*
 * Official builds report to their maker what is run, by a thread and a database of
 * their own, unless a variable forbids it before their environment is made; one that the
 * user has set comes first and holds.
 */
static int forbid_reports(void)
{
	return environment_default("ORT_DISABLE_TELEMETRY", "1");
}

int runtime_open(void)
{
	int ret = find_base();

	if (!ret)
		ret = forbid_reports();
	if (ret)
		return ret;
	ort = base->GetApi(ORT_API_VERSION);
	if (!ort)
		return vaccel_fail(VACCEL_ELIBBAD,
				   "this plugin was built for ONNX Runtime 1.%d, and the library "
				   "found is %s; install a newer one, or build vaccel anew",
				   ORT_API_VERSION, runtime_version());
	ret = runtime_check(ort->CreateEnvWithCustomLogger(
		log_line, NULL, ORT_LOGGING_LEVEL_WARNING, "vaccel", &runtime_env));
	if (!ret)
		ret = runtime_check(ort->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault,
							     &runtime_memory));
	if (ret)
		runtime_close();
	return ret;
}

void runtime_close(void)
{
	if (runtime_memory)
		ort->ReleaseMemoryInfo(runtime_memory);
	if (runtime_env)
		ort->ReleaseEnv(runtime_env);
	runtime_memory = NULL;
	runtime_env = NULL;
}

const char *runtime_version(void)
{
	return base->GetVersionString();
}

int runtime_check(OrtStatus *status)
{
	const char *words;
	int ret;

	if (!status)
		return VACCEL_OK;
	words = ort->GetErrorMessage(status);
	ret = vaccel_fail(strstr(words, "Failed to allocate memory") ? VACCEL_ENOMEM
								     : VACCEL_EBACKEND,
			  "ONNX Runtime: %.700s", words);
	ort->ReleaseStatus(status);
	return ret;
}

void value_releasep(OrtValue **value)
{
	if (*value)
		ort->ReleaseValue(*value);
}

void options_releasep(OrtSessionOptions **options)
{
	if (*options)
		ort->ReleaseSessionOptions(*options);
}

void shape_releasep(OrtTensorTypeAndShapeInfo **shape)
{
	if (*shape)
		ort->ReleaseTensorTypeAndShapeInfo(*shape);
}

int value_shape(const OrtValue *value, ONNXTensorElementDataType *ret_type, size_t *ret_nr_dims,
		int64_t **ret_dims)
{
	_cleanup_(shape_releasep) OrtTensorTypeAndShapeInfo *shape = NULL;
	_cleanup_(freep) int64_t *dims = NULL;
	ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	size_t nr_dims = 0;
	int ret = runtime_check(ort->GetTensorTypeAndShape(value, &shape));

	if (!ret)
		ret = runtime_check(ort->GetTensorElementType(shape, &type));
	if (!ret)
		ret = runtime_check(ort->GetDimensionsCount(shape, &nr_dims));
	if (ret)
		return ret;
	dims = calloc(nr_dims + 1, sizeof(*dims));
	if (!dims)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu dimensions", nr_dims);
	ret = runtime_check(ort->GetDimensions(shape, dims, nr_dims));
	if (ret)
		return ret;
	*ret_type = type;
	*ret_nr_dims = nr_dims;
	*ret_dims = TAKE(dims);
	return VACCEL_OK;
}
