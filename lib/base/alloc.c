// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that can be shared: each large allocation is a memfd of its own. They are
 * found by address in a sorted array, under one lock that is held for a search
 * and never for a system call. What is freed is kept for a while, since a new
 * page costs ten times a used one; it is told apart by its id for as long.
 */
#include <vaccel/alloc.h>
#include <vaccel/error.h>
#include <vaccel/log.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/memfd.h"

/* Copying less costs less than a descriptor and a page table. */
#define SHARED_WORTH 16384

#define ALIGNMENT 64

/* What is kept of what was freed. */
#define KEPT_BYTES  (256u << 20)
#define KEPT_BLOCKS 32

struct block {
	unsigned char *memory;
	size_t size; /* whole pages */
	int fd;
	uint64_t id;
	struct block *next; /* of those that are to be ended */

	/* Under the lock */
	unsigned int holds;
	bool freed;  /* and not yet used again */
	bool forked; /* another process has it as well: not to be used again */
};

struct blocks {
	struct block **at;
	size_t nr, room;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below */
static struct blocks used; /* by address; those that are freed and held, too */
static struct blocks kept; /* the oldest first */
static size_t kept_bytes;
static uint64_t last_id;

static _Atomic size_t nr_used;	  /* used.nr, for who asks without the lock */
static _Atomic uint64_t nr_ended; /* ids */

/* Room for one more, so that adding it cannot fail. */
static bool blocks_reserve(struct blocks *blocks)
{
	size_t room = blocks->room ? 2 * blocks->room : 16;
	struct block **at;

	if (blocks->nr < blocks->room)
		return true;
	at = reallocarray(blocks->at, room, sizeof(*at));
	if (!at)
		return false;
	blocks->at = at;
	blocks->room = room;
	return true;
}

static void blocks_insert(struct blocks *blocks, size_t index, struct block *block)
{
	memmove(&blocks->at[index + 1], &blocks->at[index],
		(blocks->nr - index) * sizeof(struct block *));
	blocks->at[index] = block;
	blocks->nr++;
}

static struct block *blocks_take(struct blocks *blocks, size_t index)
{
	struct block *block = blocks->at[index];

	blocks->nr--;
	memmove(&blocks->at[index], &blocks->at[index + 1],
		(blocks->nr - index) * sizeof(struct block *));
	return block;
}

/* How many begin at @address or before it: the last of them may have that byte. */
static size_t count_up_to(const void *address)
{
	size_t low = 0, high = used.nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((uintptr_t)used.at[middle]->memory <= (uintptr_t)address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void use(struct block *block)
{
	blocks_insert(&used, count_up_to(block->memory), block);
	atomic_store_explicit(&nr_used, used.nr, memory_order_release);
}

static void unuse(struct block *block)
{
	blocks_take(&used, count_up_to(block->memory) - 1);
	atomic_store_explicit(&nr_used, used.nr, memory_order_release);
}

/* That which is in use and has this byte. */
static struct block *find(const void *address)
{
	size_t count = count_up_to(address);
	struct block *block = count ? used.at[count - 1] : NULL;

	if (!block || block->freed || (uintptr_t)address - (uintptr_t)block->memory >= block->size)
		return NULL;
	return block;
}

/* A list, which is in no array any more. Without the lock. */
static void end_blocks(struct block *blocks)
{
	while (blocks) {
		struct block *block = blocks;

		blocks = block->next;
		munmap(block->memory, block->size);
		close(block->fd);
		free(block);
	}
}

static struct block *take_kept(size_t index)
{
	struct block *block = blocks_take(&kept, index);

	kept_bytes -= block->size;
	return block;
}

/* The oldest goes to the list @ended. Returns it. */
static struct block *end_kept(struct block *ended)
{
	struct block *block = take_kept(0);

	atomic_fetch_add(&nr_ended, 1);
	block->next = ended;
	return block;
}

/* The smallest that will do, if it wastes no more than a quarter. */
static struct block *take_fitting(size_t size)
{
	size_t best = kept.nr;

	for (size_t i = 0; i < kept.nr; i++) {
		size_t has = kept.at[i]->size;

		if (has >= size && has - size <= size / 4 &&
		    (best == kept.nr || has < kept.at[best]->size))
			best = i;
	}
	return best < kept.nr ? take_kept(best) : NULL;
}

static struct block *new_block(size_t size)
{
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	block->size = size;
	block->memory = memfd_map("vaccel-alloc", size, true, &block->fd);
	if (!block->memory)
		free(TAKE(block));
	return block;
}

/* Whole pages; 0 if there are not so many. */
static size_t round_up(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return size <= PTRDIFF_MAX - page ? (size + page - 1) & ~(page - 1) : 0;
}

static void *alloc_shared(size_t wanted)
{
	size_t size = round_up(wanted);
	struct block *block;
	void *memory = NULL;

	if (!size)
		return NULL;
	pthread_mutex_lock(&lock);
	block = take_fitting(size);
	pthread_mutex_unlock(&lock);
	if (!block)
		block = new_block(size);
	if (!block)
		return NULL;
	pthread_mutex_lock(&lock);
	if (blocks_reserve(&used)) {
		block->freed = false;
		if (!block->id)
			block->id = ++last_id;
		use(block);
		memory = TAKE(block)->memory;
	} else if (block->id) {
		atomic_fetch_add(&nr_ended, 1);
	}
	pthread_mutex_unlock(&lock);
	end_blocks(block);
	return memory;
}

void *vaccel_alloc(size_t size)
{
	void *memory = size >= SHARED_WORTH ? alloc_shared(size) : NULL;

	if (!memory && size <= PTRDIFF_MAX - ALIGNMENT)
		memory =
			aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
	if (!memory)
		vaccel_fail(VACCEL_ENOMEM, "no memory for an allocation of %zu bytes", size);
	return memory;
}

/* Nobody uses or holds it any more. Returns what is now to be ended, which may be others. */
static struct block *retire(struct block *block)
{
	struct block *ended = NULL;

	unuse(block);
	if (block->forked || block->size > KEPT_BYTES || !blocks_reserve(&kept)) {
		atomic_fetch_add(&nr_ended, 1);
		return block;
	}
	blocks_insert(&kept, kept.nr, block);
	kept_bytes += block->size;
	while (kept_bytes > KEPT_BYTES || kept.nr > KEPT_BLOCKS)
		ended = end_kept(ended);
	return ended;
}

enum found { NOWHERE, AT_ITS_START, INSIDE };

static enum found free_shared(void *memory)
{
	struct block *block, *ended = NULL;
	enum found found = NOWHERE;

	pthread_mutex_lock(&lock);
	block = find(memory);
	if (block)
		found = block->memory == memory ? AT_ITS_START : INSIDE;
	if (found == AT_ITS_START) {
		block->freed = true;
		if (!block->holds)
			ended = retire(block);
	}
	pthread_mutex_unlock(&lock);
	end_blocks(ended);
	return found;
}

void vaccel_free(void *memory)
{
	enum found found = memory ? free_shared(memory) : AT_ITS_START;

	if (found == NOWHERE)
		free(memory);
	else if (found == INSIDE)
		vaccel_error("vaccel_free(): %p is not what vaccel_alloc() returned, but inside it",
			     memory);
}

bool vaccel_shared_hold(const void *data, size_t size, struct vaccel_shared *ret_shared)
{
	struct block *block;
	size_t offset;

	if (!ret_shared || !atomic_load_explicit(&nr_used, memory_order_acquire))
		return false;
	SCOPED_LOCK(&lock);
	block = find(data);
	if (!block)
		return false;
	offset = (size_t)((const unsigned char *)data - block->memory);
	if (size > block->size - offset)
		return false;
	block->holds++;
	*ret_shared = (struct vaccel_shared){
		.fd = block->fd,
		.offset = offset,
		.size = block->size,
		.id = block->id,
		.hold = block,
	};
	return true;
}

void vaccel_shared_release(const struct vaccel_shared *shared)
{
	struct block *block, *ended = NULL;

	if (!shared || !shared->hold)
		return;
	block = shared->hold;
	pthread_mutex_lock(&lock);
	if (!--block->holds && block->freed)
		ended = retire(block);
	pthread_mutex_unlock(&lock);
	end_blocks(ended);
}

uint64_t vaccel_shared_ended(void)
{
	return atomic_load(&nr_ended);
}

static bool has_id(const struct blocks *blocks, uint64_t id)
{
	for (size_t i = 0; i < blocks->nr; i++)
		if (blocks->at[i]->id == id)
			return true;
	return false;
}

bool vaccel_shared_exists(uint64_t id)
{
	SCOPED_LOCK(&lock);
	return has_id(&used, id) || has_id(&kept, id);
}

void alloc_forget_kept(void)
{
	struct block *ended = NULL;

	pthread_mutex_lock(&lock);
	while (kept.nr)
		ended = end_kept(ended);
	pthread_mutex_unlock(&lock);
	end_blocks(ended);
}

void alloc_before_fork(void)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < used.nr; i++)
		used.at[i]->forked = true;
}

/* What is kept is the parent's to use again. */
void alloc_after_fork(bool in_child)
{
	pthread_mutex_unlock(&lock);
	if (in_child)
		alloc_forget_kept();
}
