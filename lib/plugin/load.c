// SPDX-License-Identifier: Apache-2.0
/*
 * One plugin: where its file is, whether it is one and fits this library, what
 * it offers. A library once opened stays mapped (RTLD_NODELETE): frameworks
 * behind plugins leave threads and exit handlers that must not lose their code.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <vaccel/log.h>

#include "base/error.h"
#include "base/knob.h"
#include "base/util.h"
#include "call/call.h"
#include "plugin/elf.h"
#include "plugin/load.h"
#include "plugin/manifest.h"

/* No struct vaccel_plugin of ABI 1 is smaller, and none will ever come near the larger. */
#define DESC_SIZE_LEAST offsetof(struct vaccel_plugin, needs)
#define DESC_SIZE_MOST	4096
#define DESC_INFO_END	offsetof(struct vaccel_plugin, ops)

/* The directory of libvaccel.so, as the dynamic linker found it. */
static char *library_directory(void)
{
	Dl_info info;
	char *path, *slash;

	if (!dladdr((void *)plugin_find, &info) || !info.dli_fname)
		return strdup(".");
	path = realpath(info.dli_fname, NULL);
	slash = path ? strrchr(path, '/') : NULL;
	if (slash)
		*slash = '\0';
	return path ? path : strdup(".");
}

/* Where something of this library's tree lies: found once, and good for the life of the process. */
static const char *below_library(_Atomic(char *) *found, const char *below)
{
	_cleanup_(freep) char *library = NULL;
	_cleanup_(freep) char *joined = NULL;
	char *path = atomic_load(found), *none = NULL;

	if (path)
		return path;
	library = library_directory();
	if (!library || asprintf(&joined, "%s/%s", library, below) < 0)
		return below;
	path = realpath(joined, NULL);
	if (!path)
		path = TAKE(joined);
	if (atomic_compare_exchange_strong(found, &none, path))
		return path;
	free(path);
	return none;
}

const char *vaccel_plugindir(void)
{
	static _Atomic(char *) found;
	const char *set = knob_text(KNOB_PLUGIN_DIR);

	return set ? set : below_library(&found, "vaccel");
}

const char *vaccel_datadir(void)
{
	static _Atomic(char *) found;
	const char *set = knob_text(KNOB_DATA_DIR);

	return set ? set : below_library(&found, DATA_FROM_LIB);
}

/* "onnx" and "libvaccel-onnx.so" both become the latter. */
static int file_name_of(const char *name, char *buf, size_t size)
{
	bool whole = strstr(name, ".so") != NULL;

	return snprintf(buf, size, whole ? "%s" : "libvaccel-%s.so", name) < (int)size;
}

static bool exists_in(const char *directory, const char *below, const char *file, char **ret_path)
{
	_cleanup_(freep) char *path = NULL;

	if (!directory || asprintf(&path, "%s%s/%s", directory, below, file) < 0)
		return false;
	if (access(path, F_OK))
		return false;
	*ret_path = TAKE(path);
	return true;
}

int plugin_find(const char *name, char **ret_path)
{
	_cleanup_(freep) char *library = library_directory();
	char file[NAME_MAX + 1];

	if (!*name)
		return vaccel_fail(VACCEL_EINVAL, "the name of a plugin is empty");
	if (strchr(name, '/')) {
		*ret_path = strdup(name);
	} else {
		if (!file_name_of(name, file, sizeof(file)))
			return vaccel_fail(VACCEL_ENOENT, "plugin '%.40s...': the name is too long",
					   name);
		if (exists_in(library, "", file, ret_path) ||
		    exists_in(vaccel_plugindir(), "", file, ret_path) ||
		    exists_in(library, "/vaccel", file, ret_path))
			return VACCEL_OK;
		*ret_path = strdup(file);
	}
	return *ret_path ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
}

struct plugin *plugin_new(const char *path)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));

	if (!plugin)
		return NULL;
	pthread_mutex_init(&plugin->lock, NULL);
	plugin->path = strdup(path);
	if (plugin->path)
		return plugin;
	plugin_delete(plugin);
	return NULL;
}

struct plugin *plugin_listed(const char *path)
{
	_cleanup_(plugin_deletep) struct plugin *plugin = plugin_new(path);

	if (!plugin || !manifest_read(plugin))
		return NULL;
	plugin->desc.info = &plugin->info;
	return TAKE(plugin);
}

struct plugin *plugin_described(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dash = strchr(base, '-');
	const char *name = dash ? dash + 1 : base;
	struct plugin *plugin = plugin_listed(path);

	if (plugin)
		return plugin;
	plugin = plugin_new(path);
	if (!plugin)
		return NULL;
	plugin->manifest = strndup(name, strcspn(name, "."));
	plugin->info.name = plugin->manifest;
	plugin->desc.info = &plugin->info;
	if (plugin->info.name)
		return plugin;
	plugin_delete(plugin);
	return NULL;
}

/* Runs through whatever forwards: the typed functions and run_any look the same to a caller. */
static int run_forwarded(struct vaccel_call *call, void *args)
{
	return call->plugin->desc.run_any(call, call->op, args);
}

static void bind_op(struct plugin *plugin, const struct vaccel_plugin_op *row)
{
	const struct vaccel_op *op = vaccel_op_by_number(row->number);

	if (!op || !row->run || !row->signature) {
		vaccel_debug("plugin %s: operation %d is unknown here and left out",
			     plugin->desc.info->name, (int)row->number);
		return;
	}
	if (strcmp(op->signature, row->signature) != 0) {
		vaccel_warn("plugin %s was built for another '%s' and is not asked for it "
			    "(its: %s; here: %s)",
			    plugin->desc.info->name, op->name, row->signature, op->signature);
		return;
	}
	plugin->binding[op->index] = (struct binding){
		.plugin = plugin,
		.run = (int (*)(struct vaccel_call *, void *))row->run,
	};
}

static void bind_ops(struct plugin *plugin)
{
	for (size_t i = 0; plugin->desc.run_any && i < OP_COUNT; i++)
		plugin->binding[i] = (struct binding){plugin, run_forwarded};
	for (size_t i = 0; i < plugin->desc.nr_ops; i++)
		bind_op(plugin, &plugin->desc.ops[i]);
	for (size_t i = 0; i < OP_COUNT; i++)
		atomic_store(&plugin->offers[i], plugin->binding[i].run != NULL);
}

/*
 * Takes over what the plugin exports; what an older one does not have is zero. One
 * that is listed is read by other threads meanwhile, and keeps the info it has.
 */
static void describe(struct plugin *plugin, const struct vaccel_plugin *desc)
{
	if (!plugin->desc.info)
		plugin->desc.info = desc->info;
	plugin->desc.size = desc->size;
	plugin->desc.abi = desc->abi;
	memcpy((char *)&plugin->desc + DESC_INFO_END, (const char *)desc + DESC_INFO_END,
	       MIN_OF(desc->size, sizeof(plugin->desc)) - DESC_INFO_END);
}

/* What the plugin exports, or NULL with words if it is no plugin of this ABI. */
static const struct vaccel_plugin *exported_by(const struct plugin *plugin)
{
	const struct vaccel_plugin *desc = dlsym(plugin->handle, "vaccel_plugin");

	if (!desc) {
		vaccel_fail(VACCEL_ELIBBAD,
			    "'%s' is a library but no vaccel plugin: it exports no vaccel_plugin",
			    plugin->path);
		return NULL;
	}
	if (desc->size < DESC_SIZE_LEAST || desc->size > DESC_SIZE_MOST ||
	    desc->abi != VACCEL_PLUGIN_ABI) {
		vaccel_fail(
			VACCEL_ELIBBAD,
			"'%s' is not a plugin of ABI %d; build it against this vaccel's headers",
			plugin->path, VACCEL_PLUGIN_ABI);
		return NULL;
	}
	if (!desc->info || !desc->info->name || !desc->info->vaccel_version) {
		vaccel_fail(VACCEL_ELIBBAD, "plugin '%s' does not say who it is", plugin->path);
		return NULL;
	}
	return desc;
}

/* Versions fit if major and minor are the same. */
static int check_version(const struct vaccel_plugin *desc, bool version_ignore)
{
	const char *theirs = desc->info->vaccel_version;
	const char *dot = strrchr(VACCEL_VERSION, '.');

	if (version_ignore || !strncmp(theirs, VACCEL_VERSION, (size_t)(dot - VACCEL_VERSION) + 1))
		return VACCEL_OK;
	return vaccel_fail(
		VACCEL_ELIBBAD,
		"plugin %s was built against vaccel %s and this is %s; build it anew, or "
		"set VACCEL_VERSION_IGNORE=1 to try",
		desc->info->name, theirs, VACCEL_VERSION);
}

static int check_knobs(const struct vaccel_plugin *desc)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < desc->nr_knobs; i++)
		ret = knob_check(&desc->knobs[i]);
	return ret;
}

int plugin_map(struct plugin *plugin)
{
	const char *why;
	int ret;

	if (plugin->handle)
		return VACCEL_OK;
	/* A bare name is not here but where the dynamic linker finds it. */
	ret = strchr(plugin->path, '/') ? elf_check(plugin->path) : VACCEL_OK;
	if (ret)
		return ret;
	plugin->handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (plugin->handle)
		return VACCEL_OK;
	why = dlerror();
	return vaccel_fail(
		VACCEL_ENOENT,
		"cannot load the plugin '%s': %s; give a name that `vaccel plugins` lists, "
		"or install what is missing",
		plugin->path, why ? why : "no reason given");
}

static int open_and_check(struct plugin *plugin, bool version_ignore)
{
	const struct vaccel_plugin *desc;
	int ret = plugin_map(plugin);

	if (ret)
		return ret;
	desc = exported_by(plugin);
	if (!desc)
		return VACCEL_ELIBBAD;
	ret = check_version(desc, version_ignore);
	if (!ret)
		ret = check_knobs(desc);
	if (ret)
		return ret;
	describe(plugin, desc);
	error_code_forget();
	if (plugin->desc.init)
		ret = plugin_result(&plugin->desc, "start", plugin->desc.init());
	if (ret)
		return ret;
	bind_ops(plugin);
	vaccel_debug("loaded plugin %s %s from %s", plugin->desc.info->name,
		     plugin->desc.info->version, plugin->path);
	return VACCEL_OK;
}

int plugin_open(struct plugin *plugin, bool version_ignore)
{
	if (likely(atomic_load_explicit(&plugin->state, memory_order_acquire) == PLUGIN_LOADED))
		return VACCEL_OK;
	SCOPED_LOCK(&plugin->lock);
	if (atomic_load(&plugin->state) == PLUGIN_LOADED)
		return VACCEL_OK;
	if (atomic_load(&plugin->state) == PLUGIN_FAILED)
		return vaccel_fail(plugin->failure_code, "%s",
				   plugin->failure ? plugin->failure : "");
	atomic_store(&plugin->state, PLUGIN_LOADING);
	plugin->failure_code = open_and_check(plugin, version_ignore);
	if (plugin->failure_code) {
		plugin->failure = strdup(vaccel_error_text());
		atomic_store(&plugin->state, PLUGIN_FAILED);
	} else {
		atomic_store_explicit(&plugin->state, PLUGIN_LOADED, memory_order_release);
	}
	return plugin->failure_code;
}

void plugin_after_fork(struct plugin *plugin)
{
	unlock_in_child(&plugin->lock);
	if (atomic_load(&plugin->state) != PLUGIN_LOADING)
		return;
	plugin->failure_code = VACCEL_ENOTSUP;
	if (asprintf(&plugin->failure,
		     "plugin %s was being loaded when this process was forked; load it before, or "
		     "in the child alone",
		     plugin->path) < 0)
		plugin->failure = NULL;
	atomic_store(&plugin->state, PLUGIN_FAILED);
}

void plugin_delete(struct plugin *plugin)
{
	if (!plugin)
		return;
	if (atomic_load(&plugin->state) == PLUGIN_LOADED && plugin->desc.fini)
		plugin->desc.fini();
	if (plugin->handle)
		dlclose(plugin->handle);
	pthread_mutex_destroy(&plugin->lock);
	free(plugin->failure);
	free(plugin->manifest);
	free(plugin->path);
	free(plugin);
}

void plugin_deletep(struct plugin **plugin)
{
	plugin_delete(*plugin);
}
