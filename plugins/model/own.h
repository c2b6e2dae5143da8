/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sessions have of models as their own. One list for all sessions and models of a
 * plugin: it is short. An entry goes with its session or with its model, whichever is
 * first; neither goes while a call uses it.
 */
#ifndef MODEL_OWN_H
#define MODEL_OWN_H

#include <pthread.h>

#include <vaccel/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct own - the beginning of an entry, which the plugin allocates
 * @next: the next one
 * @model: what it is of
 * @session: the slot of the session whose it is
 */
struct own {
	struct own *next;
	const void *model, *session;
};

/**
 * struct owns - all of a plugin's
 * @lock: for @first and all next; PTHREAD_MUTEX_INITIALIZER
 * @first: the list
 * @drop: frees an entry
 */
struct owns {
	pthread_mutex_t lock;
	struct own *first;
	void (*drop)(struct own *own);
};

/** owns_find() - a session's of a model, or NULL. The lock is held. */
struct own *owns_find(const struct owns *owns, const void *model, const void *session);

/** owns_add() - the list has it from now on. The lock is held. */
void owns_add(struct owns *owns, struct own *own, const void *model, const void *session);

/** owns_forget() - drop those of a model, or of a session; the other is NULL */
void owns_forget(struct owns *owns, const void *model, const void *session);

/**
 * own_slot_open() - a plugin's session_open(), if its slot is to tell sessions apart
 *
 * Return: 0; ENOMEM. The slot is for free().
 */
int own_slot_open(struct vaccel_session *session, void **ret_slot);

#ifdef __cplusplus
}
#endif

#endif
