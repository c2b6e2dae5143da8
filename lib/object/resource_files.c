// SPDX-License-Identifier: Apache-2.0
/*
 * From a resource's paths to its blobs: files as they are, directories file by
 * file, URLs downloaded; and from blobs in memory to files. Files are not read
 * here but by who needs their bytes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "file/file.h"
#include "file/rundir.h"
#include "file/url.h"
#include "object/blob.h"
#include "object/resource.h"

#define DIR_FILES_MAX 65536
#define DIR_DEPTH_MAX 32

int resource_alloc_blobs(struct resource_state *state, size_t nr)
{
	/* An empty directory has blobs, too, as far as programs see. */
	state->own.blobs = calloc(nr ? nr : 1, sizeof(struct vaccel_blob *));
	if (!state->own.blobs)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu blobs", nr);
	return VACCEL_OK;
}

void resource_drop_blobs(struct resource_state *state)
{
	struct vaccel_resource *own = &state->own;

	state->resolved = false;
	for (size_t i = 0; i < own->nr_blobs; i++)
		vaccel_blob_delete(own->blobs[i]);
	free(own->blobs);
	own->blobs = NULL;
	own->nr_blobs = 0;
	if (own->rundir)
		rundir_remove_tree(own->rundir);
	free(own->rundir);
	own->rundir = NULL;
}

int resource_rundir(struct resource_state *state, const char **ret_path)
{
	int ret = VACCEL_OK;

	if (!state->own.rundir)
		ret = rundir_make("resource", &state->own.rundir);
	if (!ret)
		*ret_path = state->own.rundir;
	return ret;
}

/* The names of a directory's files, with those of its sub-folders before them: "sub/x". */
struct names {
	char **name;
	size_t nr;
	size_t room;
	const char *dir; /* for words */
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->name[i]);
	free(names->name);
}

/* Takes the name. */
static int names_add(struct names *names, char **name)
{
	if (names->nr == DIR_FILES_MAX)
		return vaccel_fail(VACCEL_ERANGE, "directory '%s' holds more than %d files",
				   names->dir, DIR_FILES_MAX);
	if (names->nr == names->room) {
		size_t room = names->room ? 2 * names->room : 16;
		char **larger = reallocarray(names->name, room, sizeof(*larger));

		if (!larger)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for the names of %zu files",
					   room);
		names->name = larger;
		names->room = room;
	}
	names->name[names->nr++] = TAKE(*name);
	return VACCEL_OK;
}

static int walk(struct names *names, int fd, const char *prefix, int depth);

/* One entry of a directory. Links to files are followed, those to directories are not. */
static int visit(struct names *names, int dir, const char *prefix, const char *entry, int depth)
{
	_cleanup_(freep) char *name = NULL;
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(dir, entry, &st, 0) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return VACCEL_OK;
	name = file_path("%s%s%s", prefix, entry, S_ISDIR(st.st_mode) ? "/" : "");
	if (!name)
		return VACCEL_ENOMEM;
	if (S_ISREG(st.st_mode))
		return names_add(names, &name);
	fd = openat(dir, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return VACCEL_OK;
	if (fd < 0)
		return vaccel_fail(errno, "cannot read '%s' in '%s': %s", name, names->dir,
				   strerror(errno));
	return walk(names, TAKE_FD(fd), name, depth + 1);
}

/* Takes the descriptor. */
static int walk(struct names *names, int fd, const char *prefix, int depth)
{
	_cleanup_(closedirp) DIR *stream = fdopendir(fd);
	struct dirent *entry;
	int ret = VACCEL_OK;

	if (!stream) {
		close(fd);
		return vaccel_fail(VACCEL_ENOMEM, "no memory to read directory '%s'", names->dir);
	}
	if (depth == DIR_DEPTH_MAX)
		return vaccel_fail(VACCEL_ERANGE, "directory '%s' is deeper than %d", names->dir,
				   DIR_DEPTH_MAX);
	while (!ret && (errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = visit(names, fd, prefix, entry->d_name, depth);
	if (!ret && errno)
		return vaccel_fail(errno, "cannot read directory '%s': %s", names->dir,
				   strerror(errno));
	return ret;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of their names, so that a directory is the same wherever it is read. */
static int resolve_dir(struct resource_state *state)
{
	struct vaccel_resource *own = &state->own;
	_cleanup_(names_release) struct names names = {.dir = own->paths[0]};
	int fd = open(own->paths[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return vaccel_fail(VACCEL_EINVAL, "cannot read directory '%s': %s", own->paths[0],
				   strerror(errno));
	ret = walk(&names, fd, "", 0);
	if (!ret)
		ret = resource_alloc_blobs(state, names.nr);
	if (names.nr)
		qsort(names.name, names.nr, sizeof(*names.name), compare_names);
	for (size_t i = 0; !ret && i < names.nr; i++) {
		_cleanup_(freep) char *path = NULL;

		ret = vaccel_path_join(own->paths[0], names.name[i], &path);
		if (!ret)
			ret = blob_from_file(&own->blobs[i], path, names.name[i], false);
		if (!ret)
			own->nr_blobs++;
	}
	return ret;
}

static int resolve_files(struct resource_state *state)
{
	struct vaccel_resource *own = &state->own;
	int ret = resource_alloc_blobs(state, own->nr_paths);

	for (size_t i = 0; !ret && i < own->nr_paths; i++) {
		ret = vaccel_blob_new(&own->blobs[i], own->paths[i]);
		if (!ret)
			own->nr_blobs++;
	}
	return ret;
}

static int download(const char *url, const char *dir, struct vaccel_blob **ret_blob)
{
	_cleanup_(freep) char *name = NULL;
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closep) int fd = -1;
	int ret = VACCEL_OK;

	if (vaccel_path_name(url, &name))
		name = strdup("download");
	if (!name)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a file's name");
	ret = file_create(dir, name, 0, &path, &fd);
	if (!ret)
		ret = url_fetch(url, fd);
	return ret ? ret : blob_from_file(ret_blob, path, path + strlen(dir) + 1, true);
}

static int resolve_urls(struct resource_state *state)
{
	struct vaccel_resource *own = &state->own;
	const char *dir;
	int ret = resource_rundir(state, &dir);

	if (!ret)
		ret = resource_alloc_blobs(state, own->nr_paths);
	for (size_t i = 0; !ret && i < own->nr_paths; i++) {
		ret = download(own->paths[i], dir, &own->blobs[i]);
		if (!ret)
			own->nr_blobs++;
	}
	return ret;
}

int resource_resolve(struct resource_state *state)
{
	int ret;

	if (state->own.path_type == VACCEL_PATH_LOCAL_DIR)
		ret = resolve_dir(state);
	else if (state->own.path_type == VACCEL_PATH_REMOTE_FILE)
		ret = resolve_urls(state);
	else
		ret = resolve_files(state);
	if (ret)
		resource_drop_blobs(state);
	state->resolved = !ret;
	return ret;
}

static int write_blob(struct resource_state *state, struct vaccel_blob *blob)
{
	const char *dir;
	int ret;

	if (blob->path)
		return VACCEL_OK;
	ret = resource_rundir(state, &dir);
	if (ret)
		return ret;
	resource_show(state);
	return blob_write(blob, dir);
}

static int find_directory(struct resource_state *state, vaccel_path_type_t shown_type,
			  const char **ret_dir)
{
	struct vaccel_resource *own = &state->own;
	int ret = VACCEL_OK;

	if (shown_type != VACCEL_PATH_LOCAL_DIR ||
	    (own->nr_paths && own->path_type != VACCEL_PATH_LOCAL_DIR))
		return vaccel_fail(VACCEL_ENOTSUP, "resource %" PRId64 " is not a directory",
				   own->id);
	if (own->nr_paths) {
		*ret_dir = own->paths[0];
		return VACCEL_OK;
	}
	for (size_t i = 0; !ret && i < own->nr_blobs; i++)
		ret = write_blob(state, own->blobs[i]);
	if (!ret)
		*ret_dir = own->rundir;
	return ret;
}

int vaccel_resource_directory(struct vaccel_resource *res, char *out, size_t size, char **alloc)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(res);
	const char *dir = NULL;
	char *copy;
	int ret;

	if (!state)
		return resource_fail_not_live();
	if (!alloc && (!out || !size))
		return vaccel_fail(VACCEL_EINVAL, "no place for the directory's path");
	SCOPED_LOCK(&state->lock);
	ret = find_directory(state, res->path_type, &dir);
	if (ret)
		return ret;
	if (!alloc && strlen(dir) >= size)
		return vaccel_fail(VACCEL_EINVAL, "the path needs %zu bytes, there are %zu",
				   strlen(dir) + 1, size);
	if (!alloc) {
		memcpy(out, dir, strlen(dir) + 1);
		return VACCEL_OK;
	}
	copy = strdup(dir);
	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	*alloc = copy;
	return VACCEL_OK;
}

int vaccel_resource_file(struct vaccel_resource *res, size_t index, const char **ret_path)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(res);
	struct vaccel_blob *blob;
	int ret;

	if (!state)
		return resource_fail_not_live();
	if (!ret_path)
		return vaccel_fail(VACCEL_EINVAL, "no place for the path");
	SCOPED_LOCK(&state->lock);
	if (index >= state->own.nr_blobs)
		return vaccel_fail(VACCEL_EINVAL,
				   "resource %" PRId64 " has %zu blobs%s; there is no number %zu",
				   res->id, state->own.nr_blobs,
				   state->resolved ? "" : ", since it is not registered", index);
	blob = state->own.blobs[index];
	ret = write_blob(state, blob);
	if (!ret)
		*ret_path = blob->path;
	return ret;
}
