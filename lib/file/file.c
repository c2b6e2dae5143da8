// SPDX-License-Identifier: Apache-2.0
/*
 * Files that the library makes or reads for blobs. The directories are either
 * the program's choice or below the process's own run directory, so paths are
 * used as they are; names may come from elsewhere and are checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "file/file.h"

char *file_path(const char *format, ...)
{
	va_list args, again;
	char *path;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	path = malloc((size_t)len + 1);
	if (path)
		vsnprintf(path, (size_t)len + 1, format, again);
	else
		vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	va_end(again);
	va_end(args);
	return path;
}

/* Makes the folders between @dir, whose length is given, and the last component of @path. */
static int make_folders(char *path, size_t dir_len)
{
	for (char *slash = strchr(path + dir_len + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0700) && errno != EEXIST;
		if (failed)
			return vaccel_fail(errno, "cannot make directory '%s': %s", path,
					   strerror(errno));
		*slash = '/';
	}
	return VACCEL_OK;
}

int file_create(const char *dir, const char *name, unsigned int flags, char **ret_path, int *ret_fd)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closep) int fd = -1;
	int ret = VACCEL_OK;

	if (!file_name_valid(name))
		return vaccel_fail(VACCEL_EINVAL, "'%.80s' cannot be a file's name", name);
	if (!*dir)
		return vaccel_fail(VACCEL_ENOENT, "the directory for '%.80s' is ''", name);
	/* Room for mkostemp()'s ending. */
	path = file_path("%s/%s%s", dir, name, ".XXXXXX");
	if (!path)
		return VACCEL_ENOMEM;
	if (flags & FILE_FOLDERS)
		ret = make_folders(path, strlen(dir));
	if (ret)
		return ret;
	path[strlen(dir) + 1 + strlen(name)] = '\0';
	if (!(flags & FILE_RANDOM))
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if ((flags & FILE_RANDOM) || (fd < 0 && errno == EEXIST)) {
		path[strlen(path)] = '.';
		fd = mkostemp(path, O_CLOEXEC);
	}
	if (fd < 0)
		return vaccel_fail(errno, "cannot make file '%s': %s", path, strerror(errno));
	*ret_path = TAKE(path);
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

int file_write(int fd, const char *path, const void *data, size_t size)
{
	const char *rest = data;

	while (size) {
		ssize_t written = write(fd, rest, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return vaccel_fail(errno, "cannot write '%s': %s", path, strerror(errno));
		rest += written;
		size -= (size_t)written;
	}
	return VACCEL_OK;
}

int file_map(int fd, const char *path, size_t size, bool shared, uint8_t **ret_data,
	     size_t *ret_mapped)
{
	int flags = shared ? MAP_SHARED : MAP_PRIVATE;
	/* Of an empty file nothing can be mapped, but its data are not NULL either. */
	size_t mapped = size ? size : 1;
	void *data = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
			  size ? flags : MAP_PRIVATE | MAP_ANONYMOUS, size ? fd : -1, 0);

	if (data == MAP_FAILED)
		return vaccel_fail(errno, "cannot map '%s' into memory: %s", path, strerror(errno));
	*ret_data = data;
	*ret_mapped = mapped;
	return VACCEL_OK;
}
