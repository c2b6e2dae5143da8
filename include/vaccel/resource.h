/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources: libraries, data and models that operations use. A resource is made
 * from files, a directory, URLs or memory, registered with each session that is
 * to use it, and may be used from several threads.
 */
#ifndef VACCEL_RESOURCE_H
#define VACCEL_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <vaccel/blob.h>
#include <vaccel/error.h>
#include <vaccel/id.h>
#include <vaccel/utils/enum.h>
#include <vaccel/utils/path.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_RESOURCE_TYPE_LIST(X) \
	X(VACCEL_RESOURCE_LIB, 0)    \
	X(VACCEL_RESOURCE_DATA, 1)   \
	X(VACCEL_RESOURCE_MODEL, 2)

/** A shared library to run functions of; data; a model. */
VACCEL_ENUM_DECLARE(vaccel_resource_type, VACCEL_RESOURCE, VACCEL_RESOURCE_TYPE_LIST)

struct vaccel_session;
struct resource_state;

/**
 * struct vaccel_resource - a resource, in the program's memory
 * @id: > 0 while it lives, counted up by one; 0 after its release
 * @remote_id: its id at the agent that does a session's work, else 0
 * @type: what it is; the program may change it, and each call reads it anew
 * @path_type: what @paths lead to
 * @paths: what it was made from; NULL if from memory
 * @nr_paths: how many
 * @rundir: the directory of the files that were made for it; NULL while there are none
 * @blobs: its bytes, file by file; from paths only once it is registered
 * @nr_blobs: how many
 * @plugin_priv: for plugins of older programs; the library leaves it alone
 *
 * What follows @plugin_priv is the library's, and so are paths, rundir and blobs:
 * to be read only.
 */
struct vaccel_resource {
	vaccel_id_t id;
	vaccel_id_t remote_id;
	vaccel_resource_type_t type;
	vaccel_path_type_t path_type;
	char **paths;
	size_t nr_paths;
	char *rundir;
	struct vaccel_blob **blobs;
	size_t nr_blobs;
	void *plugin_priv;

	struct resource_state *state;
};

/**
 * vaccel_resource_init() - a resource from a file, a directory or a URL
 * @res: memory for it; what is in there is not looked at
 * @path: a file, a directory, or a URL with the scheme http, https or file
 * @type: what it is
 *
 * What is there is read, and a URL fetched, when the resource is first registered.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL, an unknown type, a missing file or
 * an unknown scheme; VACCEL_ENOMEM.
 */
int vaccel_resource_init(struct vaccel_resource *res, const char *path,
			 vaccel_resource_type_t type);

/** vaccel_resource_new() - the same, allocated; free with vaccel_resource_delete() */
int vaccel_resource_new(struct vaccel_resource **ret_res, const char *path,
			vaccel_resource_type_t type);

/**
 * vaccel_resource_init_multi() - a resource from several files or URLs
 * @res: memory for it
 * @paths: files, or URLs, not both; their order is kept: a library comes after those it needs
 * @nr_paths: how many, 1 to 65536; a directory only alone
 * @type: what it is
 *
 * Return: as vaccel_resource_init().
 */
int vaccel_resource_init_multi(struct vaccel_resource *res, const char **paths, size_t nr_paths,
			       vaccel_resource_type_t type);

/** vaccel_resource_multi_new() - the same, allocated; free with vaccel_resource_delete() */
int vaccel_resource_multi_new(struct vaccel_resource **ret_res, const char **paths, size_t nr_paths,
			      vaccel_resource_type_t type);

/**
 * vaccel_resource_init_from_buf() - a resource from bytes in memory
 * @res: memory for it
 * @buf: the bytes
 * @nr_bytes: how many, at least 1
 * @type: what it is
 * @filename: its name; NULL names it after its type
 * @mem_only: borrow the bytes, which must outlive the resource, and make no
 *	file; vaccel_resource_sync() writes there. Otherwise they are copied to a
 *	file in the resource's run directory
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ENOMEM; or the errno of writing the file.
 */
int vaccel_resource_init_from_buf(struct vaccel_resource *res, const void *buf, size_t nr_bytes,
				  vaccel_resource_type_t type, const char *filename, bool mem_only);

/** vaccel_resource_from_buf() - the same, allocated; free with vaccel_resource_delete() */
int vaccel_resource_from_buf(struct vaccel_resource **ret_res, const void *buf, size_t nr_bytes,
			     vaccel_resource_type_t type, const char *filename, bool mem_only);

/**
 * vaccel_resource_init_from_blobs() - a resource from blobs
 * @res: memory for it
 * @blobs: copied: those that have a file to files in the resource's run directory,
 *	in the sub-folders that names like "sub/x" ask for, those in memory to
 *	memory; bytes that a blob does not own are borrowed and must outlive
 *	the resource
 * @nr_blobs: how many, 1 to 65536
 * @type: what it is
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, also for a blob that is not valid, or a name
 * that leads out of the directory; VACCEL_ENOMEM; or the errno of writing a file.
 */
int vaccel_resource_init_from_blobs(struct vaccel_resource *res, const struct vaccel_blob **blobs,
				    size_t nr_blobs, vaccel_resource_type_t type);

/** vaccel_resource_from_blobs() - the same, allocated; free with vaccel_resource_delete() */
int vaccel_resource_from_blobs(struct vaccel_resource **ret_res, const struct vaccel_blob **blobs,
			       size_t nr_blobs, vaccel_resource_type_t type);

/**
 * vaccel_resource_release() - unregister a resource everywhere and free what it holds
 * @res: the resource; all zeros afterwards
 *
 * Waits for calls that hold it, and removes the files that were made for it;
 * the program's own files stay.
 *
 * Return: VACCEL_OK, also where vaccel_cleanup() has closed it; VACCEL_EINVAL for
 * NULL or a resource that is released already.
 */
int vaccel_resource_release(struct vaccel_resource *res);

/**
 * vaccel_resource_delete() - release a resource and free it
 * @res: from one of the functions that allocate
 *
 * Return: as vaccel_resource_release(); after VACCEL_EINVAL nothing is freed.
 */
int vaccel_resource_delete(struct vaccel_resource *res);

/**
 * vaccel_resource_refcount() - how many sessions a resource is registered with
 * @res: the resource
 *
 * Return: the number; -VACCEL_EINVAL for NULL or a released resource.
 */
long vaccel_resource_refcount(const struct vaccel_resource *res);

/**
 * vaccel_resource_get_by_id() - find a live resource
 * @ret_res: set to the resource, which stays its owner's
 * @id: its id
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL; VACCEL_ENOENT; VACCEL_EPERM before bootstrap.
 */
int vaccel_resource_get_by_id(struct vaccel_resource **ret_res, vaccel_id_t id);

/**
 * vaccel_resource_get_by_type() - the oldest live resource of a type
 * @ret_res: set to the resource, which stays its owner's
 * @type: the type
 *
 * Return: as vaccel_resource_get_by_id().
 */
int vaccel_resource_get_by_type(struct vaccel_resource **ret_res, vaccel_resource_type_t type);

/**
 * vaccel_resource_get_all_by_type() - all live resources of a type
 * @ret_res: set to an array, oldest first, to be freed with free()
 * @ret_nr: set to how many they are, also to 0
 * @type: the type
 *
 * Return: as vaccel_resource_get_by_id(); VACCEL_ENOMEM.
 */
int vaccel_resource_get_all_by_type(struct vaccel_resource ***ret_res, size_t *ret_nr,
				    vaccel_resource_type_t type);

/**
 * vaccel_resource_register() - let a session use a resource
 * @res: the resource
 * @sess: the session; registering it twice is fine
 *
 * Files are looked up and URLs fetched the first time. If anything fails the
 * resource is as it was.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, also if a file has gone since; VACCEL_ERANGE for
 * a directory beyond bounds; VACCEL_ENOTSUP where libcurl is missing;
 * VACCEL_EREMOTEIO, VACCEL_ELOOP (redirects), VACCEL_ETIMEDOUT if a URL cannot be
 * fetched; VACCEL_EDQUOT past VACCEL_URL_MAX_BYTES; VACCEL_ESESS before bootstrap;
 * VACCEL_ENOMEM; or the errno of reading or writing a file.
 */
int vaccel_resource_register(struct vaccel_resource *res, struct vaccel_session *sess);

/**
 * vaccel_resource_unregister() - end a session's use of a resource
 * @res: the resource, which stays
 * @sess: the session
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, also if it was not registered with @sess.
 */
int vaccel_resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess);

/**
 * vaccel_resource_sync() - bring back what operations changed in a resource
 * @res: a resource whose bytes are in memory only; they are updated there
 * @sess: the session whose operations changed it
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, also for a resource whose blobs are not BUFFERs;
 * VACCEL_EPERM if it is not registered with @sess; or the error of the agent.
 */
int vaccel_resource_sync(struct vaccel_resource *res, struct vaccel_session *sess);

/**
 * vaccel_resource_directory() - the directory that a resource was made from
 * @res: the resource
 * @out: where to write its path, if @alloc is NULL
 * @size: bytes at @out
 * @alloc: NULL, or where to put the path, to be freed with free()
 *
 * A program that made a resource from the blobs of a directory says so by setting
 * @path_type to VACCEL_PATH_LOCAL_DIR; its directory is then the run directory,
 * where all of them lie as files.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL, also if @size is too small; VACCEL_ENOTSUP if
 * it is not a directory; VACCEL_ENOMEM; or the errno of writing a file.
 */
int vaccel_resource_directory(struct vaccel_resource *res, char *out, size_t size, char **alloc);

/**
 * vaccel_resource_file() - the path of one of a resource's blobs
 * @res: the resource, registered if it was made from paths
 * @index: which blob
 * @ret_path: set to its file's path, valid as long as the resource
 *
 * Bytes that are in memory only are written to the resource's run directory first.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ENOMEM; or the errno of writing the file.
 */
int vaccel_resource_file(struct vaccel_resource *res, size_t index, const char **ret_path);

#ifdef __cplusplus
}
#endif

#endif
