// SPDX-License-Identifier: Apache-2.0
/*
 * Blobs. The public members say what a program may rely on; which bytes are a
 * mapping, and which process made the file, is kept in private ones, so that
 * release never unmaps, frees or removes what is not the blob's, even if a
 * program took the data or forked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/blob.h>
#include <vaccel/utils/path.h>

#include "base/new.h"
#include "base/util.h"
#include "file/file.h"
#include "object/blob.h"

VACCEL_ENUM_NAMES_DEFINE(vaccel_blob_type, VACCEL_BLOB, VACCEL_BLOB_TYPE_LIST)

static void drop_data(struct vaccel_blob *blob)
{
	if (blob->data_owned && blob->data != blob->map)
		free(blob->data);
	if (blob->map)
		munmap(blob->map, blob->mapped);
	blob->map = NULL;
	blob->mapped = 0;
	blob->data = NULL;
	blob->data_owned = false;
	blob->size = 0;
}

static void drop(struct vaccel_blob *blob)
{
	drop_data(blob);
	if (blob->path && blob->path_owned && blob->maker == getpid())
		unlink(blob->path);
	free(blob->path);
	free(blob->name);
	*blob = (struct vaccel_blob){.type = VACCEL_BLOB_MAX};
}

/* Moves a blob to where it stays; what is left behind owns nothing. */
static void hand_over(struct vaccel_blob *to, struct vaccel_blob *from)
{
	*to = *from;
	*from = (struct vaccel_blob){0};
}

static int set_text(char **member, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a blob's name");
	free(*member);
	*member = copy;
	return VACCEL_OK;
}

static int init_from_file(struct vaccel_blob *blob, const char *path, const char *name, bool own)
{
	_cleanup_(drop) struct vaccel_blob fresh = {.type = VACCEL_BLOB_FILE};
	struct stat st;

	if (stat(path, &st) && errno == ENOENT)
		return vaccel_fail(VACCEL_EINVAL, "there is no file '%s'", path);
	if (stat(path, &st))
		return vaccel_fail(VACCEL_EINVAL, "cannot look at the file '%s': %s", path,
				   strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vaccel_fail(VACCEL_EINVAL, "'%s' is %s; give a file", path,
				   S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	if (set_text(&fresh.name, name) || set_text(&fresh.path, path))
		return VACCEL_ENOMEM;
	fresh.path_owned = own;
	fresh.maker = getpid();
	hand_over(blob, &fresh);
	return VACCEL_OK;
}

int vaccel_blob_init(struct vaccel_blob *blob, const char *path)
{
	_cleanup_(freep) char *name = NULL;
	int ret;

	if (!blob)
		return vaccel_fail(VACCEL_EINVAL, "the blob is NULL");
	ret = vaccel_path_name(path, &name);
	return ret ? ret : init_from_file(blob, path, name, false);
}

static int init_from_bytes(struct vaccel_blob *blob, const uint8_t *data, size_t size, bool own,
			   const char *name)
{
	_cleanup_(drop) struct vaccel_blob fresh = {.type = VACCEL_BLOB_BUFFER};

	if (set_text(&fresh.name, name))
		return VACCEL_ENOMEM;
	if (own) {
		fresh.data = malloc(size ? size : 1);
		if (!fresh.data)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for the %zu bytes of '%s'",
					   size, name);
		memcpy(fresh.data, data, size);
	} else {
		fresh.data = (uint8_t *)data;
	}
	fresh.data_owned = own;
	fresh.size = size;
	hand_over(blob, &fresh);
	return VACCEL_OK;
}

/*
 * Writes the blob's bytes to a new file below @dir and gives it to the blob,
 * named as it came out. Where @map is set its bytes become the file's.
 */
static int put_in_file(struct vaccel_blob *blob, const char *dir, const char *name,
		       unsigned int flags, bool map)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(freep) char *file_name = NULL;
	_cleanup_(closep) int fd = -1;
	uint8_t *data = NULL;
	size_t mapped = 0, size = blob->size;
	int ret = file_create(dir, name, flags, &path, &fd);

	if (ret)
		return ret;
	ret = file_write(fd, path, blob->data, size);
	if (!ret && map)
		ret = file_map(fd, path, size, true, &data, &mapped);
	if (!ret)
		ret = set_text(&file_name, path + strlen(dir) + 1);
	if (ret) {
		unlink(path);
		if (data)
			munmap(data, mapped);
		return ret;
	}
	if (map) {
		drop_data(blob);
		blob->type = VACCEL_BLOB_MAPPED;
		blob->data = blob->map = data;
		blob->mapped = mapped;
		blob->data_owned = true;
		blob->size = size;
	}
	free(blob->name);
	blob->name = TAKE(file_name);
	blob->path = TAKE(path);
	blob->path_owned = true;
	blob->maker = getpid();
	return VACCEL_OK;
}

int vaccel_blob_init_from_buf(struct vaccel_blob *blob, const uint8_t *buf, size_t size, bool own,
			      const char *filename, const char *dir, bool randomize)
{
	_cleanup_(drop) struct vaccel_blob fresh = {0};
	int ret;

	if (!blob || !buf || !size || !filename)
		return vaccel_fail(VACCEL_EINVAL, "a blob needs a place, bytes and a name");
	if (!file_name_valid(filename))
		return vaccel_fail(VACCEL_EINVAL, "'%.80s' cannot be a file's name", filename);
	ret = init_from_bytes(&fresh, buf, size, own && !dir, filename);
	if (!ret && dir)
		ret = put_in_file(&fresh, dir, filename,
				  FILE_FOLDERS | (randomize ? FILE_RANDOM : 0), true);
	if (ret)
		return ret;
	hand_over(blob, &fresh);
	return VACCEL_OK;
}

int vaccel_blob_new(struct vaccel_blob **ret_blob, const char *path)
{
	return NEW(ret_blob, vaccel_blob_init, path);
}

int vaccel_blob_from_buf(struct vaccel_blob **ret_blob, const uint8_t *buf, size_t size, bool own,
			 const char *filename, const char *dir, bool randomize)
{
	return NEW(ret_blob, vaccel_blob_init_from_buf, buf, size, own, filename, dir, randomize);
}

int blob_from_bytes(struct vaccel_blob **ret_blob, const uint8_t *data, size_t size, bool own,
		    const char *name)
{
	return NEW(ret_blob, init_from_bytes, data, size, own, name);
}

int blob_from_file(struct vaccel_blob **ret_blob, const char *path, const char *name, bool own)
{
	return NEW(ret_blob, init_from_file, path, name, own);
}

static bool type_known(const struct vaccel_blob *blob)
{
	return blob && (int)blob->type >= 0 && blob->type < VACCEL_BLOB_MAX;
}

bool vaccel_blob_valid(const struct vaccel_blob *blob)
{
	if (!type_known(blob) || !blob->name)
		return false;
	if (blob->type != VACCEL_BLOB_BUFFER && !blob->path)
		return false;
	return blob->type == VACCEL_BLOB_FILE || blob->data;
}

static int check(const struct vaccel_blob *blob)
{
	if (vaccel_blob_valid(blob))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL, "the blob is NULL, released or incomplete");
}

int vaccel_blob_release(struct vaccel_blob *blob)
{
	if (!type_known(blob))
		return vaccel_fail(VACCEL_EINVAL, "the blob is NULL or released already");
	drop(blob);
	return VACCEL_OK;
}

int vaccel_blob_delete(struct vaccel_blob *blob)
{
	return DELETE(blob, vaccel_blob_release);
}

int vaccel_blob_persist(struct vaccel_blob *blob, const char *dir, const char *filename,
			bool randomize)
{
	int ret = check(blob);

	if (ret)
		return ret;
	if (!dir || !filename)
		return vaccel_fail(VACCEL_EINVAL, "no directory or no name for a blob's file");
	if (blob->path)
		return vaccel_fail(VACCEL_EEXIST, "blob '%s' has a file already: '%s'", blob->name,
				   blob->path);
	return put_in_file(blob, dir, filename, randomize ? FILE_RANDOM : 0, true);
}

int blob_write(struct vaccel_blob *blob, const char *dir)
{
	return blob->path ? VACCEL_OK : put_in_file(blob, dir, blob->name, FILE_FOLDERS, false);
}

static int map_file(const char *path, uint8_t **ret_data, size_t *ret_size, size_t *ret_mapped)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st))
		return vaccel_fail(errno, "cannot read '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vaccel_fail(VACCEL_EINVAL, "'%s' is not a regular file", path);
	if ((uintmax_t)st.st_size > SIZE_MAX / 2)
		return vaccel_fail(VACCEL_ENOMEM, "'%s' has %jd bytes, more than memory can hold",
				   path, (intmax_t)st.st_size);
	ret = file_map(fd, path, (size_t)st.st_size, false, ret_data, ret_mapped);
	if (!ret)
		*ret_size = (size_t)st.st_size;
	return ret;
}

int vaccel_blob_read(struct vaccel_blob *blob)
{
	uint8_t *data = NULL;
	int ret = check(blob);

	if (ret || blob->type != VACCEL_BLOB_FILE)
		return ret;
	ret = map_file(blob->path, &data, &blob->size, &blob->mapped);
	if (ret)
		return ret;
	blob->data = blob->map = data;
	blob->data_owned = false;
	blob->type = VACCEL_BLOB_MAPPED;
	return VACCEL_OK;
}

uint8_t *vaccel_blob_data(struct vaccel_blob *blob, size_t *ret_size)
{
	if (vaccel_blob_read(blob))
		return NULL;
	if (ret_size)
		*ret_size = blob->size;
	return blob->data;
}

const char *vaccel_blob_path(const struct vaccel_blob *blob)
{
	return type_known(blob) ? blob->path : NULL;
}

int blob_copy_file(struct vaccel_blob **ret_blob, const struct vaccel_blob *source, const char *dir)
{
	struct vaccel_blob bytes = *source;
	struct vaccel_blob *copy;
	int ret;

	/* The source is the caller's: what is read of its file here is unmapped here. */
	bytes.map = NULL;
	ret = vaccel_blob_read(&bytes);
	if (ret)
		return ret;
	ret = blob_from_bytes(&copy, bytes.data, bytes.size, false, source->name);
	if (!ret) {
		ret = put_in_file(copy, dir, source->name, FILE_FOLDERS, true);
		if (ret)
			vaccel_blob_delete(copy);
		else
			*ret_blob = copy;
	}
	if (bytes.map)
		munmap(bytes.map, bytes.mapped);
	return ret;
}
