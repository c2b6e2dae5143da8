// SPDX-License-Identifier: Apache-2.0
/* Directories that somebody filled who wants them to stay. */
#include <errno.h>
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

#include "agent/base/tree.h"

#define DEEP 500 /* folders, by names of which that many are longer than a path may be */
#define MANY 2000

static char place[] = "/tmp/vaccel-tree-XXXXXX";
static char inside[sizeof(place) + 8];

static int make(void **state)
{
	strcpy(place, "/tmp/vaccel-tree-XXXXXX");
	if (!mkdtemp(place))
		return -1;
	snprintf(inside, sizeof(inside), "%s/inside", place);
	return mkdir(inside, 0700);
}

/* All that has to be left is the directory around it. */
static int drop(void **state)
{
	return rmdir(place);
}

/* The descriptor of the last of them. */
static int make_deep(const char *path, unsigned int depth)
{
	char name[200];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (unsigned int i = 0; i < depth; i++) {
		int below;

		assert_int_equal(mkdirat(fd, name, 0700), 0);
		below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(fd);
		fd = below;
	}
	return fd;
}

static void put(int directory, const char *name)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);

	assert_true(fd >= 0);
	close(fd);
}

static void assert_gone(void)
{
	tree_remove(inside);
	assert_int_equal(access(inside, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static void test_deeper_than_paths_are_long(void **state)
{
	int fd = make_deep(inside, DEEP);

	put(fd, "file");
	close(fd);
	assert_gone();
}

static void test_wide(void **state)
{
	int fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (i % 2)
			put(fd, name);
		else
			assert_int_equal(mkdirat(fd, name, 0700), 0);
	}
	close(fd);
	assert_gone();
}

/* As root, who may enter all of them, this shows nothing. */
static void test_closed_to_its_owner(void **state)
{
	int fd = make_deep(inside, 3);

	put(fd, "file");
	assert_int_equal(fchmodat(fd, "..", 0, 0), 0);
	assert_int_equal(fchmod(fd, 0), 0);
	close(fd);
	assert_gone();
}

static void test_links_are_not_followed(void **state)
{
	int fd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char outside[sizeof(place) + 16], file[sizeof(outside) + 8];

	snprintf(outside, sizeof(outside), "%s/outside", place);
	snprintf(file, sizeof(file), "%s/file", outside);
	assert_int_equal(mkdir(outside, 0700), 0);
	put(AT_FDCWD, file);
	assert_int_equal(symlinkat(outside, fd, "link"), 0);
	assert_int_equal(symlinkat("..", fd, "up"), 0);
	close(fd);
	assert_gone();
	assert_int_equal(access(file, F_OK), 0);
	/* Nor is the tree's own name. */
	assert_int_equal(symlink(outside, inside), 0);
	assert_gone();
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(outside), 0);
}

static void test_what_is_not_there(void **state)
{
	assert_int_equal(rmdir(inside), 0);
	assert_gone();
}

#define BLOCK 4096

/* Empty files and folders are a block, a file of two names is one, and more is more. */
static void test_what_is_there(void **state)
{
	static const char bytes[5 * BLOCK] = "x";
	int fd = make_deep(inside, 3), file;

	assert_false(tree_exceeds(inside, 3 * BLOCK));
	assert_true(tree_exceeds(inside, 3 * BLOCK - 1));
	put(fd, "empty");
	assert_false(tree_exceeds(inside, 4 * BLOCK));
	assert_true(tree_exceeds(inside, 4 * BLOCK - 1));
	assert_int_equal(symlinkat(place, fd, "link"), 0);
	assert_false(tree_exceeds(inside, 5 * BLOCK));
	file = openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(file, bytes, sizeof(bytes)), sizeof(bytes));
	assert_true(tree_exceeds(inside, 9 * BLOCK));
	assert_false(tree_exceeds(inside, 16 * BLOCK));
	assert_int_equal(linkat(fd, "file", fd, "other", 0), 0);
	assert_false(tree_exceeds(inside, 16 * BLOCK));
	close(file);
	close(fd);
	tree_remove(inside);
	assert_false(tree_exceeds(inside, 0));
}

static void test_what_is_too_deep(void **state)
{
	close(make_deep(inside, 40));
	assert_false(tree_exceeds(inside, UINT64_MAX));
	tree_remove(inside);
	assert_int_equal(mkdir(inside, 0700), 0);
	close(make_deep(inside, DEEP));
	assert_true(tree_exceeds(inside, UINT64_MAX));
	tree_remove(inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_deeper_than_paths_are_long, make, drop),
		cmocka_unit_test_setup_teardown(test_wide, make, drop),
		cmocka_unit_test_setup_teardown(test_closed_to_its_owner, make, drop),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, make, drop),
		cmocka_unit_test_setup_teardown(test_what_is_not_there, make, drop),
		cmocka_unit_test_setup_teardown(test_what_is_there, make, drop),
		cmocka_unit_test_setup_teardown(test_what_is_too_deep, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
