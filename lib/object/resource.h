/* SPDX-License-Identifier: Apache-2.0 */
/* The library's side of a resource. */
#ifndef VACCEL_OBJECT_RESOURCE_H
#define VACCEL_OBJECT_RESOURCE_H

#include <pthread.h>
#include <stdatomic.h>

#include <vaccel/resource.h>

#include "object/id_list.h"
#include "object/table.h"
#include "plugin/slots.h"

struct resource_state {
	struct table_entry *entry;
	struct resource_state *next; /* of those that a cleanup closes */
	/* The program's struct; NULL until it is filled. */
	_Atomic(struct vaccel_resource *) shown;
	/* What it is and has, whatever became of the program's struct. */
	struct vaccel_resource own;
	pthread_mutex_t
		lock; /* own's rundir and blobs, sessions, closing; taken before a session's */
	struct id_list sessions; /* with which it is registered */
	bool resolved;		 /* paths have become blobs, all of them */
	bool closing;
	struct slots slots;
};

/* A plugin's side of a resource. */
extern const struct slot_kind slots_resource;

/* A live resource, counted: it stays until vaccel_resource_unref(). NULL if there is none. */
struct vaccel_resource *resource_get(vaccel_id_t id);

/* The session is being closed. */
void resource_forget_session(vaccel_id_t resource, vaccel_id_t session);

/*
 * Closes the library's side of every resource left, without a look at the
 * programs' structs. No call may be running.
 */
void resources_close_all(void);

/* See table_before_fork(). */
void resources_before_fork(void);
void resources_after_fork(bool in_child);

/* For the parts of a resource's code */

/* Gives a resource its id and the program its struct. Takes the state if it succeeds. */
int resource_publish(struct vaccel_resource *res, struct resource_state **state);
void resource_state_delete(struct resource_state *state);

/* The counted state of a live resource; NULL if that is not what the program's struct is. */
struct resource_state *resource_find(const struct vaccel_resource *res);
void resource_state_unref(struct resource_state *state);
int resource_fail_not_live(void);

static inline void resource_state_unrefp(struct resource_state **state)
{
	resource_state_unref(*state);
}

/* Shows the program what became of its resource; the type is its own to change. */
void resource_show(struct resource_state *state);

/* The resource's own directory, made if need be. The resource is locked or not yet published. */
int resource_rundir(struct resource_state *state, const char **ret_path);

/* Room for so many blobs, none of which is there yet. */
int resource_alloc_blobs(struct resource_state *state, size_t nr);

/* Turns the paths into blobs. The resource is locked. After a failure nothing is left of it. */
int resource_resolve(struct resource_state *state);

/* Releases all blobs, and removes the files that were made. */
void resource_drop_blobs(struct resource_state *state);

#endif
