// SPDX-License-Identifier: Apache-2.0
/*
 * Execution providers are tried in the order of the knob: the first one that
 * the library has and that can be set up makes the session, with those after it
 * for what it leaves over. A provider may have no device, which ONNX Runtime
 * only notices while it makes the session; then the next one is tried.
 *
 * Providers that compile models keep what they made in a directory of the
 * model's digest, so that the next process need not compile it again.
 */
#include "onnx/providers.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <onnxruntime_session_options_config_keys.h>

#include <vaccel/log.h>

#include "model/util.h"
#include "onnx/onnx.h"

#define SEPARATORS  ":, "
#define SUFFIX	    "ExecutionProvider"
#define REASONS_MAX 600

/* A folder that holds no weights: a model in one file must not find any by accident. */
#define NO_FOLDER "/dev/null"

/*
 * A provider that has functions of its own, or settings. @cache is the directory
 * for what one that @compiles makes of a model; NULL for none.
 */
struct provider {
	const char *name;
	bool compiles;
	OrtStatus *(*append)(OrtSessionOptions *options, const char *cache);
};

static OrtStatus *append_cpu(OrtSessionOptions *options, const char *cache)
{
	/* It is always there, after all others. */
	return NULL;
}

static OrtStatus *append_cuda(OrtSessionOptions *options, const char *cache)
{
	OrtCUDAProviderOptionsV2 *cuda = NULL;
	OrtStatus *status = ort->CreateCUDAProviderOptions(&cuda);

	if (!status)
		status = ort->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
	if (cuda)
		ort->ReleaseCUDAProviderOptions(cuda);
	return status;
}

static OrtStatus *append_tensorrt(OrtSessionOptions *options, const char *cache)
{
	const char *const keys[] = {"trt_engine_cache_enable", "trt_engine_cache_path",
				    "trt_timing_cache_enable", "trt_timing_cache_path"};
	const char *const values[] = {"1", cache, "1", cache};
	OrtTensorRTProviderOptionsV2 *tensorrt = NULL;
	OrtStatus *status = ort->CreateTensorRTProviderOptions(&tensorrt);

	if (!status && cache)
		status = ort->UpdateTensorRTProviderOptions(tensorrt, keys, values,
							    sizeof(keys) / sizeof(keys[0]));
	if (!status)
		status = ort->SessionOptionsAppendExecutionProvider_TensorRT_V2(options, tensorrt);
	if (tensorrt)
		ort->ReleaseTensorRTProviderOptions(tensorrt);
	return status;
}

/* It has threads of its own, so it must be told how many. */
static OrtStatus *append_openvino(OrtSessionOptions *options, const char *cache)
{
	const char *keys[2], *values[2];
	char threads[24];
	size_t nr = 0;

	if (vaccel_knob_number(&knobs[KNOB_THREADS])) {
		snprintf(threads, sizeof(threads), "%" PRId64,
			 vaccel_knob_number(&knobs[KNOB_THREADS]));
		keys[nr] = "num_of_threads";
		values[nr++] = threads;
	}
	if (cache) {
		keys[nr] = "cache_dir";
		values[nr++] = cache;
	}
	return ort->SessionOptionsAppendExecutionProvider_OpenVINO_V2(options, keys, values, nr);
}

static const struct provider known[] = {
	{"cpu", false, append_cpu},
	{"cuda", false, append_cuda},
	{"tensorrt", true, append_tensorrt},
	{"openvino", true, append_openvino},
};

/* The next name of the list at *@rest; false at its end. */
static bool next_name(const char **rest, char name[PROVIDER_NAME_MAX])
{
	const char *start = *rest + strspn(*rest, SEPARATORS);
	size_t length = strcspn(start, SEPARATORS);

	snprintf(name, PROVIDER_NAME_MAX, "%.*s", (int)length, start);
	*rest = start + length;
	return length > 0;
}

/* Calls ONNX Runtime's name for a provider, such as "CUDAExecutionProvider", "cuda". */
static bool same_provider(const char *runtime_name, const char *name)
{
	size_t length = strlen(name);

	return !strncasecmp(runtime_name, name, length) && !strcmp(runtime_name + length, SUFFIX);
}

/* The library's own spelling of a provider's name, "CUDA"; false if it has not got it. */
static bool find_available(const char *name, char spelling[PROVIDER_NAME_MAX])
{
	bool found = false;
	char **names;
	int nr;

	if (runtime_check(ort->GetAvailableProviders(&names, &nr)))
		return false;
	for (int i = 0; !found && i < nr; i++) {
		found = same_provider(names[i], name);
		if (found)
			snprintf(spelling, PROVIDER_NAME_MAX, "%.*s", (int)strlen(name), names[i]);
	}
	runtime_check(ort->ReleaseAvailableProviders(names, nr));
	return found;
}

static int base_options(const struct content *content, OrtSessionOptions **ret_options)
{
	_cleanup_(options_releasep) OrtSessionOptions *options = NULL;
	int ret = runtime_check(ort->CreateSessionOptions(&options));

	if (!ret)
		ret = runtime_check(ort->SetIntraOpNumThreads(
			options, (int)vaccel_knob_number(&knobs[KNOB_THREADS])));
	if (!ret)
		ret = runtime_check(ort->AddSessionConfigEntry(
			options, kOrtSessionOptionsModelExternalInitializersFileFolderPath,
			content->folder ? content->folder : NO_FOLDER));
	if (ret)
		return ret;
	*ret_options = TAKE(options);
	return VACCEL_OK;
}

bool provider_cache_root(char path[CACHE_ROOM])
{
	const char *root = vaccel_knob_text(&knobs[KNOB_CACHE]);
	const char *xdg = vaccel_knob_text(&knobs[KNOB_XDG_CACHE_HOME]);
	const char *home = vaccel_knob_text(&knobs[KNOB_HOME]);
	int length;

	if (root)
		length = snprintf(path, CACHE_ROOM, "%s", root);
	else if (xdg && *xdg)
		length = snprintf(path, CACHE_ROOM, "%s/vaccel/onnx", xdg);
	else
		length = snprintf(path, CACHE_ROOM, "%s/.cache/vaccel/onnx", home ? home : "");
	return length + 1 + 2 * DIGEST_SIZE < CACHE_ROOM;
}

static bool make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	return !mkdir(path, 0700) || errno == EEXIST;
}

/* The directory for what is compiled of a model, made; NULL if there can be none. */
static const char *cache_directory(const struct content *content, char path[CACHE_ROOM])
{
	char *end;

	if (!provider_cache_root(path))
		return NULL;
	end = path + strlen(path);
	*end++ = '/';
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		end += sprintf(end, "%02x", content->digest.byte[i]);
	if (make_directories(path))
		return path;
	vaccel_warn("onnx: cannot make '%s' for compiled models: %s; set %s", path, strerror(errno),
		    knobs[KNOB_CACHE].name);
	return NULL;
}

/* Adds a provider to the options, or says why it cannot be used. @content may be NULL. */
static int append(OrtSessionOptions *options, const char *name, const struct content *content)
{
	char spelling[PROVIDER_NAME_MAX], directory[CACHE_ROOM];

	if (!find_available(name, spelling))
		return vaccel_fail(VACCEL_EBACKEND, "this ONNX Runtime comes without it");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *cache = NULL;

		if (strcasecmp(known[i].name, name) != 0)
			continue;
		if (known[i].compiles && content)
			cache = cache_directory(content, directory);
		return runtime_check(known[i].append(options, cache));
	}
	return runtime_check(
		ort->SessionOptionsAppendExecutionProvider(options, spelling, NULL, NULL, 0));
}

/* Whether another provider cannot help: the model itself is at fault. */
static bool is_models_fault(OrtErrorCode code)
{
	return code == ORT_INVALID_PROTOBUF || code == ORT_INVALID_GRAPH || code == ORT_NO_MODEL ||
	       code == ORT_INVALID_ARGUMENT;
}

static int create(const struct content *content, const OrtSessionOptions *options,
		  OrtSession **ret_session)
{
	OrtStatus *status = ort->CreateSessionFromArray(runtime_env, content->onnx.data,
							content->onnx.size, options, ret_session);
	const char *words;
	int ret;

	if (!status)
		return VACCEL_OK;
	words = ort->GetErrorMessage(status);
	if (is_models_fault(ort->GetErrorCode(status)))
		ret = vaccel_fail(VACCEL_EINVAL,
				  "%s is no ONNX model that ONNX Runtime %s can read: %.600s",
				  content->words, runtime_version(), words);
	else if (!content->folder && strstr(words, "External data"))
		ret = vaccel_fail(VACCEL_EINVAL,
				  "the model's weights lie in other files; give the directory that "
				  "has all of them: %.600s",
				  words);
	else
		return runtime_check(status);
	ort->ReleaseStatus(status);
	return ret;
}

/* A session with the provider @first, and those after it in @rest for what it leaves over. */
static int try_provider(const struct content *content, const char *first, const char *rest,
			OrtSession **ret_session)
{
	_cleanup_(options_releasep) OrtSessionOptions *options = NULL;
	char name[PROVIDER_NAME_MAX];
	int ret = base_options(content, &options);

	if (!ret)
		ret = append(options, first, content);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "%s", first);
	while (strcasecmp(name, "cpu") != 0 && next_name(&rest, name))
		if (append(options, name, content))
			vaccel_debug("onnx: no %s behind %s: %s", name, first, vaccel_error_text());
	return create(content, options, ret_session);
}

int provider_session(const struct content *content, OrtSession **ret_session)
{
	const char *list = vaccel_knob_text(&knobs[KNOB_PROVIDERS]), *rest = list;
	char name[PROVIDER_NAME_MAX], reasons[REASONS_MAX] = "";
	size_t used = 0;

	while (next_name(&rest, name)) {
		int ret = try_provider(content, name, rest, ret_session);

		if (ret != VACCEL_EBACKEND) {
			if (!ret)
				vaccel_info("onnx: a model is run by %s", name);
			return ret;
		}
		if (used < sizeof(reasons))
			used += (size_t)snprintf(reasons + used, sizeof(reasons) - used, "%s%s: %s",
						 used ? "; " : "", name, vaccel_error_text());
		vaccel_warn("onnx: cannot use %s: %s", name, vaccel_error_text());
	}
	return vaccel_fail(VACCEL_EBACKEND, "no provider of %s=%s can run the model: %s",
			   knobs[KNOB_PROVIDERS].name, list, reasons);
}

int provider_in_use(char name[PROVIDER_NAME_MAX])
{
	const char *rest = vaccel_knob_text(&knobs[KNOB_PROVIDERS]);

	while (next_name(&rest, name)) {
		_cleanup_(options_releasep) OrtSessionOptions *options = NULL;
		int ret = runtime_check(ort->CreateSessionOptions(&options));

		if (!ret)
			ret = append(options, name, NULL);
		if (!ret)
			return VACCEL_OK;
	}
	return vaccel_fail(VACCEL_EBACKEND, "this machine can use none of %s",
			   knobs[KNOB_PROVIDERS].name);
}

int providers_list(char *text, size_t size)
{
	size_t used = 0;
	char **names;
	int nr;
	int ret = runtime_check(ort->GetAvailableProviders(&names, &nr));

	if (ret)
		return ret;
	*text = '\0';
	for (int i = 0; i < nr && used < size; i++) {
		const char *suffix = strstr(names[i], SUFFIX);
		int length = suffix ? (int)(suffix - names[i]) : (int)strlen(names[i]);

		used += (size_t)snprintf(text + used, size - used, "%s%.*s", i ? ", " : "", length,
					 names[i]);
	}
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
	return runtime_check(ort->ReleaseAvailableProviders(names, nr));
}

bool providers_other_than_cpu(void)
{
	const char *rest = vaccel_knob_text(&knobs[KNOB_PROVIDERS]);
	char name[PROVIDER_NAME_MAX];

	while (next_name(&rest, name))
		if (strcasecmp(name, "cpu") != 0)
			return true;
	return false;
}
