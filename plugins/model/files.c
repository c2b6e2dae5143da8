// SPDX-License-Identifier: Apache-2.0
/*
 * From resources and directories to bytes, and to the digest by which the same
 * model is known again. libcrypto's SHA-256 it is, since it must not be possible
 * to make one client's model pass for another's; and a digest is kept instead
 * of the bytes to compare with, which may be as large as all of the model.
 */
#include "model/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "model/file.h"
#include "model/util.h"

#define HASH_STEP 65536

static void hash_freep(EVP_MD_CTX **hash)
{
	EVP_MD_CTX_free(*hash);
}

static void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int fail_hash(void)
{
	return vaccel_fail(VACCEL_EBACKEND, "libcrypto cannot make a SHA-256");
}

static int no_memory(void)
{
	return vaccel_fail(VACCEL_ENOMEM, "no memory for a model's files");
}

/* Room for @nr files in an empty list. */
static int make_room(struct model_files *files, size_t nr)
{
	files->file = calloc(nr ? nr : 1, sizeof(*files->file));
	return files->file ? VACCEL_OK : no_memory();
}

/* Takes @path. */
static int add(struct model_files *files, const char *name, char *path)
{
	struct model_file *file = &files->file[files->nr++];

	file->path = path;
	file->name = strdup(name);
	return file->name ? VACCEL_OK : no_memory();
}

static int add_blob(struct model_files *files, const struct vaccel_blob *blob)
{
	char *path = blob->type == VACCEL_BLOB_FILE ? strdup(blob->path) : NULL;
	int ret;

	if (blob->type == VACCEL_BLOB_FILE && !path)
		return no_memory();
	ret = add(files, blob->name, path);
	if (!ret && !path) {
		files->file[files->nr - 1].data = blob->data;
		files->file[files->nr - 1].size = blob->size;
	}
	return ret;
}

static int add_blobs(struct vaccel_resource *resource, void *files)
{
	int ret = make_room(files, resource->nr_blobs);

	for (size_t i = 0; !ret && i < resource->nr_blobs; i++)
		ret = add_blob(files, resource->blobs[i]);
	return ret;
}

int files_of_resource(struct vaccel_resource *resource, struct model_files *ret_files)
{
	_cleanup_(files_release) struct model_files files = {
		.resource = resource,
		.words = resource->nr_paths ? resource->paths[0] : "the MODEL resource",
	};
	/* A thread that writes them to the disk gives them other names; the bytes stay. */
	int ret = vaccel_resource_with_blobs(resource, add_blobs, &files);

	if (ret)
		return ret;
	*ret_files = files;
	files = (struct model_files){0};
	return VACCEL_OK;
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds an entry of a directory if it is a file. */
static int add_entry(struct model_files *files, const char *directory, const char *name)
{
	char *path;
	struct stat st;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return no_memory();
	if (!stat(path, &st) && S_ISREG(st.st_mode))
		return add(files, name, path);
	free(path);
	return VACCEL_OK;
}

int files_of_directory(const char *path, struct model_files *ret_files)
{
	_cleanup_(files_release) struct model_files files = {.words = path};
	struct dirent **entries;
	int nr = scandir(path, &entries, NULL, compare_entries);
	int ret;

	if (nr < 0)
		return vaccel_fail(VACCEL_ENOENT, "cannot read directory '%s': %s", path,
				   strerror(errno));
	ret = make_room(&files, (size_t)nr);
	for (int i = 0; i < nr; i++) {
		if (!ret)
			ret = add_entry(&files, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (ret)
		return ret;
	*ret_files = files;
	files = (struct model_files){0};
	return VACCEL_OK;
}

void files_release(struct model_files *files)
{
	for (size_t i = 0; i < files->nr; i++) {
		free(files->file[i].name);
		free(files->file[i].path);
	}
	free(files->file);
	*files = (struct model_files){0};
}

const struct model_file *files_find(const struct model_files *files, const char *name)
{
	for (size_t i = 0; i < files->nr; i++)
		if (!strcmp(files->file[i].name, name))
			return &files->file[i];
	return NULL;
}

const struct model_file *files_single(const struct model_files *files)
{
	bool directory = !files->resource || files->resource->path_type == VACCEL_PATH_LOCAL_DIR;

	return files->nr == 1 && !directory ? &files->file[0] : NULL;
}

int files_write(struct model_files *files)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < files->nr; i++) {
		const char *path;

		if (files->file[i].path)
			continue;
		ret = vaccel_resource_file(files->resource, i, &path);
		if (!ret && !(files->file[i].path = strdup(path)))
			ret = no_memory();
	}
	return ret;
}

int file_bytes(const struct model_file *file, size_t limit, struct bytes *ret_bytes)
{
	struct bytes bytes = {.data = file->data, .size = file->size};
	int ret;

	if (!file->path) {
		if (file->size > limit)
			return vaccel_fail(VACCEL_EINVAL, "'%s' has %zu bytes, %zu are allowed",
					   file->name, file->size, limit);
		*ret_bytes = bytes;
		return VACCEL_OK;
	}
	ret = file_read(file->path, limit, &bytes.own, &bytes.size);
	if (ret)
		return ret;
	bytes.data = bytes.own;
	*ret_bytes = bytes;
	return VACCEL_OK;
}

void bytes_release(struct bytes *bytes)
{
	free(bytes->own);
	*bytes = (struct bytes){0};
}

/* Digests */

static int hash_file(const char *path, struct digest *ret_digest)
{
	_cleanup_(hash_freep) EVP_MD_CTX *hash = EVP_MD_CTX_new();
	_cleanup_(freep) void *step = malloc(HASH_STEP);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = 0;

	if (!hash || !step || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
		return fail_hash();
	while (fd >= 0 && (n = read(fd, step, HASH_STEP)) > 0)
		if (!EVP_DigestUpdate(hash, step, (size_t)n))
			return fail_hash();
	if (fd < 0 || n < 0)
		return vaccel_fail(VACCEL_EIO, "cannot read '%s': %s", path, strerror(errno));
	return EVP_DigestFinal_ex(hash, ret_digest->byte, NULL) ? VACCEL_OK : fail_hash();
}

static int add_file(EVP_MD_CTX *hash, const struct model_file *file)
{
	struct digest digest;
	int ret = hash_file(file->path, &digest);

	if (ret)
		return ret;
	return EVP_DigestUpdate(hash, file->name, strlen(file->name) + 1) &&
			       EVP_DigestUpdate(hash, digest.byte, DIGEST_SIZE)
		       ? VACCEL_OK
		       : fail_hash();
}

int files_digest(const struct model_files *files, const void *first, size_t first_size,
		 bool (*beside)(const struct model_file *file), struct digest *ret_digest)
{
	_cleanup_(hash_freep) EVP_MD_CTX *hash = EVP_MD_CTX_new();
	struct digest digest = {0};
	int ret = VACCEL_OK;

	if (!hash || !EVP_Digest(first, first_size, digest.byte, NULL, EVP_sha256(), NULL) ||
	    !EVP_DigestInit_ex(hash, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(hash, digest.byte, DIGEST_SIZE))
		return fail_hash();
	for (size_t i = 0; beside && !ret && i < files->nr; i++)
		if (beside(&files->file[i]))
			ret = add_file(hash, &files->file[i]);
	if (ret)
		return ret;
	return EVP_DigestFinal_ex(hash, ret_digest->byte, NULL) ? VACCEL_OK : fail_hash();
}
