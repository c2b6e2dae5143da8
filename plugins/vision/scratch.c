// SPDX-License-Identifier: Apache-2.0
/*
 * A shelf of working memory: a call takes what it finds first and puts it back,
 * each by one atomic exchange. Memory that a large picture needed is not kept,
 * so that it does not stay with the process.
 */
#include "vision/scratch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <vaccel/error.h>

#define SHELF_SIZE 32
#define KEPT_SIZE  (32 << 20)

static _Atomic(struct scratch *) shelf[SHELF_SIZE];

static void scratch_delete(struct scratch *scratch)
{
	preprocess_scratch_release(&scratch->pictures);
	for (size_t i = 0; i < NR_ROOMS; i++)
		free(scratch->rooms[i].data);
	free(scratch);
}

struct scratch *scratch_take(void)
{
	struct scratch *scratch = NULL;

	for (size_t i = 0; !scratch && i < SHELF_SIZE; i++)
		if (atomic_load_explicit(&shelf[i], memory_order_relaxed))
			scratch = atomic_exchange(&shelf[i], NULL);
	if (!scratch)
		scratch = calloc(1, sizeof(*scratch));
	if (!scratch)
		vaccel_fail(VACCEL_ENOMEM, "no memory to work with");
	return scratch;
}

static size_t size_of(const struct scratch *scratch)
{
	size_t size = scratch->pictures.decoded.room + scratch->pictures.resized.room +
		      scratch->pictures.resize.size;

	for (size_t i = 0; i < NR_ROOMS; i++)
		size += scratch->rooms[i].size;
	return size;
}

void scratch_give(struct scratch *scratch)
{
	struct scratch *none;

	if (!scratch)
		return;
	for (size_t i = 0; size_of(scratch) <= KEPT_SIZE && i < SHELF_SIZE; i++) {
		none = NULL;
		if (!atomic_load_explicit(&shelf[i], memory_order_relaxed) &&
		    atomic_compare_exchange_strong(&shelf[i], &none, scratch))
			return;
	}
	scratch_delete(scratch);
}

void *scratch_room(struct scratch *scratch, unsigned int room, size_t size)
{
	if (scratch->rooms[room].data && scratch->rooms[room].size >= size)
		return scratch->rooms[room].data;
	free(scratch->rooms[room].data);
	scratch->rooms[room].data = malloc(size ? size : 1);
	scratch->rooms[room].size = scratch->rooms[room].data ? size : 0;
	if (!scratch->rooms[room].data)
		vaccel_fail(VACCEL_ENOMEM, "no memory for %zu bytes to work with", size);
	return scratch->rooms[room].data;
}

void scratch_drop_all(void)
{
	for (size_t i = 0; i < SHELF_SIZE; i++) {
		struct scratch *scratch = atomic_exchange(&shelf[i], NULL);

		if (scratch)
			scratch_delete(scratch);
	}
}
