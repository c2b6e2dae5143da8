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

#include <string.h>

#include "model/util.h"
#include "tflite/tflite.h"

/* The libraries' names, while delegates_paths() has given them away. */
static char *named;

static int add(struct delegates *delegates, TfLiteDelegate *delegate,
	       void (*destroy)(TfLiteDelegate *delegate), const char *name)
{
	if (!delegate)
		return vaccel_fail(VACCEL_ENOENT,
				   "%s: TensorFlow Lite can make no delegate of '%.200s'",
				   knobs[KNOB_DELEGATES].name, name);
	delegates->each[delegates->nr].delegate = delegate;
	delegates->each[delegates->nr++].destroy = destroy;
	return VACCEL_OK;
}

static int add_xnnpack(struct delegates *delegates, struct TfLiteXNNPackDelegateWeightsCache *cache)
{
	TfLiteXNNPackDelegateOptions options = TfLiteXNNPackDelegateOptionsDefault();

	options.num_threads = threads_wanted();
	options.flags |= XNNPACK_SIGNED_BYTES | XNNPACK_UNSIGNED_BYTES;
	options.weights_cache = cache;
	return add(delegates, TfLiteXNNPackDelegateCreate(&options), TfLiteXNNPackDelegateDelete,
		   "xnnpack");
}

/* @item is "PATH,KEY=VALUE,...", and is taken apart. */
static int add_library(struct delegates *delegates, char *item)
{
	char *rest, *path = strtok_r(item, ",", &rest), *key;
	TfLiteExternalDelegateOptions options = TfLiteExternalDelegateOptionsDefault(path);

	while ((key = strtok_r(NULL, ",", &rest))) {
		char *value = strchr(key, '=');

		if (!value || options.count == sizeof(options.keys) / sizeof(options.keys[0]))
			return vaccel_fail(VACCEL_EINVAL,
					   "%s: '%.200s' behind '%.200s' is no KEY=VALUE",
					   knobs[KNOB_DELEGATES].name, key, path);
		*value++ = '\0';
		options.keys[options.count] = key;
		options.values[options.count++] = value;
	}
	return add(delegates, TfLiteExternalDelegateCreate(&options), TfLiteExternalDelegateDelete,
		   path);
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
