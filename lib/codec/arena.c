// SPDX-License-Identifier: Apache-2.0
/*
 * Small pieces are cut from blocks and cleared, large ones get a block of their own,
 * straight from calloc(), so that the pages of a large output cost nothing until they are
 * written. Nobody is told of a failure in words: the caller knows what it is for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "codec/arena.h"

#define ARENA_ALIGN _Alignof(max_align_t)
#define BLOCK_SIZE  2048

struct arena_block {
	struct arena_block *next;
	_Alignas(max_align_t) char memory[];
};

int arena_charge(struct arena *arena, size_t size)
{
	if (size > arena->left)
		return VACCEL_EDQUOT;
	arena->left -= size;
	return VACCEL_OK;
}

static int add_block(struct arena *arena)
{
	struct arena_block *block = malloc(sizeof(*block) + BLOCK_SIZE);

	if (!block)
		return VACCEL_ENOMEM;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used = 0;
	return VACCEL_OK;
}

/* Behind the block that small pieces are still cut from. */
static int add_large(struct arena *arena, size_t size, void **ret_memory)
{
	struct arena_block *block;
	int ret = arena->blocks ? VACCEL_OK : add_block(arena);

	if (ret)
		return ret;
	if (size > PTRDIFF_MAX - sizeof(*block))
		return VACCEL_ENOMEM;
	block = calloc(1, sizeof(*block) + size);
	if (!block)
		return VACCEL_ENOMEM;
	block->next = arena->blocks->next;
	arena->blocks->next = block;
	*ret_memory = block->memory;
	return VACCEL_OK;
}

int arena_alloc(struct arena *arena, size_t size, void **ret_memory)
{
	int ret;

	if (!size)
		size = 1;
	if (size > PTRDIFF_MAX)
		return VACCEL_EDQUOT;
	size = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	ret = arena_charge(arena, size);
	if (!ret && size > BLOCK_SIZE / 2)
		return add_large(arena, size, ret_memory);
	if (!ret && (!arena->blocks || size > BLOCK_SIZE - arena->used))
		ret = add_block(arena);
	if (ret)
		return ret;
	*ret_memory = memset(arena->blocks->memory + arena->used, 0, size);
	arena->used += size;
	return VACCEL_OK;
}

static void free_blocks(struct arena_block **blocks)
{
	while (*blocks) {
		struct arena_block *block = *blocks;

		*blocks = block->next;
		free(block);
	}
}

void arena_clear(struct arena *arena)
{
	if (arena->blocks)
		free_blocks(&arena->blocks->next);
	arena->used = 0;
}

void arena_release(struct arena *arena)
{
	free_blocks(&arena->blocks);
	arena->used = 0;
}
