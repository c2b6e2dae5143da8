/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISION_FILE_H
#define VISION_FILE_H

#include <stddef.h>

/**
 * file_read() - read a small regular file whole
 * @path: the file
 * @limit: largest size accepted, in bytes
 * @ret_text: its bytes and a NUL after them; the caller frees
 * @ret_size: how many bytes, without the NUL
 *
 * Return: 0; ENOENT; EINVAL for anything but a regular file and for one over
 * the limit; EIO; ENOMEM.
 */
int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_size);

#endif
