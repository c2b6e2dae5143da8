// SPDX-License-Identifier: Apache-2.0
/*
 * Makes resources of contents. Where all of a resource's contents are files, they are put into
 * a directory under the names that the client gave, which control.c's check has found
 * to stay there, and libvaccel is given their paths; the files are the stored ones, but
 * for data, which operations may write. Contents in memory become memory, of which libvaccel
 * makes files as operations ask for them; beside these it has copies of those that are files.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <vaccel/blob.h>
#include <vaccel/error.h>

#include "agent/worker/resource/resource.h"
#include "agent/worker/resource/store_file.h"
#include "base/util.h"

/* Folders in a name: as deep as libvaccel goes into a directory. */
#define FOLDERS_MAX 32

#define BLOCK 4096 /* what the store counts for a name and for a folder */

static bool is_here(const struct vaccel_content *content)
{
	return !content->size || content->bytes.count;
}

/* What is missing */

static int ask_for(struct vaccel_resource_offer_args *args, const struct resource *resource,
		   size_t nr)
{
	uint32_t *missing = calloc(nr, sizeof(*missing));

	if (!missing)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of contents");
	args->missing.data = missing;
	for (size_t i = 0; i < resource->nr_parts; i++)
		if (!resource->parts[i].held && !is_here(&args->contents.data[i]))
			missing[args->missing.count++] = (uint32_t)i;
	return VACCEL_OK;
}

/* Finds the contents; *ret_missing counts those that are nowhere. */
static int find_contents(struct resource *resource, const struct vaccel_resource_offer_args *args,
			 size_t *ret_missing)
{
	struct store *store = resource->client->worker->store;

	*ret_missing = 0;
	for (size_t i = 0; i < resource->nr_parts; i++) {
		const struct vaccel_content *content = &args->contents.data[i];
		struct part *part = &resource->parts[i];

		memcpy(part->digest.sha256, content->sha256.data, SHA256_SIZE);
		part->digest.size = content->size;
		if (!is_here(content)) {
			part->held = store_hold(store, &part->digest);
			*ret_missing += !part->held;
		} else if (digest_check(content->sha256.data, content->bytes.data,
					content->bytes.count)) {
			return VACCEL_EINVAL;
		}
	}
	return VACCEL_OK;
}

/* Room */

static size_t count_folders(const char *name)
{
	size_t nr = 0;

	while ((name = strchr(name, '/'))) {
		name++;
		nr++;
	}
	return nr;
}

/* On the way to a file, and its own. */
static uint64_t room_for_names(const struct vaccel_content *content)
{
	return (count_folders(content->name) + 1) * (uint64_t)BLOCK;
}

static int take_room(struct resource *resource, struct part *part, uint64_t bytes)
{
	struct worker *worker = resource->client->worker;
	int ret = store_take(worker->store, bytes);

	if (ret == VACCEL_EDQUOT)
		count_refusal(worker, REFUSED_QUOTA);
	if (!ret)
		part->taken = bytes;
	return ret;
}

/* In memory */

/* What is read need not be in the store as well: a file that it is to be is another. */
static int read_held(struct resource *resource, struct part *part)
{
	struct store *store = resource->client->worker->store;
	int ret = store_read(store, &part->digest, part->bytes);

	store_drop(store, &part->digest);
	part->held = false;
	return ret;
}

static int read_part(struct resource *resource, struct part *part,
		     const struct vaccel_content *content)
{
	struct worker *worker = resource->client->worker;
	int ret = memory_take(worker, content->size);

	if (ret)
		return ret;
	part->memory = content->size;
	part->bytes = malloc(content->size ? (size_t)content->size : 1);
	if (!part->bytes)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a content of %" PRIu64 " bytes",
				   content->size);
	if (part->held)
		ret = read_held(resource, part);
	else if (content->size)
		memcpy(part->bytes, content->bytes.data, (size_t)content->size);
	return ret ? ret : take_room(resource, part, content->size + room_for_names(content));
}

/* Files */

static int make_directory(struct resource *resource)
{
	static _Atomic uint64_t last;
	_cleanup_(freep) char *folder =
		file_path_of(resource->client->worker->setup.directory, RESOURCES_FOLDER);
	char name[32];

	snprintf(name, sizeof(name), "%" PRIu64, atomic_fetch_add(&last, 1));
	resource->directory = folder ? file_path_of(folder, name) : NULL;
	if (!resource->directory)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	if ((mkdir(folder, 0700) && errno != EEXIST) || mkdir(resource->directory, 0700))
		return vaccel_fail(errno, "the agent cannot make a directory: %s", strerror(errno));
	return VACCEL_OK;
}

/* The folders on the way to a file. */
static int make_folders(char *path, size_t start)
{
	for (char *slash = strchr(path + start, '/'); slash; slash = strchr(slash + 1, '/')) {
		bool failed;

		*slash = '\0';
		failed = mkdir(path, 0700) && errno != EEXIST;
		*slash = '/';
		if (failed)
			return vaccel_fail(errno, "the agent cannot make a folder of '%s': %s",
					   slash + 1, strerror(errno));
	}
	return VACCEL_OK;
}

static int write_file(const char *path, const struct vaccel_content *content, mode_t mode)
{
	_cleanup_(closep) int fd = -1;
	int ret = file_make(path, mode, &fd);

	return ret ? ret : file_write_all(fd, content->bytes.data, content->bytes.count);
}

/* The file at part->path, whose folders are there. */
static int fill_file(struct resource *resource, struct part *part,
		     const struct vaccel_content *content, bool writable)
{
	struct worker *worker = resource->client->worker;
	int ret;

	if (!part->held)
		return write_file(part->path, content, writable ? 0600 : 0400);
	ret = writable ? store_copy(worker->store, &part->digest, part->path)
		       : store_link(worker->store, &part->digest, part->path);
	if (ret == VACCEL_EDQUOT)
		count_refusal(worker, REFUSED_QUOTA);
	return ret;
}

/* Its own file, unless it is the stored one, and libvaccel's copy, if there is memory as well. */
static uint64_t room_for_file(const struct resource *resource, const struct part *part,
			      const struct vaccel_content *content, bool writable)
{
	uint64_t names = room_for_names(content);
	uint64_t copy = resource->in_memory ? content->size + names : 0;

	return (part->held && !writable ? 0 : content->size) + names + copy;
}

/*
 * Files of one name, as paths into different directories may have, lie in folders
 * of their own: "0/x", "1/x".
 */
static int make_file(struct resource *resource, struct part *part,
		     const struct vaccel_content *content, unsigned int folder, bool writable)
{
	size_t size = strlen(resource->directory) + strlen(content->name) + 16;
	int ret;

	if (count_folders(content->name) >= FOLDERS_MAX)
		return vaccel_fail(VACCEL_EINVAL, "the name '%s' has more than %d folders",
				   content->name, FOLDERS_MAX);
	free(part->path);
	part->path = malloc(size);
	if (!part->path)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	snprintf(part->path, size, "%s/%u/%s", resource->directory, folder, content->name);
	if (!part->taken) {
		ret = take_room(resource, part, room_for_file(resource, part, content, writable));
		if (ret)
			return ret;
	}
	ret = make_folders(part->path, strlen(resource->directory) + 1);
	return ret ? ret : fill_file(resource, part, content, writable);
}

static int make_part(struct resource *resource, size_t index,
		     const struct vaccel_resource_offer_args *args)
{
	const struct vaccel_content *content = &args->contents.data[index];
	bool writable = args->type == VACCEL_RESOURCE_DATA && !resource->in_memory;
	struct part *part = &resource->parts[index];
	int ret;

	if (content->in_memory)
		return read_part(resource, part, content);
	if (!resource->directory) {
		ret = make_directory(resource);
		if (ret)
			return ret;
	}
	ret = make_file(resource, part, content, 0, writable);
	if (ret == VACCEL_EEXIST && args->path_type != VACCEL_PATH_LOCAL_DIR)
		ret = make_file(resource, part, content, (unsigned int)index + 1, writable);
	return ret;
}

/* libvaccel's */

static int from_parts(struct resource *resource, const struct vaccel_resource_offer_args *args)
{
	size_t nr = resource->nr_parts;
	_cleanup_(freep) struct vaccel_blob *blobs = calloc(nr + 1, sizeof(*blobs));
	_cleanup_(freep) const struct vaccel_blob **list = calloc(nr + 1, sizeof(*list));
	int ret;

	if (!blobs || !list)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu contents", nr);
	for (size_t i = 0; i < nr; i++) {
		const struct part *part = &resource->parts[i];

		list[i] = &blobs[i];
		blobs[i] = (struct vaccel_blob){
			.type = part->bytes ? VACCEL_BLOB_BUFFER : VACCEL_BLOB_FILE,
			.name = args->contents.data[i].name,
			.path = part->path,
			.data = part->bytes,
			.size = part->bytes ? (size_t)part->digest.size : 0,
		};
	}
	ret = vaccel_resource_from_blobs(&resource->vaccel, list, nr,
					 (vaccel_resource_type_t)args->type);
	if (!ret && args->path_type == VACCEL_PATH_LOCAL_DIR)
		resource->vaccel->path_type = VACCEL_PATH_LOCAL_DIR;
	return ret;
}

static int from_directory(struct resource *resource, uint32_t type)
{
	_cleanup_(freep) char *path = NULL;
	int ret = resource->directory ? VACCEL_OK : make_directory(resource);

	if (ret)
		return ret;
	path = file_path_of(resource->directory, "0");
	if (!path)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	if (mkdir(path, 0700) && errno != EEXIST)
		return vaccel_fail(errno, "the agent cannot make a directory: %s", strerror(errno));
	return vaccel_resource_new(&resource->vaccel, path, (vaccel_resource_type_t)type);
}

static int from_files(struct resource *resource, uint32_t type)
{
	_cleanup_(freep) const char **paths = calloc(resource->nr_parts + 1, sizeof(*paths));

	if (!paths)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of files");
	for (size_t i = 0; i < resource->nr_parts; i++)
		paths[i] = resource->parts[i].path;
	return vaccel_resource_multi_new(&resource->vaccel, paths, resource->nr_parts,
					 (vaccel_resource_type_t)type);
}

static int make(struct resource *resource, const struct vaccel_resource_offer_args *args)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; i < resource->nr_parts; i++)
		resource->in_memory |= args->contents.data[i].in_memory;
	for (size_t i = 0; !ret && i < resource->nr_parts; i++)
		ret = make_part(resource, i, args);
	if (ret)
		return ret;
	if (resource->in_memory)
		return from_parts(resource, args);
	if (args->path_type == VACCEL_PATH_LOCAL_DIR)
		return from_directory(resource, args->type);
	return from_files(resource, args->type);
}

static int publish(struct client *client, struct resource *resource, int64_t *ret_id)
{
	static _Atomic int64_t last_id;
	int ret;

	SCOPED_LOCK(&client->lock);
	resource->id = atomic_fetch_add(&last_id, 1) + 1;
	ret = table_add(&client->resources, resource->id, resource);
	if (ret)
		return ret;
	atomic_fetch_add(&client->worker->stats->resources, 1);
	*ret_id = resource->id;
	return VACCEL_OK;
}

static void resource_deletep(struct resource **resource)
{
	if (*resource)
		resource_delete(*resource);
}

static int new_resource(struct client *client, size_t nr, struct resource **ret_resource)
{
	struct resource *resource;
	int ret = memory_take(client->worker, RESOURCE_COST(nr));

	if (ret)
		return ret;
	resource = calloc(1, sizeof(*resource) + nr * sizeof(resource->parts[0]));
	if (!resource) {
		meter_give(&client->worker->memory, RESOURCE_COST(nr));
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a resource");
	}
	resource->client = client;
	resource->nr_parts = nr;
	atomic_init(&resource->refs, 1);
	*ret_resource = resource;
	return VACCEL_OK;
}

int resource_offer(struct client *client, struct vaccel_resource_offer_args *args)
{
	_cleanup_(resource_deletep) struct resource *resource = NULL;
	size_t missing;
	int ret = new_resource(client, args->contents.count, &resource);

	if (ret)
		return ret;
	ret = find_contents(resource, args, &missing);
	if (!ret && missing)
		return ask_for(args, resource, missing);
	if (!ret)
		ret = make(resource, args);
	if (!ret)
		ret = publish(client, resource, args->resource);
	if (!ret)
		resource = NULL; /* the client's now */
	return ret;
}
