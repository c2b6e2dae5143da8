/* SPDX-License-Identifier: Apache-2.0 */
/* One plugin: found, opened, checked; or only listed from its manifest. */
#ifndef VACCEL_PLUGIN_LOAD_H
#define VACCEL_PLUGIN_LOAD_H

#include "plugin/registry.h"

/* The file that a name, a file name or a path means; malloc'd. */
int plugin_find(const char *name, char **ret_path);

/* A plugin that is only listed: from the manifest beside it; or NULL if there is none. */
struct plugin *plugin_listed(const char *path);

/* The same; one without a manifest is named after its file libvaccel-NAME.so. NULL for ENOMEM. */
struct plugin *plugin_described(const char *path);

/* A plugin of this file, not yet opened. NULL for ENOMEM. */
struct plugin *plugin_new(const char *path);

/* Brings its file into memory and runs nothing of the plugin's, so that it can be recognized. */
int plugin_map(struct plugin *plugin);

/* Opens it, checks it and calls its init(). Once: a failure is remembered and said again. */
int plugin_open(struct plugin *plugin, bool version_ignore);

/* In the child of a fork: one that another thread was loading has failed. */
void plugin_after_fork(struct plugin *plugin);

/* Calls fini() and frees it. NULL is fine. */
void plugin_delete(struct plugin *plugin);
void plugin_deletep(struct plugin **plugin);

#endif
