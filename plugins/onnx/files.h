/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a model consists of, wherever they are. */
#ifndef ONNX_FILES_H
#define ONNX_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vaccel/resource.h>

/** The largest ONNX file; it is the format's own limit. Larger weights lie in files beside it. */
#define ONNX_SIZE_MAX INT32_MAX

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

/** files_of_resource() - the files of a MODEL resource; 0, EINVAL if it has none, or ENOMEM */
int files_of_resource(struct vaccel_resource *resource, struct model_files *ret_files);

/** files_of_directory() - the files right in a directory; 0, ENOENT or ENOMEM */
int files_of_directory(const char *path, struct model_files *ret_files);

void files_release(struct model_files *files);

/** files_find() - the file of that name, or NULL */
const struct model_file *files_find(const struct model_files *files, const char *name);

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

/**
 * struct content - an ONNX model, ready to be parsed
 * @onnx: the ONNX file
 * @folder: the directory of the files that its weights lie in; NULL if it has none
 * @digest: of all that
 * @words: what messages call it; as the files it was read from
 */
struct content {
	struct bytes onnx;
	char *folder;
	struct digest digest;
	const char *words;
};

/** content_read() - read a model's ONNX file, and what goes with it */
int content_read(struct model_files *files, struct content *ret_content);

void content_release(struct content *content);

#endif
