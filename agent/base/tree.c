// SPDX-License-Identifier: Apache-2.0
/*
 * Directories with all that is below them. Whoever filled one may have meant harm: it
 * may be deeper than paths are long, or closed to its owner. So it is walked by
 * descriptors, of which there are few, and what lies deeper is moved to the top before it
 * is removed, and taken for too much when it is counted. Nobody is told of what cannot be
 * removed: it shows when its directory cannot be, and the caller knows whether that
 * matters.
 */
#include "agent/base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/util.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Folders on the way to what is not moved; each has a descriptor. A resource's files have fewer. */
#define DEPTH_MAX 40

/* What st_blocks counts; what the smallest file, a folder and a further name of a file take at
 * least. */
#define SECTOR 512
#define BLOCK  4096

struct tree {
	int top;
	uint64_t next_name; /* of what is moved there */
};

static void empty(struct tree *tree, int fd, unsigned int depth);

static int open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, DIR_FLAGS);

	if (fd < 0 && errno == EACCES && !fchmodat(parent, name, 0700, 0))
		fd = openat(parent, name, DIR_FLAGS);
	return fd;
}

static bool move_to_top(struct tree *tree, int parent, const char *name)
{
	char moved[32];

	snprintf(moved, sizeof(moved), "%016" PRIx64, tree->next_name++);
	/* Only who may write to a directory can give it another parent. */
	fchmodat(parent, name, 0700, 0);
	return !renameat(parent, name, tree->top, moved);
}

/* False: it is there still. */
static bool remove_entry(struct tree *tree, int parent, const char *name, unsigned int depth)
{
	int fd;

	if (!unlinkat(parent, name, 0) || !unlinkat(parent, name, AT_REMOVEDIR))
		return true;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return false;
	if (depth == DEPTH_MAX)
		return move_to_top(tree, parent, name);
	fd = open_directory(parent, name);
	if (fd >= 0)
		empty(tree, fd, depth + 1);
	return !unlinkat(parent, name, AT_REMOVEDIR);
}

/* Takes the descriptor. Looks again until there is nothing more that can be removed. */
static void empty(struct tree *tree, int fd, unsigned int depth)
{
	_cleanup_(closedirp) DIR *stream = fdopendir(fd);
	const struct dirent *entry;
	bool again = stream;

	if (!stream)
		close(fd);
	while (again) {
		again = false;
		rewinddir(stream);
		while ((entry = readdir(stream)))
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				again |= remove_entry(tree, fd, entry->d_name, depth);
	}
}

void tree_remove(const char *path)
{
	struct tree tree = {.top = open_directory(AT_FDCWD, path)};

	if (tree.top >= 0 &&
	    getrandom(&tree.next_name, sizeof(tree.next_name), 0) == sizeof(tree.next_name))
		empty(&tree, tree.top, 0);
	else
		closep(&tree.top);
	remove(path);
}

/* Counting */

static bool all_fits(int fd, uint64_t *left, unsigned int depth);

/* What it takes, all its names together; of each its share. */
static bool entry_fits(int parent, const char *name, uint64_t *left, unsigned int depth)
{
	struct stat st;
	uint64_t size;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return true;
	size = (uint64_t)st.st_blocks * SECTOR;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		size /= st.st_nlink;
	size = MAX_OF(size, BLOCK);
	if (size > *left)
		return false;
	*left -= size;
	if (!S_ISDIR(st.st_mode))
		return true;
	fd = depth == DEPTH_MAX ? -1 : open_directory(parent, name);
	return fd < 0 ? depth < DEPTH_MAX : all_fits(fd, left, depth + 1);
}

/* Takes the descriptor. */
static bool all_fits(int fd, uint64_t *left, unsigned int depth)
{
	_cleanup_(closedirp) DIR *stream = fdopendir(fd);
	const struct dirent *entry;
	bool fits = true;

	if (!stream)
		close(fd);
	while (stream && fits && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fits = entry_fits(fd, entry->d_name, left, depth);
	return fits;
}

bool tree_exceeds(const char *path, uint64_t most)
{
	int fd = open_directory(AT_FDCWD, path);

	return fd >= 0 && !all_fits(fd, &most, 0);
}
