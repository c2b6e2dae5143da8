/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins of this process, in the order in which they are asked, and the
 * choice among them. A plugin is listed first and loaded when needed; it stays
 * until the cleanup, so pointers to it are good that long.
 */
#ifndef VACCEL_PLUGIN_REGISTRY_H
#define VACCEL_PLUGIN_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <vaccel/plugin.h>

#include "call/op.h"

/* One operation of one plugin: what a session remembers of its choice. */
struct binding {
	const struct plugin *plugin;
	int (*run)(struct vaccel_call *call, void *args);
};

enum plugin_state {
	PLUGIN_LISTED, /* known by its manifest */
	PLUGIN_LOADING,
	PLUGIN_LOADED,
	PLUGIN_FAILED /* tried, could not be loaded */
};

struct plugin {
	/* First, since a session's `plugin` points here. Before loading only info is set. */
	struct vaccel_plugin desc;
	struct vaccel_plugin_info info; /* from the manifest */
	char *manifest;			/* the text that info points into */
	char *path;
	_Atomic(void *) handle; /* dlopen's */
	_Atomic(enum plugin_state) state;
	pthread_mutex_t lock; /* loading; failure */
	int failure_code;
	char *failure;
	atomic_bool offers[OP_COUNT];	  /* by the manifest, then by the plugin */
	struct binding binding[OP_COUNT]; /* run is NULL where it offers nothing */
	_Atomic(struct plugin *) next;
};

/*
 * What a plugin's function returned, after error_code_forget(); if it gave no
 * words, "plugin NAME could not @what".
 */
int plugin_result(const struct vaccel_plugin *plugin, const char *what, int ret);

/*
 * Replaces all plugins by those of @list ("auto", or names with ":" between), or
 * none for NULL. After an error there are none.
 */
int registry_open(const char *list, bool version_ignore);
void registry_close(void);

/* See unlock_in_child(). */
void registry_after_fork(void);

/* Adds to the plugins; used between registry_open() and registry_close(). */
int registry_load(const char *name);
int registry_load_list(const char *list);

/* Whether a session with these flags wants its work done elsewhere; one that takes any does not. */
static inline bool insists_on_remote(unsigned int hint)
{
	return hint & VACCEL_PLUGIN_REMOTE && hint != VACCEL_PLUGIN_ALL;
}

/* The plugin that a session with these flags prefers. ENOTSUP if none fits. */
int registry_prefer(unsigned int hint, struct plugin **ret_plugin);

/* Whether a plugin other than a remote one is loaded or listed. */
bool registry_has_local(void);

/*
 * The first plugin at or after *@position, in the order for @hint, that offers
 * the operation and is loaded now if it was not; *@position is moved past it.
 * Start with 0, and go on if that one does not take the call. ENOTSUP, saying why,
 * if there is none left.
 */
int registry_choose(const struct vaccel_op *op, unsigned int hint, size_t *position,
		    const struct binding **ret_binding);

#endif
