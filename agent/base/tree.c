// SPDX-License-Identifier: Apache-2.0
/*
 * Directories with all that is below them. Nobody is told of what cannot be removed:
 * it shows when its directory cannot be, and the caller knows whether that matters.
 */
#include <ftw.h>
#include <stdio.h>

#include "agent/base/tree.h"

#define TREE_FDS 32

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *where)
{
	remove(path);
	return 0;
}

void tree_remove(const char *path)
{
	nftw(path, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}
