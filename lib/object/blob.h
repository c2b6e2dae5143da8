/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_OBJECT_BLOB_H
#define VACCEL_OBJECT_BLOB_H

#include <vaccel/blob.h>

/* An empty file's blob has no bytes, which the public functions refuse. */
int blob_from_bytes(struct vaccel_blob **ret_blob, const uint8_t *data, size_t size, bool own,
		    const char *name);

/* A FILE. The name may have sub-folders that are part of the path. */
int blob_from_file(struct vaccel_blob **ret_blob, const char *path, const char *name, bool own);

/*
 * Gives a BUFFER a file as well, below @dir with the folders of its name; it
 * goes on being a BUFFER, its bytes where they are.
 */
int blob_write(struct vaccel_blob *blob, const char *dir);

/* Copies what has a file to one below @dir, which the blob then maps. */
int blob_copy_file(struct vaccel_blob **ret_blob, const struct vaccel_blob *source,
		   const char *dir);

#endif
