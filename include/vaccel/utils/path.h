/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of files, directories and URLs. */
#ifndef VACCEL_UTILS_PATH_H
#define VACCEL_UTILS_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <vaccel/utils/enum.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_PATH_TYPE_LIST(X)     \
	X(VACCEL_PATH_LOCAL_FILE, 0) \
	X(VACCEL_PATH_LOCAL_DIR, 1)  \
	X(VACCEL_PATH_REMOTE_FILE, 2)

/** A file, a directory, or a URL that is to be fetched. */
VACCEL_ENUM_DECLARE(vaccel_path_type, VACCEL_PATH, VACCEL_PATH_TYPE_LIST)

/**
 * vaccel_path_type() - what a path leads to
 * @path: a path, or a URL with the scheme http, https or file
 * @ret_type: set to what is there: a file: URL counts as the file or the
 *	directory that it names, any other URL as a remote file, unseen
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, an unknown scheme, a malformed
 * URL, or where neither a regular file nor a directory is; VACCEL_ENOMEM.
 */
int vaccel_path_type(const char *path, vaccel_path_type_t *ret_type);

/**
 * vaccel_path_is_url() - whether a path is a URL
 * @path: a path or a URL
 *
 * Return: true if it begins with a scheme and "://", whether known or not.
 */
bool vaccel_path_is_url(const char *path);

/**
 * vaccel_path_local() - the path of a local file or directory
 * @path: a path, taken as it is, or a file: URL, whose path is decoded
 * @ret_path: set to a string that the caller frees
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, a URL of another scheme or one
 * that names another host; VACCEL_ENOMEM.
 */
int vaccel_path_local(const char *path, char **ret_path);

/**
 * vaccel_path_name() - the last component of a path
 * @path: a path, or a URL, whose query and fragment are left out
 * @ret_name: set to a string that the caller frees
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL or a path that ends in no name
 * ("/", "a/..", "http://host/"); VACCEL_ENOMEM.
 */
int vaccel_path_name(const char *path, char **ret_name);

/**
 * vaccel_path_join() - a path below a directory
 * @dir: the directory, with or without "/" at its end
 * @name: what is in it
 * @ret_path: set to a string that the caller frees
 *
 * Return: VACCEL_OK, VACCEL_EINVAL for NULL or an empty string, VACCEL_ENOMEM.
 */
int vaccel_path_join(const char *dir, const char *name, char **ret_path);

/** vaccel_path_exists() - whether anything is at a local path; false for NULL */
bool vaccel_path_exists(const char *path);

/** vaccel_path_is_file() - whether a regular file is there; false for NULL */
bool vaccel_path_is_file(const char *path);

/** vaccel_path_is_dir() - whether a directory is there; false for NULL */
bool vaccel_path_is_dir(const char *path);

#ifdef __cplusplus
}
#endif

#endif
