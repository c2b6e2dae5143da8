/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories that tests make. */
#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A fresh directory, mode 0700; the caller frees the path. */
static inline char *dir_new(void)
{
	char *path = strdup("/tmp/vaccel-test-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

/* DIR/NAME; the caller frees it. */
static inline char *path_in(const char *dir, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static inline void file_fill(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/* Makes DIR/NAME with that text in it and gives its path, which the caller frees. */
static inline char *file_new(const char *dir, const char *name, const char *text)
{
	char *path = path_in(dir, name);

	file_fill(path, text, strlen(text));
	return path;
}

static inline void dir_make(const char *dir, const char *name)
{
	char *path = path_in(dir, name);

	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
}

static inline void assert_file_is(const char *path, const char *text)
{
	char buf[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

static inline size_t dir_count(const char *path)
{
	DIR *dir = opendir(path);
	size_t nr = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr - 2;
}

static inline int descriptors(void)
{
	return (int)dir_count("/proc/self/fd");
}

/* Mapped pieces of files, memfds too. */
static inline int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	int nr = 0;

	assert_non_null(maps);
	/* What has no name is an allocator's. */
	while (fgets(line, sizeof(line), maps))
		nr += strchr(line, '/') != NULL;
	fclose(maps);
	return nr;
}

static inline void dir_remove(char *path)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	assert_int_equal(system(command), 0);
	free(path);
}

#endif
