/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered set of ids that is read without a lock while one writer at a time
 * changes it: the resources of a session, the sessions of a resource. Adding,
 * removing and asking take the same time for a million ids as for ten. All
 * zeros is an empty list, which costs no memory.
 *
 * A reader never meets freed memory. It may miss an id that is being added or
 * still see one being removed, as if it had come a moment earlier.
 */
#ifndef VACCEL_OBJECT_ID_LIST_H
#define VACCEL_OBJECT_ID_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <vaccel/id.h>

struct id_set;

struct id_list {
	_Atomic(struct id_set *) set;
	_Atomic unsigned int version; /* odd while ids are being moved together */
	_Atomic size_t count;
	size_t next_turn; /* writers */
};

/* Writers; the caller makes sure there is one at a time. Ids keep the order in which they came. */
int id_list_add(struct id_list *list, vaccel_id_t id);	   /* ENOMEM; twice is fine */
bool id_list_remove(struct id_list *list, vaccel_id_t id); /* whether it was there */
void id_list_clear(struct id_list *list);		   /* nobody else may be reading */
void id_list_after_fork(struct id_list *list); /* in the child: no writer is at work any more */

/* Readers, at any time */
bool id_list_has(const struct id_list *list, vaccel_id_t id);
size_t id_list_count(const struct id_list *list);

/* The id at or after *position, which is moved past it; 0 at the end. Start with *position 0. */
vaccel_id_t id_list_next(const struct id_list *list, size_t *position);

#endif
