/* SPDX-License-Identifier: Apache-2.0 */
/* The state of libvaccel in this process, and ways to change it for having a look around. */
#ifndef CLI_LIBRARY_H
#define CLI_LIBRARY_H

#include <stdbool.h>

/* Why the library cannot be used as the environment configures it; NULL if it can. */
const char *library_failure(void);

/* The same; says so on stderr if it cannot. */
bool library_ready(void);

/* Starts the library anew without plugins, whatever the environment asks for. 0 or a code. */
int library_empty(void);

/*
 * Loads, beside what the configuration brought, each plugin of the installation, so that
 * vaccel_plugin_at() tells all about them. Those that cannot be loaded are left out.
 */
void library_load_all(void);

/* Whether the plugin of this file is loaded or listed. */
bool library_has(const char *path);

#endif
