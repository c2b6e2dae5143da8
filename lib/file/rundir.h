/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of this process's run-time files: vaccel/run-PID-XXXXXX under
 * XDG_RUNTIME_DIR, or under a private directory in TMPDIR. It is made when first
 * asked for and removed at cleanup; those of crashed processes are removed by
 * the next one that starts. A forked child makes its own, and what it inherited
 * stays its parent's.
 */
#ifndef VACCEL_FILE_RUNDIR_H
#define VACCEL_FILE_RUNDIR_H

#include <stdbool.h>

/* This process's directory, valid until cleanup or, in the child, fork; NULL after vaccel_fail().
 */
const char *rundir_path(void);

/* Makes a directory NAME_PREFIX-XXXXXX in it. The caller frees *ret_path. */
int rundir_make(const char *name_prefix, char **ret_path);

/* Removes a directory with all that is in it, if it lies in this process's; follows no link. */
void rundir_remove_tree(const char *path);

/* Removes the directories of processes that are no more. Makes nothing. */
void rundir_sweep(void);

/* Removes this process's directory, if it has one. */
void rundir_cleanup(void);

/*
 * The socket file of an agent that this user has started, whether it is there or not, to be
 * freed; NULL if others could put something in its place, or without memory. It is not safe
 * while its directory is not there, which anybody could make, and must not be connected to.
 */
char *rundir_agent_socket(bool *ret_is_safe);

/* Around a fork: nobody is at work while the process is copied, and the child forgets. */
void rundir_before_fork(void);
void rundir_after_fork(bool in_child);

#endif
