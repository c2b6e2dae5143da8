/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the agent keeps what lives no longer than itself: BASE/agent-PID-XXXXXX, closed to
 * others, with a directory for each worker in it. Nobody waits for what is removed.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_ASIDE_DIRECTORY_H
#define VACCEL_AGENT_SUPERVISOR_ASIDE_DIRECTORY_H

#include "agent/supervisor/aside/remover.h"

struct directory {
	char *base;
	char *path;
	int lock; /* says to other agents that it is in use; the kernel drops it with the process */
	struct remover *remover;
};

/* Makes it, and removes those that killed agents left in @base. */
int directory_open(const char *base, struct directory *ret_directory);

/* With all that is in it, when that is removed; @base too if it is empty and can be removed. */
void directory_close(struct directory *directory);

/* A new one for a worker of that tenant. The caller's to free. */
int directory_new(struct directory *directory, const char *tenant, char **ret_path);

/* With all that is in it. Takes @path; NULL is fine. */
void directory_remove(struct directory *directory, char *path);

#endif
