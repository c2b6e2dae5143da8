// SPDX-License-Identifier: Apache-2.0
/*
 * From resources and directories to bytes, and to the digest by which the same
 * model is known again. libcrypto's SHA-256 it is, since it must not be possible
 * to make one client's model pass for another's; and a digest is kept instead
 * of the bytes to compare with, which may be as large as all of the model.
 */
#include "onnx/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include <vaccel/error.h>

#include "vision/file.h"
#include "vision/util.h"

#define HASH_STEP 65536

/* Files of a model directory that ONNX Runtime does not see. */
static const char *const not_weights[] = {"model.onnx", "model.json", "labels.txt"};

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

int files_of_resource(struct vaccel_resource *resource, struct model_files *ret_files)
{
	_cleanup_(files_release) struct model_files files = {
		.resource = resource,
		.words = resource->nr_paths ? resource->paths[0] : "the MODEL resource",
	};
	int ret = make_room(&files, resource->nr_blobs);

	for (size_t i = 0; !ret && i < resource->nr_blobs; i++)
		ret = add_blob(&files, resource->blobs[i]);
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

/* Which of the files is the model: the only one, or the one that is named so. */
static const struct model_file *find_onnx(const struct model_files *files)
{
	bool directory = !files->resource || files->resource->path_type == VACCEL_PATH_LOCAL_DIR;

	if (files->nr == 1 && !directory)
		return &files->file[0];
	return files_find(files, "model.onnx");
}

static bool is_weights(const struct model_file *file)
{
	for (size_t i = 0; i < sizeof(not_weights) / sizeof(not_weights[0]); i++)
		if (!strcmp(file->name, not_weights[i]))
			return false;
	return true;
}

static int hash_bytes(const struct bytes *bytes, struct digest *ret_digest)
{
	if (EVP_Digest(bytes->data, bytes->size, ret_digest->byte, NULL, EVP_sha256(), NULL))
		return VACCEL_OK;
	return fail_hash();
}

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

/* Adds the names and digests of the files of weights to that of the ONNX file. */
static int hash_weights(const struct model_files *files, struct digest *digest)
{
	_cleanup_(hash_freep) EVP_MD_CTX *hash = EVP_MD_CTX_new();
	int ret = VACCEL_OK;

	if (!hash || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(hash, digest->byte, DIGEST_SIZE))
		return fail_hash();
	for (size_t i = 0; !ret && i < files->nr; i++) {
		const struct model_file *file = &files->file[i];
		struct digest one;

		if (!is_weights(file))
			continue;
		ret = hash_file(file->path, &one);
		if (!ret && (!EVP_DigestUpdate(hash, file->name, strlen(file->name) + 1) ||
			     !EVP_DigestUpdate(hash, one.byte, DIGEST_SIZE)))
			ret = fail_hash();
	}
	if (ret)
		return ret;
	return EVP_DigestFinal_ex(hash, digest->byte, NULL) ? VACCEL_OK : fail_hash();
}

/* Sees that all files are on disk, as ONNX Runtime wants it of weights. */
static int write_files(struct model_files *files)
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

/*
 * An ONNX file names each file of weights by an entry whose key is "location".
 * Without that word there are none, and the other files do not matter.
 */
static bool has_weights(const struct model_files *files, const struct bytes *onnx)
{
	return files->nr > 1 && memmem(onnx->data, onnx->size, "location", strlen("location"));
}

static int find_weights(struct model_files *files, size_t onnx, struct content *content)
{
	int ret = write_files(files);
	char *slash;

	if (ret)
		return ret;
	content->folder = strdup(files->file[onnx].path);
	if (!content->folder)
		return no_memory();
	slash = strrchr(content->folder, '/');
	if (slash)
		slash[1] = '\0';
	else
		strcpy(content->folder, ".");
	return hash_weights(files, &content->digest);
}

int content_read(struct model_files *files, struct content *ret_content)
{
	_cleanup_(content_release) struct content content = {.words = files->words};
	const struct model_file *onnx = find_onnx(files);
	int ret;

	if (!onnx)
		return vaccel_fail(VACCEL_EINVAL,
				   "%s has no model.onnx; a model is an ONNX file, or a directory "
				   "with model.onnx and, for pictures, model.json and labels.txt",
				   files->words);
	ret = file_bytes(onnx, ONNX_SIZE_MAX, &content.onnx);
	if (!ret)
		ret = hash_bytes(&content.onnx, &content.digest);
	if (!ret && has_weights(files, &content.onnx))
		ret = find_weights(files, (size_t)(onnx - files->file), &content);
	if (ret)
		return ret;
	*ret_content = content;
	content = (struct content){0};
	return VACCEL_OK;
}

void content_release(struct content *content)
{
	bytes_release(&content->onnx);
	free(content->folder);
	*content = (struct content){0};
}
