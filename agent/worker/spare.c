// SPDX-License-Identifier: Apache-2.0
/*
 * See spare.h. One piece of memory at most is kept, and any thread takes it or puts
 * it back in one step. It is all of one tenant, who has written every byte of a
 * payload before anybody reads it.
 */
#include "agent/worker/spare.h"

#include <malloc.h>
#include <stdlib.h>

/* Less than that is reused by malloc() itself. */
#define LEAST ((size_t)1 << 20)

void *spare_take(struct spare *spare, size_t size)
{
	void *memory;
	size_t room;

	if (size < LEAST)
		return malloc(size);
	memory = atomic_exchange(&spare->memory, NULL);
	room = malloc_usable_size(memory);
	/* A small payload must not hold much more than it is charged for. */
	if (room >= size && room / 2 <= size)
		return memory;
	free(memory);
	return malloc(size);
}

void spare_give(struct spare *spare, void *memory)
{
	if (malloc_usable_size(memory) >= LEAST) {
		atomic_store(&spare->used, true);
		memory = atomic_exchange(&spare->memory, memory);
	}
	free(memory);
}

void spare_age(struct spare *spare)
{
	if (!atomic_exchange(&spare->used, false))
		free(atomic_exchange(&spare->memory, NULL));
}

bool spare_is_there(const struct spare *spare)
{
	return atomic_load(&spare->memory);
}

void spare_release(struct spare *spare)
{
	free(atomic_exchange(&spare->memory, NULL));
}
