// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <stdio.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "bench/module.h"

#define PATH_ROOM 4096

int bench_module(const char *name, const char *symbol, const void **ret_symbol)
{
	char path[PATH_ROOM];
	const void *found;
	void *module;

	snprintf(path, sizeof(path), "%s/bench-%s.so", vaccel_plugindir(), name);
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	found = module ? dlsym(module, symbol) : NULL;
	if (!found)
		return vaccel_fail(VACCEL_ENOENT, "cannot measure that: %s", dlerror());
	*ret_symbol = found;
	return VACCEL_OK;
}
