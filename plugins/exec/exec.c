// SPDX-License-Identifier: Apache-2.0
/*
 * Runs functions of libraries: of one that lies here, or of one that the
 * program brings as a resource, after the libraries that it needs. Such code
 * runs with all that this process may do.
 *
 * A library of a resource is loaded once, with the resource's slot. One given by
 * path is opened for each call, which costs little while it stays loaded, as it
 * does unless VACCEL_EXEC_DLCLOSE_ENABLED says otherwise.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <vaccel/ops/exec.h>
#include <vaccel/ops/noop.h>
#include <vaccel/plugin.h>
#include <vaccel/utils/path.h>

enum { DLOPEN_MODE, DLCLOSE_ENABLED, KNOB_COUNT };

static const struct vaccel_knob knobs[KNOB_COUNT] = {
	[DLOPEN_MODE] = {"VACCEL_EXEC_DLOPEN_MODE", "now",
			 "when symbols of libraries are looked up: now, or lazy for at their use"},
	[DLCLOSE_ENABLED] = {"VACCEL_EXEC_DLCLOSE_ENABLED", NULL,
			     "unload libraries: after each exec, and with their resource; unset: "
			     "only with their resource",
			     VACCEL_KNOB_BOOL},
};

/* Where libraries commonly lie; a policy names others. */
static const char *const read_paths[] = {"/lib", "/lib64", "/usr/lib", "/usr/local/lib", NULL};
static const struct vaccel_plugin_needs needs = {.read_paths = read_paths};

typedef int library_function(struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
			     size_t nr_write);

/* The libraries of a resource, loaded; the last one has the functions. */
struct libraries {
	size_t nr;
	void *handle[];
};

static int init(void)
{
	const char *mode = vaccel_knob_text(&knobs[DLOPEN_MODE]);

	if (!strcasecmp(mode, "now") || !strcasecmp(mode, "lazy"))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "%s is '%.40s'; set it to now or lazy",
			   knobs[DLOPEN_MODE].name, mode);
}

/* Flags for dlopen(); a library opened with them is unloaded by dlclose() or stays for good. */
static int open_flags(bool unload_by_default)
{
	bool unload = vaccel_knob_source(&knobs[DLCLOSE_ENABLED])
			      ? vaccel_knob_bool(&knobs[DLCLOSE_ENABLED])
			      : unload_by_default;
	bool lazy = !strcasecmp(vaccel_knob_text(&knobs[DLOPEN_MODE]), "lazy");

	return (lazy ? RTLD_LAZY : RTLD_NOW) | (unload ? 0 : RTLD_NODELETE);
}

static const char *reason(void)
{
	const char *text = dlerror();

	return text ? text : "no reason given";
}

static int open_library(const char *path, int flags, void **ret_handle)
{
	void *handle;

	/* dlopen() would wait for the writer of a pipe. */
	if (strchr(path, '/') && vaccel_path_exists(path) && !vaccel_path_is_file(path))
		return vaccel_fail(VACCEL_EINVAL, "exec: '%s' is not a file", path);
	handle = dlopen(path, flags);
	if (!handle)
		return vaccel_fail(
			VACCEL_EINVAL, "exec: cannot load the library '%s': %s%s", path, reason(),
			strchr(path, '/')
				? ""
				: "; give its path, unless the dynamic linker is to find it");
	*ret_handle = handle;
	return VACCEL_OK;
}

/* Whether the function kept to its arguments: it may lower a size, and leaves buf in place. */
static int check_written(const char *symbol, const struct vaccel_arg *before,
			 struct vaccel_arg *write, size_t nr_write)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; i < nr_write; i++) {
		if (write[i].buf == before[i].buf && write[i].size <= before[i].size)
			continue;
		write[i] = before[i];
		ret = vaccel_fail(VACCEL_EBACKEND,
				  "exec: function '%s' moved or enlarged write argument %zu; it "
				  "may only write into it, or lower its size",
				  symbol, i);
	}
	return ret;
}

static int run_function(library_function *function, const char *symbol, struct vaccel_arg *read,
			size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	struct vaccel_arg *before = calloc(nr_write + 1, sizeof(*before));
	int answer, ret;

	if (!before)
		return vaccel_fail(VACCEL_ENOMEM, "exec: no memory for %zu arguments", nr_write);
	if (nr_write)
		memcpy(before, write, nr_write * sizeof(*before));
	answer = function(read, nr_read, write, nr_write);
	ret = check_written(symbol, before, write, nr_write);
	free(before);
	if (answer)
		return vaccel_fail(VACCEL_EBACKEND, "exec: function '%s' returned %d", symbol,
				   answer);
	return ret;
}

/* Not of a library that it needs: who permits a library has not permitted libc's system(). */
static bool is_its_own(void *handle, library_function *function)
{
	struct link_map *library, *found;
	Dl_info info;

	return !dlinfo(handle, RTLD_DI_LINKMAP, &library) &&
	       dladdr1((void *)function, &info, (void **)&found, RTLD_DL_LINKMAP) &&
	       found == library;
}

static int find_function(void *handle, const char *symbol, library_function **ret_function)
{
	library_function *function = (library_function *)dlsym(handle, symbol);

	if (!function)
		return vaccel_fail(VACCEL_ENOSYS, "exec: there is no function '%s': %s", symbol,
				   reason());
	if (!is_its_own(handle, function))
		return vaccel_fail(VACCEL_ENOSYS,
				   "exec: '%s' is not the library's own, but of one that it needs; "
				   "name that one",
				   symbol);
	*ret_function = function;
	return VACCEL_OK;
}

static int exec(struct vaccel_call *call, struct vaccel_exec_args *args)
{
	library_function *function = NULL;
	void *handle = NULL;
	int ret = open_library(args->library, open_flags(false), &handle);

	if (ret)
		return ret;
	ret = find_function(handle, args->symbol, &function);
	if (!ret)
		ret = run_function(function, args->symbol, args->read.data, args->read.count,
				   args->write.data, args->write.count);
	dlclose(handle);
	return ret;
}

static int exec_with_resource(struct vaccel_call *call, struct vaccel_exec_with_resource_args *args)
{
	library_function *function = NULL;
	struct libraries *libraries;
	void *slot;
	int ret = vaccel_call_resource_slot(call, args->library, &slot);

	if (ret)
		return ret;
	libraries = slot;
	ret = find_function(libraries->handle[libraries->nr - 1], args->symbol, &function);
	if (ret)
		return ret;
	return run_function(function, args->symbol, args->read.data, args->read.count,
			    args->write.data, args->write.count);
}

static void resource_close(struct vaccel_resource *resource, void *slot)
{
	struct libraries *libraries = slot;

	while (libraries->nr)
		dlclose(libraries->handle[--libraries->nr]);
	free(libraries);
}

/*
 * Libraries that need each other cannot have all their symbols looked up when the
 * first is loaded, so that one of several gets a second chance to be loaded lazily.
 */
static int open_one_of(struct vaccel_resource *resource, size_t index, int flags, void **ret_handle)
{
	const char *path;
	int ret = vaccel_resource_file(resource, index, &path);

	if (ret)
		return ret;
	if (index + 1 < resource->nr_blobs)
		flags |= RTLD_GLOBAL;
	if (resource->nr_blobs > 1 && (*ret_handle = dlopen(path, flags)))
		return VACCEL_OK;
	if (resource->nr_blobs > 1)
		flags = (flags & ~RTLD_NOW) | RTLD_LAZY;
	return open_library(path, flags, ret_handle);
}

static int resource_open(struct vaccel_resource *resource, void **ret_slot)
{
	struct libraries *libraries;
	int flags = open_flags(true);
	int ret = VACCEL_OK;

	if (!resource->nr_blobs)
		return vaccel_fail(VACCEL_EINVAL, "exec: the resource holds no library");
	libraries = calloc(1, sizeof(*libraries) + resource->nr_blobs * sizeof(void *));
	if (!libraries)
		return vaccel_fail(VACCEL_ENOMEM, "exec: no memory for %zu libraries",
				   resource->nr_blobs);
	while (!ret && libraries->nr < resource->nr_blobs) {
		ret = open_one_of(resource, libraries->nr, flags,
				  &libraries->handle[libraries->nr]);
		if (!ret)
			libraries->nr++;
	}
	if (ret)
		resource_close(resource, libraries);
	else
		*ret_slot = libraries;
	return ret;
}

/* Whether functions can be run at all. */
static int noop(struct vaccel_call *call, struct vaccel_noop_args *args)
{
	return VACCEL_OK;
}

static const struct vaccel_plugin_info info = {
	.name = "exec",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_CPU | VACCEL_PLUGIN_SOFTWARE | VACCEL_PLUGIN_GENERIC,
	.sentence = "runs functions of libraries",
};

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(NOOP, noop, noop),
	VACCEL_PLUGIN_OP(EXEC, exec, exec),
	VACCEL_PLUGIN_OP(EXEC_WITH_RESOURCE, exec_with_resource, exec_with_resource),
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = KNOB_COUNT, .needs = &needs, .init = init, .resource_open = resource_open,
	      .resource_close = resource_close);
