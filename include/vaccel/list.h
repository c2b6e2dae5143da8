/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A doubly linked list whose links lie in the items, for programs that came to
 * rely on having one here. The library itself does not use it.
 */
#ifndef VACCEL_LIST_H
#define VACCEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A link, or the head of a list. */
typedef struct vaccel_list_entry {
	struct vaccel_list_entry *next;
	struct vaccel_list_entry *prev;
} vaccel_list_entry_t;

typedef vaccel_list_entry_t vaccel_list_t;

/** vaccel_list_init() - make a head an empty list, or an entry one in no list */
static inline void vaccel_list_init(vaccel_list_entry_t *entry)
{
	entry->next = entry;
	entry->prev = entry;
}

/** vaccel_list_empty() - whether a list has no entries */
static inline bool vaccel_list_empty(const vaccel_list_entry_t *head)
{
	return head->next == head;
}

/** vaccel_list_add_tail() - put an entry that is in no list at a list's end */
static inline void vaccel_list_add_tail(vaccel_list_entry_t *head, vaccel_list_entry_t *entry)
{
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

/** vaccel_list_unlink() - take an entry out of its list, if it is in one */
static inline void vaccel_list_unlink(vaccel_list_entry_t *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	vaccel_list_init(entry);
}

/** vaccel_list_container() - the struct of type @type whose @member an entry is */
#define vaccel_list_container(entry, type, member) \
	((type *)(void *)((char *)(entry)-offsetof(type, member)))

/** vaccel_list_for_each() - visit each entry; the one at hand may be unlinked on the way */
#define vaccel_list_for_each(entry, following, head)                                 \
	for ((entry) = (head)->next, (following) = (entry)->next; (entry) != (head); \
	     (entry) = (following), (following) = (entry)->next)

#ifdef __cplusplus
}
#endif

#endif
