/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of live objects by id. Ids count up by one and are never reused; the
 * table grows without limit. Look-ups of live ids take no lock: entries are
 * never returned to malloc while the table lives, and a reader that raced with
 * a removal notices by the reference count and the id. Only a miss takes the
 * writers' mutex, to be sure.
 *
 * An object is counted: the table holds one reference from insert to remove,
 * table_get() adds one, and table_remove() waits for the others to be dropped,
 * so that the owner may free the memory when it returns.
 */
#ifndef VACCEL_OBJECT_TABLE_H
#define VACCEL_OBJECT_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <vaccel/id.h>

struct table_entry {
	_Atomic vaccel_id_t id;	   /* 0 while the entry is on the free list */
	_Atomic unsigned int refs; /* 0 while free; removal sets TABLE_CLOSED */
	unsigned int lost;	   /* table's lock: of them, those that nobody gives back */
	_Atomic(void *) object;
	_Atomic(struct table_entry *) next; /* in its bucket, or on the free list */
};

struct table_buckets;
struct table_chunk;

struct table {
	pthread_mutex_t lock;	/* writers, and readers after a miss */
	pthread_cond_t drained; /* a closed entry's last reference went */
	_Atomic(struct table_buckets *) buckets;
	struct table_entry *free;   /* lock */
	struct table_chunk *chunks; /* lock; all entries there are */
	vaccel_id_t last_id;	    /* lock */
	size_t count;		    /* lock */
};

#define TABLE_INIT                                                                     \
	{                                                                              \
		.lock = PTHREAD_MUTEX_INITIALIZER, .drained = PTHREAD_COND_INITIALIZER \
	}

/* Gives @object the next id, counted once for the table itself. ENOMEM. */
int table_insert(struct table *table, void *object, vaccel_id_t *ret_id,
		 struct table_entry **ret_entry);

/* The entry of a live id with one more reference, or NULL. */
struct table_entry *table_get(struct table *table, vaccel_id_t id);

/* One more reference to an entry that the caller holds one of already, or whose object it keeps. */
void table_ref(struct table_entry *entry);
void table_unref(struct table *table, struct table_entry *entry);

/* References beside the table's own. */
unsigned int table_refs(const struct table_entry *entry);

/* Makes the id unknown, waits until all other references are dropped, frees the entry. */
void table_remove(struct table *table, struct table_entry *entry);

/* Calls @visit for each live object, in no order, the lock held; stops when it returns false. */
void table_each(struct table *table, bool (*visit)(void *object, void *context), void *context);

size_t table_count(struct table *table);

/*
 * Around a fork: holds off writers before it, lets them go on after it. A child
 * has only the thread that forked, so nobody waits there, nor for what others held.
 */
void table_before_fork(struct table *table);
void table_after_fork(struct table *table, bool in_child);

/*
 * Forgets every object and frees the memory; ids go on counting. Nobody else
 * may be using the table.
 */
void table_clear(struct table *table);

#endif
