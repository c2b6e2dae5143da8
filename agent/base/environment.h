/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent takes from its environment, and what of it a child gets. */
#ifndef VACCEL_AGENT_BASE_ENVIRONMENT_H
#define VACCEL_AGENT_BASE_ENVIRONMENT_H

#define SYSTEM_DIRECTORY "/run/vaccel"

enum variable {
	NOTIFY_SOCKET,
	LISTEN_PID,
	LISTEN_FDS,
	LISTEN_FDNAMES,
	RUNTIME_DIRECTORY,
	XDG_RUNTIME_DIR,
	TMPDIR,
	GLIBC_TUNABLES,
};

/* NULL: not set, or empty. */
const char *environment_text(enum variable variable);

/*
 * Where run-time files of the agent are by default, and its socket files: SYSTEM_DIRECTORY, or a
 * directory of the user's, in which programs look for an agent too. The caller's to free.
 */
int environment_directory(char **ret_path);

/*
 * A child's environment: the settings of vaccel, of its plugins' libraries and of
 * the dynamic linker; and @directory as the place for run-time files. A list that ends
 * with NULL, in one piece of memory with its strings, for the caller to free. NULL after
 * vaccel_fail().
 */
char **environment_of_child(const char *directory);

#endif
