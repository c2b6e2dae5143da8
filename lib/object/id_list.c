// SPDX-License-Identifier: Apache-2.0
/*
 * Ids in the order in which they came, with a hash index over them; id_list.h
 * has the promise.
 *
 * Each id has a turn, which counts up and is what a reader's position means, so
 * that a walk survives whatever the writer does. A removed id leaves a gap. When
 * gaps become many, or the places are used up, the ids are moved together, in
 * place as long as the memory is enough. Sets that were outgrown stay until the
 * list is cleared, since a reader may be in one; together they are no larger
 * than the one in use. A reader that finds the version odd, or changed, looks
 * again. Stores are releases and loads acquires throughout, so that a reader
 * that saw a moved id sees the changed version, too.
 */
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "object/id_list.h"

#define FIRST_CAPACITY 4
#define CAPACITY_MAX   (1u << 24)

struct id_place {
	_Atomic vaccel_id_t id; /* 0 is a gap */
	_Atomic size_t turn;	/* ascending */
};

struct id_set {
	struct id_set *outgrown;
	_Atomic uint32_t *index;   /* 2 * capacity: a place's number plus 1, or 0 */
	uint32_t room;		   /* capacity that there is memory for */
	_Atomic uint32_t capacity; /* places in use at most, a power of two */
	_Atomic uint32_t used;	   /* places, gaps included */
	struct id_place place[];
};

#define load(p)	    atomic_load_explicit(p, memory_order_acquire)
#define store(p, v) atomic_store_explicit(p, v, memory_order_release)

static uint32_t hash(vaccel_id_t id, uint32_t mask)
{
	return (uint32_t)(((uint64_t)id * 0x9e3779b97f4a7c15u) >> 32) & mask;
}

/* At most half of the index is in use, so a probe ends; the bound is for one that moves. */
static struct id_place *find(struct id_set *set, vaccel_id_t id)
{
	uint32_t slots = set ? 2 * load(&set->capacity) : 0;

	for (uint32_t i = 0; i < slots; i++) {
		uint32_t number = load(&set->index[(hash(id, slots - 1) + i) & (slots - 1)]);

		if (!number)
			break;
		if (load(&set->place[number - 1].id) == id)
			return &set->place[number - 1];
	}
	return NULL;
}

static void append(struct id_set *set, vaccel_id_t id, size_t turn)
{
	uint32_t mask = 2 * load(&set->capacity) - 1;
	uint32_t number = load(&set->used);
	uint32_t i = hash(id, mask);

	store(&set->place[number].turn, turn);
	store(&set->place[number].id, id);
	while (load(&set->index[i]))
		i = (i + 1) & mask;
	store(&set->index[i], number + 1);
	store(&set->used, number + 1);
}

/* Appends the ids of a set that had @used places to one that is empty; they may be the same. */
static void append_all(struct id_set *to, const struct id_set *from, uint32_t used)
{
	for (uint32_t i = 0; i < used; i++) {
		vaccel_id_t id = load(&from->place[i].id);

		if (id)
			append(to, id, load(&from->place[i].turn));
	}
}

static void move_together(struct id_list *list, struct id_set *set, uint32_t capacity)
{
	uint32_t used = load(&set->used);

	atomic_fetch_add(&list->version, 1);
	for (uint32_t i = 0; i < 2 * capacity; i++)
		store(&set->index[i], 0);
	store(&set->capacity, capacity);
	store(&set->used, 0);
	append_all(set, set, used);
	atomic_fetch_add(&list->version, 1);
}

static struct id_set *set_new(uint32_t capacity)
{
	struct id_set *set;
	size_t places = sizeof(*set) + capacity * sizeof(set->place[0]);

	if (capacity > CAPACITY_MAX)
		return NULL;
	set = calloc(1, places + 2 * capacity * sizeof(*set->index));
	if (!set)
		return NULL;
	set->index = (_Atomic uint32_t *)((char *)set + places);
	set->room = capacity;
	store(&set->capacity, capacity);
	return set;
}

/* Room for half as many ids more than there are. */
static uint32_t good_capacity(size_t count)
{
	uint32_t capacity = FIRST_CAPACITY;

	while (capacity <= CAPACITY_MAX && capacity <= count + count / 2)
		capacity *= 2;
	return capacity;
}

/* Moves the ids to where they have good room, and leaves no gap. */
static int resize(struct id_list *list)
{
	uint32_t capacity = good_capacity(id_list_count(list));
	struct id_set *set = load(&list->set);
	struct id_set *fresh;

	if (set && capacity <= set->room) {
		move_together(list, set, capacity);
		return VACCEL_OK;
	}
	fresh = set_new(capacity);
	if (!fresh)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of %zu ids",
				   id_list_count(list) + 1);
	if (set)
		append_all(fresh, set, load(&set->used));
	fresh->outgrown = set;
	store(&list->set, fresh);
	return VACCEL_OK;
}

int id_list_add(struct id_list *list, vaccel_id_t id)
{
	struct id_set *set = load(&list->set);
	int ret = VACCEL_OK;

	if (find(set, id))
		return VACCEL_OK;
	if (!set || load(&set->used) == load(&set->capacity))
		ret = resize(list);
	if (ret)
		return ret;
	append(load(&list->set), id, list->next_turn++);
	atomic_fetch_add(&list->count, 1);
	return VACCEL_OK;
}

bool id_list_remove(struct id_list *list, vaccel_id_t id)
{
	struct id_set *set = load(&list->set);
	struct id_place *place = find(set, id);
	uint32_t capacity;

	if (!place)
		return false;
	store(&place->id, 0);
	atomic_fetch_sub(&list->count, 1);
	/* Whoever asks for the first id steps over the gaps before it. */
	capacity = load(&set->capacity);
	if (load(&set->used) - id_list_count(list) > capacity / 4)
		move_together(list, set, MIN_OF(capacity, good_capacity(id_list_count(list))));
	return true;
}

void id_list_clear(struct id_list *list)
{
	struct id_set *set = load(&list->set);

	while (set) {
		struct id_set *outgrown = set->outgrown;

		free(set);
		set = outgrown;
	}
	store(&list->set, NULL);
	store(&list->count, 0);
}

void id_list_after_fork(struct id_list *list)
{
	if (!(load(&list->version) & 1))
		return;
	/* Ids that were being moved may be anywhere. */
	id_list_clear(list);
	atomic_fetch_add(&list->version, 1);
}

/* Waits for a writer that is closing gaps, which is rare and short. */
static unsigned int read_begin(const struct id_list *list)
{
	unsigned int version;

	while ((version = load(&list->version)) & 1)
		sched_yield();
	return version;
}

static bool read_again(const struct id_list *list, unsigned int version)
{
	return unlikely(load(&list->version) != version);
}

bool id_list_has(const struct id_list *list, vaccel_id_t id)
{
	unsigned int version;
	bool has;

	do {
		version = read_begin(list);
		has = id > 0 && find(load(&list->set), id);
	} while (read_again(list, version));
	return has;
}

size_t id_list_count(const struct id_list *list)
{
	return load(&list->count);
}

/* The first place whose turn is at or after @turn, or the number of places. */
static uint32_t find_turn(const struct id_set *set, uint32_t used, size_t turn)
{
	uint32_t low = 0, high = used;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (load(&set->place[middle].turn) < turn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

vaccel_id_t id_list_next(const struct id_list *list, size_t *position)
{
	unsigned int version;
	vaccel_id_t id;
	size_t turn;

	do {
		const struct id_set *set;
		uint32_t used, i;

		version = read_begin(list);
		set = load(&list->set);
		used = set ? load(&set->used) : 0;
		turn = *position;
		id = 0;
		for (i = set ? find_turn(set, used, turn) : 0; i < used && !id; i++) {
			turn = load(&set->place[i].turn) + 1;
			id = load(&set->place[i].id);
		}
	} while (read_again(list, version));
	*position = turn;
	return id;
}
