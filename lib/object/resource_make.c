// SPDX-License-Identifier: Apache-2.0
/*
 * Making resources: from paths, which are looked at now and turned into blobs
 * when a session first needs them, from a buffer, or from blobs. A resource is
 * built unseen and published when it is whole, so that a failure leaves nothing
 * behind and the program's memory as it was.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/new.h"
#include "base/util.h"
#include "file/file.h"
#include "object/blob.h"
#include "object/resource.h"

/* As many files as a directory may have. */
#define PARTS_MAX 65536

static void state_deletep(struct resource_state **state)
{
	if (*state)
		resource_state_delete(*state);
}

static int state_new(vaccel_resource_type_t type, struct resource_state **ret_state)
{
	struct resource_state *state;

	if ((int)type < 0 || type >= VACCEL_RESOURCE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "there is no resource type %d", (int)type);
	state = calloc(1, sizeof(*state));
	if (!state)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a resource");
	pthread_mutex_init(&state->lock, NULL);
	pthread_mutex_init(&state->slots.lock, NULL);
	state->own.type = type;
	state->own.path_type = VACCEL_PATH_LOCAL_FILE;
	*ret_state = state;
	return VACCEL_OK;
}

static int add_path(struct vaccel_resource *own, const char *path)
{
	vaccel_path_type_t type;
	int ret = vaccel_path_type(path, &type);

	if (ret)
		return ret;
	if (own->nr_paths && (type != own->path_type || type == VACCEL_PATH_LOCAL_DIR))
		return vaccel_fail(VACCEL_EINVAL,
				   "a resource is files, or URLs, or one directory, not a mixture");
	own->path_type = type;
	if (type != VACCEL_PATH_REMOTE_FILE)
		ret = vaccel_path_local(path, &own->paths[own->nr_paths]);
	else if (!(own->paths[own->nr_paths] = strdup(path)))
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	if (!ret)
		own->nr_paths++;
	return ret;
}

int vaccel_resource_init_multi(struct vaccel_resource *res, const char **paths, size_t nr_paths,
			       vaccel_resource_type_t type)
{
	_cleanup_(state_deletep) struct resource_state *state = NULL;
	int ret;

	if (!res || !paths || !nr_paths || nr_paths > PARTS_MAX)
		return vaccel_fail(VACCEL_EINVAL, "a resource needs a place and 1 to %d paths",
				   PARTS_MAX);
	ret = state_new(type, &state);
	if (ret)
		return ret;
	state->own.paths = calloc(nr_paths, sizeof(char *));
	if (!state->own.paths)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu paths", nr_paths);
	for (size_t i = 0; !ret && i < nr_paths; i++)
		ret = add_path(&state->own, paths[i]);
	return ret ? ret : resource_publish(res, &state);
}

int vaccel_resource_init(struct vaccel_resource *res, const char *path, vaccel_resource_type_t type)
{
	return vaccel_resource_init_multi(res, &path, 1, type);
}

int vaccel_resource_init_from_buf(struct vaccel_resource *res, const void *buf, size_t nr_bytes,
				  vaccel_resource_type_t type, const char *filename, bool mem_only)
{
	_cleanup_(state_deletep) struct resource_state *state = NULL;
	char type_name[VACCEL_ENUM_STR_MAX];
	const char *dir = NULL;
	int ret;

	if (!res || !buf || !nr_bytes)
		return vaccel_fail(VACCEL_EINVAL, "a resource needs a place and bytes");
	ret = state_new(type, &state);
	if (!ret)
		ret = resource_alloc_blobs(state, 1);
	if (!ret && !mem_only)
		ret = resource_rundir(state, &dir);
	if (!filename)
		filename = vaccel_resource_type_name(type, type_name, sizeof(type_name));
	if (!ret)
		ret = vaccel_blob_from_buf(&state->own.blobs[0], buf, nr_bytes, false, filename,
					   dir, false);
	if (ret)
		return ret;
	state->own.nr_blobs = 1;
	state->resolved = true;
	return resource_publish(res, &state);
}

static int add_blob(struct resource_state *state, const struct vaccel_blob *source)
{
	struct vaccel_resource *own = &state->own;
	const char *dir;
	int ret;

	if (!vaccel_blob_valid(source))
		return vaccel_fail(VACCEL_EINVAL, "blob %zu is NULL, released or incomplete",
				   own->nr_blobs);
	if (!file_name_valid(source->name))
		return vaccel_fail(VACCEL_EINVAL, "blob '%.80s' cannot be a file of that name",
				   source->name);
	if (source->type == VACCEL_BLOB_BUFFER) {
		ret = blob_from_bytes(&own->blobs[own->nr_blobs], source->data, source->size,
				      source->data_owned, source->name);
	} else {
		ret = resource_rundir(state, &dir);
		if (!ret)
			ret = blob_copy_file(&own->blobs[own->nr_blobs], source, dir);
	}
	if (!ret)
		own->nr_blobs++;
	return ret;
}

int vaccel_resource_init_from_blobs(struct vaccel_resource *res, const struct vaccel_blob **blobs,
				    size_t nr_blobs, vaccel_resource_type_t type)
{
	_cleanup_(state_deletep) struct resource_state *state = NULL;
	int ret;

	if (!res || !blobs || !nr_blobs || nr_blobs > PARTS_MAX)
		return vaccel_fail(VACCEL_EINVAL, "a resource needs a place and 1 to %d blobs",
				   PARTS_MAX);
	ret = state_new(type, &state);
	if (!ret)
		ret = resource_alloc_blobs(state, nr_blobs);
	for (size_t i = 0; !ret && i < nr_blobs; i++)
		ret = add_blob(state, blobs[i]);
	if (ret)
		return ret;
	state->resolved = true;
	return resource_publish(res, &state);
}

int vaccel_resource_new(struct vaccel_resource **ret_res, const char *path,
			vaccel_resource_type_t type)
{
	return vaccel_resource_multi_new(ret_res, &path, 1, type);
}

int vaccel_resource_multi_new(struct vaccel_resource **ret_res, const char **paths, size_t nr_paths,
			      vaccel_resource_type_t type)
{
	return NEW(ret_res, vaccel_resource_init_multi, paths, nr_paths, type);
}

int vaccel_resource_from_buf(struct vaccel_resource **ret_res, const void *buf, size_t nr_bytes,
			     vaccel_resource_type_t type, const char *filename, bool mem_only)
{
	return NEW(ret_res, vaccel_resource_init_from_buf, buf, nr_bytes, type, filename, mem_only);
}

int vaccel_resource_from_blobs(struct vaccel_resource **ret_res, const struct vaccel_blob **blobs,
			       size_t nr_blobs, vaccel_resource_type_t type)
{
	return NEW(ret_res, vaccel_resource_init_from_blobs, blobs, nr_blobs, type);
}
