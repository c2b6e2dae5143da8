/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting processes without what the supervisor holds for peers. A process that is
 * forked has copies of all descriptors, and closing one may take as long as somebody
 * else likes: of a file of FUSE that a monitor has passed, say. So a thread that has
 * none of them does it.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_CHILD_STARTER_H
#define VACCEL_AGENT_SUPERVISOR_CHILD_STARTER_H

#include <sys/types.h>

#include "agent/base/log.h"

#define CHILD_FDS (LOG_FD + 1)

/* What becomes of this program in a child. */
struct image {
	char *argv[2];
	char **envp;
	const char *directory;
	int fds[CHILD_FDS]; /* by the child's number, and the caller's; -1: none */
};

/* The first starts the thread, and closes what came before that in there. */
int image_start(const struct image *image, pid_t *ret_pid);

#endif
