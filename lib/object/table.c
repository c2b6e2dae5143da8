// SPDX-License-Identifier: Apache-2.0
/*
 * Live objects by id; table.h has the promise.
 *
 * Entries come from chunks that are freed with the table only, so a reader may
 * look at an entry at any time: what it finds may be another object's, never
 * unmapped memory. Bucket arrays that were outgrown are kept for the same
 * reason; each is half the size of the next, so all of them together cost no
 * more than the one in use.
 */
#include <stdint.h>
#include <stdlib.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "object/table.h"

#define CLOSED	      0x80000000u
#define CHUNK_ENTRIES 64
#define FIRST_BUCKETS 64
/* How far a reader without the lock follows a chain, which may be moving under it. */
#define CHAIN_MAX 64

struct table_chunk {
	struct table_chunk *next;
	struct table_entry entries[CHUNK_ENTRIES];
};

struct table_buckets {
	struct table_buckets *outgrown;
	size_t mask;
	unsigned int shift; /* 64 less the bits of mask */
	_Atomic(struct table_entry *) head[];
};

static _Atomic(struct table_entry *) *bucket_of(struct table_buckets *buckets, vaccel_id_t id)
{
	/* Fibonacci hashing: ids that survive at a regular distance still spread. */
	return &buckets->head[((uint64_t)id * 0x9e3779b97f4a7c15u) >> buckets->shift];
}

static void link_entry(struct table_buckets *buckets, struct table_entry *entry)
{
	_Atomic(struct table_entry *) *head = bucket_of(buckets, atomic_load(&entry->id));

	atomic_store(&entry->next, atomic_load(head));
	atomic_store_explicit(head, entry, memory_order_release);
}

static void unlink_entry(struct table_buckets *buckets, struct table_entry *entry)
{
	_Atomic(struct table_entry *) *link = bucket_of(buckets, atomic_load(&entry->id));

	while (atomic_load(link) != entry)
		link = &atomic_load(link)->next;
	atomic_store(link, atomic_load(&entry->next));
}

static int grow_buckets(struct table *table)
{
	struct table_buckets *old = atomic_load(&table->buckets);
	size_t size = old ? (old->mask + 1) * 2 : FIRST_BUCKETS;
	struct table_buckets *fresh;

	fresh = calloc(1, sizeof(*fresh) + size * sizeof(fresh->head[0]));
	if (!fresh)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a table of %zu buckets", size);
	fresh->mask = size - 1;
	fresh->shift = 64 - (unsigned int)__builtin_ctzll(size);
	fresh->outgrown = old;
	for (size_t i = 0; old && i <= old->mask; i++) {
		struct table_entry *entry = atomic_load(&old->head[i]);

		while (entry) {
			struct table_entry *next = atomic_load(&entry->next);

			link_entry(fresh, entry);
			entry = next;
		}
	}
	atomic_store_explicit(&table->buckets, fresh, memory_order_release);
	return VACCEL_OK;
}

static int grow_entries(struct table *table)
{
	struct table_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for more table entries");
	chunk->next = table->chunks;
	table->chunks = chunk;
	for (size_t i = 0; i < CHUNK_ENTRIES; i++) {
		atomic_store(&chunk->entries[i].next, table->free);
		table->free = &chunk->entries[i];
	}
	return VACCEL_OK;
}

static int make_room(struct table *table)
{
	struct table_buckets *buckets = atomic_load(&table->buckets);
	int ret = VACCEL_OK;

	if (!buckets || table->count > buckets->mask)
		ret = grow_buckets(table);
	if (!ret && !table->free)
		ret = grow_entries(table);
	return ret;
}

int table_insert(struct table *table, void *object, vaccel_id_t *ret_id,
		 struct table_entry **ret_entry)
{
	SCOPED_LOCK(&table->lock);
	struct table_entry *entry;
	int ret = make_room(table);

	if (ret)
		return ret;
	entry = table->free;
	table->free = atomic_load(&entry->next);
	atomic_store(&entry->object, object);
	atomic_store(&entry->id, ++table->last_id);
	atomic_store_explicit(&entry->refs, 1, memory_order_release);
	link_entry(atomic_load(&table->buckets), entry);
	table->count++;
	*ret_id = table->last_id;
	*ret_entry = entry;
	return VACCEL_OK;
}

/* The entry's id may have become another one by the time it is returned. */
static struct table_entry *find(struct table *table, vaccel_id_t id, size_t steps)
{
	struct table_buckets *buckets = atomic_load_explicit(&table->buckets, memory_order_acquire);
	struct table_entry *entry;

	if (!buckets || id <= 0)
		return NULL;
	entry = atomic_load_explicit(bucket_of(buckets, id), memory_order_acquire);
	for (size_t i = 0; entry && i < steps; i++) {
		if (atomic_load_explicit(&entry->id, memory_order_relaxed) == id)
			return entry;
		entry = atomic_load_explicit(&entry->next, memory_order_acquire);
	}
	return NULL;
}

static bool try_ref(struct table_entry *entry)
{
	unsigned int refs = atomic_load(&entry->refs);

	while (refs != 0 && !(refs & CLOSED))
		if (atomic_compare_exchange_weak(&entry->refs, &refs, refs + 1))
			return true;
	return false;
}

static struct table_entry *try_get(struct table *table, vaccel_id_t id)
{
	struct table_entry *entry = find(table, id, CHAIN_MAX);

	if (!entry || !try_ref(entry))
		return NULL;
	if (likely(atomic_load(&entry->id) == id))
		return entry;
	table_unref(table, entry);
	return NULL;
}

struct table_entry *table_get(struct table *table, vaccel_id_t id)
{
	struct table_entry *entry = try_get(table, id);

	if (likely(entry))
		return entry;
	/* No writer is at work while the lock is held, so a second miss is a true one. */
	pthread_mutex_lock(&table->lock);
	entry = find(table, id, SIZE_MAX);
	if (entry && !try_ref(entry))
		entry = NULL;
	pthread_mutex_unlock(&table->lock);
	return entry;
}

void table_ref(struct table_entry *entry)
{
	atomic_fetch_add(&entry->refs, 1);
}

void table_unref(struct table *table, struct table_entry *entry)
{
	if (atomic_fetch_sub(&entry->refs, 1) & CLOSED) {
		SCOPED_LOCK(&table->lock);
		pthread_cond_broadcast(&table->drained);
	}
}

unsigned int table_refs(const struct table_entry *entry)
{
	return (atomic_load(&entry->refs) & ~CLOSED) - 1;
}

void table_remove(struct table *table, struct table_entry *entry)
{
	SCOPED_LOCK(&table->lock);

	unlink_entry(atomic_load(&table->buckets), entry);
	table->count--;
	atomic_store(&entry->id, 0);
	/* One step: the table's own reference goes and the entry closes. */
	atomic_fetch_add(&entry->refs, CLOSED - 1);
	while (atomic_load(&entry->refs) > (CLOSED | entry->lost))
		pthread_cond_wait(&table->drained, &table->lock);
	entry->lost = 0;
	atomic_store(&entry->refs, 0);
	atomic_store(&entry->object, NULL);
	atomic_store(&entry->next, table->free);
	table->free = entry;
}

void table_each(struct table *table, bool (*visit)(void *object, void *context), void *context)
{
	SCOPED_LOCK(&table->lock);
	struct table_buckets *buckets = atomic_load(&table->buckets);

	for (size_t i = 0; buckets && i <= buckets->mask; i++) {
		struct table_entry *entry = atomic_load(&buckets->head[i]);

		for (; entry; entry = atomic_load(&entry->next))
			if (!visit(atomic_load(&entry->object), context))
				return;
	}
}

size_t table_count(struct table *table)
{
	SCOPED_LOCK(&table->lock);
	return table->count;
}

void table_before_fork(struct table *table)
{
	pthread_mutex_lock(&table->lock);
}

static void lose_references(struct table *table)
{
	for (struct table_chunk *chunk = table->chunks; chunk; chunk = chunk->next)
		for (size_t i = 0; i < CHUNK_ENTRIES; i++)
			if (atomic_load(&chunk->entries[i].id))
				chunk->entries[i].lost = table_refs(&chunk->entries[i]);
}

void table_after_fork(struct table *table, bool in_child)
{
	if (in_child) {
		table->drained = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
		lose_references(table);
	}
	pthread_mutex_unlock(&table->lock);
}

void table_clear(struct table *table)
{
	SCOPED_LOCK(&table->lock);
	struct table_buckets *buckets = atomic_exchange(&table->buckets, NULL);

	while (buckets) {
		struct table_buckets *outgrown = buckets->outgrown;

		free(buckets);
		buckets = outgrown;
	}
	while (table->chunks) {
		struct table_chunk *next = table->chunks->next;

		free(table->chunks);
		table->chunks = next;
	}
	table->free = NULL;
	table->count = 0;
}
