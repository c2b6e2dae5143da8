/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a sandbox, in the order in which they are closed. */
#ifndef VACCEL_AGENT_SANDBOX_PARTS_H
#define VACCEL_AGENT_SANDBOX_PARTS_H

#include <vaccel/plugin.h>

#include "agent/sandbox/sandbox.h"

/* A sandbox and the needs of those inside. */
struct walls {
	const struct sandbox *sandbox;
	const struct vaccel_plugin_needs *const *needs;
	size_t nr_needs;
};

/* What the kernel lacks, as sentences. */
struct missing {
	char *text; /* NULL: nothing */
};

void missing_add(struct missing *missing, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether some plugin names it among its system calls. */
bool walls_declare(const struct walls *walls, const char *system_call);

/* The bits NEED_* of system_calls.h that hold. */
unsigned int walls_needs(const struct walls *walls);

/* As sandbox_enter(), with these needs instead of those of the loaded plugins. */
int walls_close(const struct walls *walls, char **ret_missing);

/* What the kernel's Landlock can restrict grew with its version; 0: there is none. */
long landlock_version(void);

/* Files, sockets and signals: by Landlock, as of a version that the kernel has. */
int landlock_close(const struct walls *walls, long version, struct missing *missing);

/* System calls: by seccomp. Afterwards no filter can be added. */
int filter_close(const struct walls *walls, struct missing *missing);

#endif
