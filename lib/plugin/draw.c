// SPDX-License-Identifier: Apache-2.0
/*
 * Drawing needs libraries that libvaccel has not, so a module does it, which lies
 * beside the plugins and is loaded at the first drawing. It is none of them: it
 * has no operations, and an agent never loads it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include <vaccel/draw.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "plugin/draw.h"

#define PATH_SIZE 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct vaccel_draw_module *loaded; /* under the lock; stays */

static int load(void)
{
	const struct vaccel_draw_module *module;
	char path[PATH_SIZE];
	void *library;

	snprintf(path, sizeof(path), "%s/draw.so", vaccel_plugindir());
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "nothing can be drawn: %s; install libcairo2, or, if draw.so "
				   "itself is missing, build vaccel with cairo",
				   dlerror());
	module = dlsym(library, "vaccel_draw_module");
	if (!module || module->abi != VACCEL_DRAW_ABI) {
		dlclose(library);
		return vaccel_fail(VACCEL_ELIBBAD, "'%s' is of another version of vaccel", path);
	}
	loaded = module;
	return VACCEL_OK;
}

static int get(const void *img, size_t len, const void *found, const char *path,
	       const struct vaccel_draw_module **ret_module)
{
	int ret;

	if (!img || !len || !found || !path)
		return vaccel_fail(VACCEL_EINVAL,
				   "draw: a picture, what was found in it and a path are needed");
	SCOPED_LOCK(&lock);
	ret = loaded ? VACCEL_OK : load();
	if (!ret)
		*ret_module = loaded;
	return ret;
}

void draw_after_fork(void)
{
	unlock_in_child(&lock);
}

int vaccel_draw_boxes(const void *img, size_t len, const struct vaccel_box *boxes, size_t nr,
		      const char *path)
{
	const struct vaccel_draw_module *module;
	int ret = get(img, len, nr ? (const void *)boxes : "", path, &module);

	return ret ? ret : module->boxes(img, len, boxes, nr, path);
}

int vaccel_draw_mask(const void *img, size_t len, const struct vaccel_mask *mask, const char *path)
{
	const struct vaccel_draw_module *module;
	int ret = get(img, len, mask, path, &module);

	return ret ? ret : module->mask(img, len, mask, path);
}

int vaccel_draw_points(const void *img, size_t len, const struct vaccel_point *points, size_t nr,
		       const char *path)
{
	const struct vaccel_draw_module *module;
	int ret = get(img, len, nr ? (const void *)points : "", path, &module);

	return ret ? ret : module->points(img, len, points, nr, path);
}

int vaccel_draw_depth(const void *img, size_t len, const struct vaccel_depth *depth,
		      const char *path)
{
	const struct vaccel_draw_module *module;
	int ret = get(img, len, depth, path, &module);

	return ret ? ret : module->depth(img, len, depth, path);
}
