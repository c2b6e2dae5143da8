/* SPDX-License-Identifier: Apache-2.0 */
/* Walls around a child of the supervisor, from inside: they cannot be taken down again. */
#ifndef VACCEL_AGENT_SANDBOX_SANDBOX_H
#define VACCEL_AGENT_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What kind of child it is: which system calls it needs at all. */
enum sandbox_role { SANDBOX_WORKER, SANDBOX_FRONT, SANDBOX_MONITOR };

struct sandbox {
	enum sandbox_role role;
	const char *directory; /* the only one to write below; NULL: none */
	const char *const
		*read_paths; /* beside system libraries and vaccel's own tree; NULL: none */
	size_t nr_read_paths;
	uint64_t memory; /* bytes of data, but under a sanitizer, which has more; 0: no limit */
	uint64_t file;	 /* bytes of a file that it writes; 0: no limit */
	bool libraries;	 /* code may be loaded from files later: exec with libraries that a policy
			    names, or uploaded ones */
};

/*
 * No new privileges, no capabilities, no core dumps, limits, Landlock and
 * seccomp. What the loaded plugins declare in their needs is let through. To be
 * called when plugins are loaded and before any thread is made; a kernel that lacks
 * a part of it is an error, with what is missing, unless @ret_missing takes the words.
 */
int sandbox_enter(const struct sandbox *sandbox, char **ret_missing);

#endif
