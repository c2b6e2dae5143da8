/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a model consists of, wherever they are. */
#ifndef MODEL_FILES_H
#define MODEL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIGEST_SIZE 32

/** struct digest - SHA-256: what is the same content is known by it */
struct digest {
	uint8_t byte[DIGEST_SIZE];
};

/**
 * struct model_file - one file of a model
 * @name: below the model's directory, "model.onnx" or "weights/0.bin"
 * @path: where it is on disk; NULL if it is in memory
 * @data: the bytes of one in memory, which are not ours
 * @size: how many
 */
struct model_file {
	char *name;
	char *path;
	const void *data;
	size_t size;
};

/**
 * struct model_files - what a model was given as
 * @file: the files
 * @nr: how many
 * @resource: the resource that they are of; NULL for a directory of our own
 * @words: what it is, for error sentences
 */
struct model_files {
	struct model_file *file;
	size_t nr;
	struct vaccel_resource *resource;
	const char *words;
};

/**
 * files_of_resource() - the files of a MODEL resource
 *
 * Return: 0; EINVAL if it is released; ENOMEM.
 */
int files_of_resource(struct vaccel_resource *resource, struct model_files *ret_files);

/** files_of_directory() - the files right in a directory; 0, ENOENT or ENOMEM */
int files_of_directory(const char *path, struct model_files *ret_files);

void files_release(struct model_files *files);

/** files_find() - the file of that name, or NULL */
const struct model_file *files_find(const struct model_files *files, const char *name);

/** files_single() - the file, if it was given by itself and not in a directory; else NULL */
const struct model_file *files_single(const struct model_files *files);

/**
 * files_write() - see that all files are on disk, where frameworks want them that read
 * directories
 *
 * Return: 0; the errors of vaccel_resource_file(); ENOMEM.
 */
int files_write(struct model_files *files);

/**
 * files_digest() - the digest of a model
 * @first: the bytes of its main file, or NULL
 * @first_size: how many
 * @beside: whether a file counts, too, by its name and its bytes; NULL: none does. All that do
 *	are on disk.
 */
int files_digest(const struct model_files *files, const void *first, size_t first_size,
		 bool (*beside)(const struct model_file *file), struct digest *ret_digest);

/**
 * struct bytes - the bytes of a file
 * @own: what to free; NULL if they are someone else's
 */
struct bytes {
	const void *data;
	size_t size;
	char *own;
};

/**
 * file_bytes() - the bytes of a model's file
 * @limit: the most that are accepted
 *
 * Those of a file on disk are read into memory, so that they cannot change, or
 * end early, under a parser.
 *
 * Return: 0; EINVAL over the limit; the errors of reading a file.
 */
int file_bytes(const struct model_file *file, size_t limit, struct bytes *ret_bytes);

void bytes_release(struct bytes *bytes);

#ifdef __cplusplus
}
#endif

#endif
