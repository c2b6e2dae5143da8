// SPDX-License-Identifier: Apache-2.0
/*
 * VACCEL_TFLITE_DELEGATES: "xnnpack", which is in TensorFlow Lite's library, and paths
 * of libraries that have a delegate of their own, such as an accelerator's maker
 * ships, each with its options: "/usr/lib/libx.so,device=0,cache=/tmp".
 *
 * Those of one interpreter are not shared with others, as an interpreter's thread may
 * be inside them. XNNPACK's weights are: the first interpreter of a model packs
 * them into the cache, where the others find them.
 */
#include "tflite/delegates.h"

#include <dlfcn.h>
#include <string.h>

#include <vaccel/log.h>

#include "model/util.h"
#include "tflite/tflite.h"

enum { OPTIONS_MAX = 32 };

/* The libraries' names, while delegates_paths() has given them away. */
static char *named;

static void keep(struct delegates *delegates, TfLiteDelegate *delegate,
		 void (*destroy)(TfLiteDelegate *delegate), void *library)
{
	delegates->each[delegates->nr].delegate = delegate;
	delegates->each[delegates->nr].destroy = destroy;
	delegates->each[delegates->nr++].library = library;
}

static int add_xnnpack(struct delegates *delegates, struct TfLiteXNNPackDelegateWeightsCache *cache)
{
	TfLiteXNNPackDelegateOptions options = TfLiteXNNPackDelegateOptionsDefault();
	TfLiteDelegate *delegate;

	options.num_threads = threads_wanted();
	options.flags |= XNNPACK_SIGNED_BYTES | XNNPACK_UNSIGNED_BYTES;
	options.weights_cache = cache;
	delegate = TfLiteXNNPackDelegateCreate(&options);
	if (!delegate)
		return vaccel_fail(VACCEL_EBACKEND, "XNNPACK cannot be used");
	keep(delegates, delegate, TfLiteXNNPackDelegateDelete, NULL);
	return VACCEL_OK;
}

/* A library's options; keys and values point into the setting's text. */
struct options {
	const char *keys[OPTIONS_MAX];
	const char *values[OPTIONS_MAX];
	size_t nr;
};

static int read_options(char *text, const char *path, struct options *options)
{
	char *rest, *key = strtok_r(text, ",", &rest);

	for (; key; key = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(key, '=');

		if (!value)
			return vaccel_fail(VACCEL_EINVAL,
					   "%s: '%.200s' behind '%.200s' is no KEY=VALUE",
					   knobs[KNOB_DELEGATES].name, key, path);
		if (options->nr == OPTIONS_MAX)
			return vaccel_fail(VACCEL_EINVAL, "%s: more than %d options for '%.200s'",
					   knobs[KNOB_DELEGATES].name, OPTIONS_MAX, path);
		*value++ = '\0';
		options->keys[options->nr] = key;
		options->values[options->nr++] = value;
	}
	return VACCEL_OK;
}

static void log_line(const char *text)
{
	vaccel_warn("a delegate of TensorFlow Lite's: %s", text);
}

static int make_from(void *library, const char *path, const struct options *options,
		     struct delegates *delegates)
{
	tflite_plugin_create_delegate_fn *create =
		(tflite_plugin_create_delegate_fn *)dlsym(library, "tflite_plugin_create_delegate");
	tflite_plugin_destroy_delegate_fn *destroy = (tflite_plugin_destroy_delegate_fn *)dlsym(
		library, "tflite_plugin_destroy_delegate");
	TfLiteDelegate *delegate;

	if (!create || !destroy)
		return vaccel_fail(VACCEL_ENOENT, "%s: '%.200s' has no delegate in it",
				   knobs[KNOB_DELEGATES].name, path);
	delegate = create(options->keys, options->values, options->nr, log_line);
	if (!delegate)
		return vaccel_fail(VACCEL_EBACKEND,
				   "'%.200s' cannot make its delegate; see the log", path);
	keep(delegates, delegate, destroy, library);
	return VACCEL_OK;
}

/* @item is "PATH,KEY=VALUE,...", and is taken apart. */
static int add_library(struct delegates *delegates, char *item)
{
	struct options options = {.nr = 0};
	size_t length = strcspn(item, ",");
	char *rest = item + length + (item[length] == ',');
	void *library;
	int ret;

	item[length] = '\0';
	ret = read_options(rest, item, &options);
	if (ret)
		return ret;
	library = dlopen(item, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return vaccel_fail(VACCEL_ENOENT, "%s: %.400s", knobs[KNOB_DELEGATES].name,
				   dlerror());
	ret = make_from(library, item, &options, delegates);
	if (ret)
		dlclose(library);
	return ret;
}

int delegates_make(struct TfLiteXNNPackDelegateWeightsCache *cache, struct delegates *ret_delegates)
{
	_cleanup_(freep) char *list = strdup(vaccel_knob_text(&knobs[KNOB_DELEGATES]));
	char *rest, *item;
	int ret = VACCEL_OK;

	if (!list)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the names of delegates");
	item = strtok_r(list, ":", &rest);
	for (; !ret && item; item = strtok_r(NULL, ":", &rest)) {
		if (ret_delegates->nr == DELEGATES_MAX)
			return vaccel_fail(VACCEL_EINVAL, "%s names more than %d delegates",
					   knobs[KNOB_DELEGATES].name, DELEGATES_MAX);
		if (!strcmp(item, "xnnpack"))
			ret = add_xnnpack(ret_delegates, cache);
		else
			ret = add_library(ret_delegates, item);
	}
	return ret;
}

void delegates_release(struct delegates *delegates)
{
	while (delegates->nr) {
		delegates->nr--;
		delegates->each[delegates->nr].destroy(delegates->each[delegates->nr].delegate);
		if (delegates->each[delegates->nr].library)
			dlclose(delegates->each[delegates->nr].library);
	}
}

size_t delegates_paths(const char **paths, size_t room)
{
	char *rest, *item;
	size_t nr = 0;

	free(named);
	named = strdup(vaccel_knob_text(&knobs[KNOB_DELEGATES]));
	item = named ? strtok_r(named, ":", &rest) : NULL;
	for (; item && nr < room; item = strtok_r(NULL, ":", &rest)) {
		item[strcspn(item, ",")] = '\0';
		if (strcmp(item, "xnnpack") != 0)
			paths[nr++] = item;
	}
	return nr;
}

void delegates_fini(void)
{
	free(named);
	named = NULL;
}
