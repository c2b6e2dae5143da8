/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs: named bytes, in a file or in memory; what resources are made of. */
#ifndef VACCEL_BLOB_H
#define VACCEL_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/error.h>
#include <vaccel/utils/enum.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_BLOB_TYPE_LIST(X) \
	X(VACCEL_BLOB_FILE, 0)   \
	X(VACCEL_BLOB_BUFFER, 1) \
	X(VACCEL_BLOB_MAPPED, 2)

/** A file not yet read; bytes in memory; a file whose bytes are in memory as well. */
VACCEL_ENUM_DECLARE(vaccel_blob_type, VACCEL_BLOB, VACCEL_BLOB_TYPE_LIST)

/**
 * struct vaccel_blob - named bytes
 * @type: how it is kept; VACCEL_BLOB_MAX once released
 * @name: its name; within a directory with the sub-folders, "sub/x"
 * @path: its file; NULL for a BUFFER
 * @path_owned: the library wrote the file, and removes it on release
 * @data: its bytes; NULL for a FILE
 * @data_owned: the bytes are the blob's own, and go with it; not so those of a
 *	caller's file or buffer
 * @size: bytes at @data; 0 for a FILE
 *
 * One thread at a time. What follows @size is the library's.
 */
struct vaccel_blob {
	vaccel_blob_type_t type;
	char *name;
	char *path;
	bool path_owned;
	uint8_t *data;
	bool data_owned;
	size_t size;

	void *map;
	size_t mapped;
	int maker;
};

/**
 * vaccel_blob_init() - a blob from a file
 * @blob: memory for it
 * @path: the file; it stays the caller's. It is not read yet
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL or if there is no such file; VACCEL_ENOMEM.
 */
int vaccel_blob_init(struct vaccel_blob *blob, const char *path);

/** vaccel_blob_new() - the same, allocated; free with vaccel_blob_delete() */
int vaccel_blob_new(struct vaccel_blob **ret_blob, const char *path);

/**
 * vaccel_blob_init_from_buf() - a blob from bytes in memory
 * @blob: memory for it
 * @buf: the bytes
 * @size: how many, at least 1
 * @own: copy them; otherwise they are borrowed and must outlive the blob
 * @filename: the blob's name, and its file's; "sub/x" is fine, a way out of @dir is not
 * @dir: NULL, or an existing directory in which to write them: the blob is
 *	MAPPED then and needs @buf no longer, whatever @own says
 * @randomize: give the file a random ending; it gets one anyway if there is a
 *	file of that name
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ENOENT if there is no @dir; VACCEL_ENOMEM;
 * or the errno of writing the file.
 */
int vaccel_blob_init_from_buf(struct vaccel_blob *blob, const uint8_t *buf, size_t size, bool own,
			      const char *filename, const char *dir, bool randomize);

/** vaccel_blob_from_buf() - the same, allocated; free with vaccel_blob_delete() */
int vaccel_blob_from_buf(struct vaccel_blob **ret_blob, const uint8_t *buf, size_t size, bool own,
			 const char *filename, const char *dir, bool randomize);

/**
 * vaccel_blob_release() - free what a blob holds, and remove a file that the library wrote
 * @blob: the blob; its type is VACCEL_BLOB_MAX afterwards
 *
 * A forked child removes none of its parent's files.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL or a blob that is released already.
 */
int vaccel_blob_release(struct vaccel_blob *blob);

/**
 * vaccel_blob_delete() - release a blob and free it
 * @blob: from vaccel_blob_new() or vaccel_blob_from_buf()
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, and nothing is freed, for NULL or a released blob.
 */
int vaccel_blob_delete(struct vaccel_blob *blob);

/**
 * vaccel_blob_persist() - write a blob's bytes to a file of their own
 * @blob: a BUFFER, which becomes MAPPED
 * @dir: an existing directory
 * @filename: the file's name below it
 * @randomize: as for vaccel_blob_init_from_buf()
 *
 * The bytes at @data are the file's then; borrowed ones are borrowed no more.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_EEXIST if it has a file already; VACCEL_ENOENT
 * if there is no @dir; VACCEL_ENOMEM; or the errno of writing the file.
 */
int vaccel_blob_persist(struct vaccel_blob *blob, const char *dir, const char *filename,
			bool randomize);

/**
 * vaccel_blob_read() - bring a blob's bytes into memory
 * @blob: a FILE becomes MAPPED; what is changed in its bytes stays in memory,
 *	and nobody may shorten the file. Others are left as they are
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ENOMEM; or the errno of reading the file.
 */
int vaccel_blob_read(struct vaccel_blob *blob);

/**
 * vaccel_blob_data() - a blob's bytes, read if they were not
 * @blob: the blob
 * @ret_size: set to how many they are; may be NULL
 *
 * Return: the bytes, valid as long as the blob; NULL after vaccel_fail().
 */
uint8_t *vaccel_blob_data(struct vaccel_blob *blob, size_t *ret_size);

/**
 * vaccel_blob_path() - a blob's file
 * @blob: the blob
 *
 * Return: its path, valid as long as the blob; NULL if it has none, or for NULL.
 */
const char *vaccel_blob_path(const struct vaccel_blob *blob);

/**
 * vaccel_blob_valid() - whether a blob can be used
 * @blob: the blob
 *
 * Return: true if it has a name and, as its type says, a path or bytes; false
 * otherwise, also for NULL.
 */
bool vaccel_blob_valid(const struct vaccel_blob *blob);

#ifdef __cplusplus
}
#endif

#endif
