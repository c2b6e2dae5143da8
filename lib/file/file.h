/* SPDX-License-Identifier: Apache-2.0 */
/* Files that the library makes or reads for blobs. */
#ifndef VACCEL_FILE_FILE_H
#define VACCEL_FILE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	FILE_RANDOM = 1,  /* always a random ending; otherwise only if the name is taken */
	FILE_FOLDERS = 2, /* make the folders that the name has on its way */
};

/* A path put together like printf() does, to be freed; NULL after vaccel_fail(). */
char *file_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Makes a file of that name below @dir that was not there before, for this user
 * alone. The caller frees *ret_path and closes *ret_fd. ENOENT without @dir, or
 * the errno.
 */
int file_create(const char *dir, const char *name, unsigned int flags, char **ret_path,
		int *ret_fd);

/* Writes all of it, or fails with the errno; @path is for the words. */
int file_write(int fd, const char *path, const void *data, size_t size);

/*
 * Maps a file's first @size bytes readable and writable, shared with the file or
 * private to this process; also an empty one. The caller unmaps *ret_mapped bytes.
 */
int file_map(int fd, const char *path, size_t size, bool shared, uint8_t **ret_data,
	     size_t *ret_mapped);

/* Whether a name stays below the directory that it is put into: "x", "sub/x", never "../x". */
static inline bool file_name_valid(const char *name)
{
	if (!name || strlen(name) >= PATH_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(name, "/");

		if (len == 0 || (len == 1 && name[0] == '.') ||
		    (len == 2 && !memcmp(name, "..", 2)))
			return false;
		if (!name[len])
			return true;
		name += len + 1;
	}
}

#endif
