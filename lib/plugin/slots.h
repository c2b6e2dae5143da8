/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins' own sides of one session or one resource: each plugin has a slot,
 * made when first asked for. Finding a slot takes no lock; making one holds the
 * object's, so that two threads never make two.
 */
#ifndef VACCEL_PLUGIN_SLOTS_H
#define VACCEL_PLUGIN_SLOTS_H

#include <pthread.h>
#include <stdatomic.h>

struct plugin;
struct slot;

struct slots {
	_Atomic(struct slot *) head; /* only ever prepended to */
	pthread_mutex_t lock;	     /* making a slot */
};

#define SLOTS_INIT                                \
	{                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER \
	}

/* Which of a plugin's hooks make and close the slots: those for sessions or those for resources. */
struct slot_kind {
	const char *what; /* a plugin could not */
	int (*open)(const struct plugin *plugin, void *object, void **ret_value);
	void (*close)(const struct plugin *plugin, void *object, void *value);
};

/* The plugin's slot for @object, the session or the resource; made if need be. */
int slots_get(struct slots *slots, const struct slot_kind *kind, const struct plugin *plugin,
	      void *object, void **ret_slot);

/*
 * Calls @visit for each slot while none is being made, and stops at the first that does not
 * return VACCEL_OK.
 */
int slots_each(struct slots *slots,
	       int (*visit)(const struct plugin *plugin, void *slot, void *context), void *context);

/* Closes every slot of @object and forgets it. Nobody else may be using it. */
void slots_close(struct slots *slots, void *object);

#endif
