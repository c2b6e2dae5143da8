/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one call, charged to a limit and given back at once. */
#ifndef VACCEL_CODEC_ARENA_H
#define VACCEL_CODEC_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	size_t left; /* bytes that may still be had */
	struct arena_block *blocks;
	size_t used; /* bytes of the first block */
};

/* Takes @size bytes from the limit only: for memory that somebody else owns. VACCEL_EDQUOT. */
int arena_charge(struct arena *arena, size_t size);

/* Zeroed memory aligned for any type, also for 0 bytes. VACCEL_EDQUOT, VACCEL_ENOMEM. */
int arena_alloc(struct arena *arena, size_t size, void **ret_memory);

/* Gives back all pieces, and keeps a little memory for those to come. */
void arena_clear(struct arena *arena);

void arena_release(struct arena *arena);

#endif
