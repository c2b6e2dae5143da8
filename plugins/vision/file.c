/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the small text files of a model directory (card, labels). The size is
 * taken from what is read and not from stat(), so that a file that changes in
 * between is still within the limit.
 */
#include "vision/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vaccel/error.h>

#include "vision/util.h"

static void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int check_regular(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st))
		return vaccel_fail(VACCEL_EIO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vaccel_fail(VACCEL_EINVAL, "%s is not a regular file", path);
	return 0;
}

int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_size)
{
	/* O_NONBLOCK: opening a pipe must not wait for its writer. */
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_(freep) char *text = NULL;
	size_t size = 0;
	size_t room = 0;
	ssize_t n;
	int err;

	if (fd < 0)
		return vaccel_fail(errno == ENOENT ? VACCEL_ENOENT : VACCEL_EIO,
				   "cannot open %s: %s", path, strerror(errno));
	err = check_regular(fd, path);
	if (err)
		return err;
	do {
		if (size + 1 >= room) {
			char *grown = realloc(text, room = room ? room * 2 : 4096);

			if (!grown)
				return vaccel_fail(VACCEL_ENOMEM, "no memory to read %s", path);
			text = grown;
		}
		n = read(fd, text + size, room - size - 1);
		if (n < 0)
			return vaccel_fail(VACCEL_EIO, "cannot read %s: %s", path, strerror(errno));
		size += (size_t)n;
		if (size > limit)
			return vaccel_fail(VACCEL_EINVAL, "%s is larger than the %zu bytes allowed",
					   path, limit);
	} while (n > 0);
	text[size] = '\0';
	*ret_text = TAKE(text);
	*ret_size = size;
	return 0;
}
