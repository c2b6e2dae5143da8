// SPDX-License-Identifier: Apache-2.0
/*
 * See ring.h. Each descriptor is copied once and judged by the copy; a chain is no longer
 * than its queue, so that a loop ends; an index that is further ahead than the queue is
 * long means that nothing there can be believed, and the queue is left alone from
 * then on. What is under way is written down in memory that outlives this process, in
 * steps such that at any moment it can be told what the guest has been given.
 */
#include "agent/vhost/ring.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

#define DESCRIPTOR_NEXT	    1
#define DESCRIPTOR_WRITE    2
#define DESCRIPTOR_INDIRECT 4
#define NO_INTERRUPT	    1

struct ring_descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};

struct ring_available {
	uint16_t flags;
	uint16_t index;
	uint16_t heads[]; /* and behind them, when it wants to be told */
};

struct ring_used {
	uint16_t flags;
	uint16_t index;
	struct {
		uint32_t head;
		uint32_t written;
	} entries[]; /* and behind them, when we want to be told */
};

static inline uint16_t load(const uint16_t *at)
{
	return le16toh(__atomic_load_n(at, __ATOMIC_ACQUIRE));
}

static inline void store(uint16_t *at, uint16_t value)
{
	__atomic_store_n(at, htole16(value), __ATOMIC_RELEASE);
}

static uint16_t *used_event(const struct ring *ring)
{
	return &ring->available->heads[ring->size];
}

static uint16_t *available_event(const struct ring *ring)
{
	return (uint16_t *)&ring->used->entries[ring->size];
}

void ring_init(struct ring *ring, unsigned int queue, void *owner)
{
	*ring = (struct ring){.queue = queue, .owner = owner, .kick = -1, .call = -1};
	pthread_mutex_init(&ring->lock, NULL);
}

void ring_release(struct ring *ring)
{
	closep(&ring->kick);
	closep(&ring->call);
	guest_unref(ring->guest);
	pthread_mutex_destroy(&ring->lock);
}

/* Setting up */

int ring_move(struct ring *ring, const struct vhost_addresses *addresses, struct guest *guest)
{
	uint64_t size = ring->size;
	void *descriptors = guest_at_front(guest, addresses->descriptors, 16 * size);
	void *available = guest_at_front(guest, addresses->available, 6 + 2 * size);
	void *used = guest_at_front(guest, addresses->used, 6 + 8 * size);

	if (!descriptors || !available || !used)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "queue %u does not lie in the machine's memory", ring->queue);
	if ((uintptr_t)descriptors % 16 || (uintptr_t)available % 2 || (uintptr_t)used % 4)
		return vaccel_fail(VACCEL_EREMOTEIO, "queue %u is not aligned in memory",
				   ring->queue);
	pthread_mutex_lock(&ring->lock);
	guest_unref(ring->guest);
	ring->guest = guest_ref(guest);
	ring->descriptors = descriptors;
	ring->available = available;
	ring->used = used;
	pthread_mutex_unlock(&ring->lock);
	return VACCEL_OK;
}

static void interrupt(const struct ring *ring)
{
	static const uint64_t one_more = 1;

	if (ring->call >= 0)
		(void)!write(ring->call, &one_more, sizeof(one_more));
}

/*
 * What the one before us has left, in memory that the front end may write to meanwhile. If the
 * used index is one ahead of what was written down, the last one had been given to the
 * guest, and that alone was still to be written.
 */
static void resume(struct ring *ring)
{
	struct inflight_queue *inflight = ring->inflight;
	uint16_t last = __atomic_load_n(&inflight->last_finished, __ATOMIC_RELAXED);
	uint16_t used = load(&ring->used->index);

	if (inflight->used != used) {
		if (last < ring->size)
			inflight->entries[last].under_way = 0;
		inflight->used = used;
	}
	for (uint32_t i = 0; i < ring->size; i++) {
		struct inflight_entry *entry = &inflight->entries[i];
		bool again = __atomic_load_n(&entry->under_way, __ATOMIC_RELAXED);

		entry->under_way = again;
		ring->again += again;
		ring->counter = MAX_OF(ring->counter, entry->counter);
	}
	ring->used_next = used;
	ring->next = (uint16_t)(used + ring->again);
	/* It may have ended between the index and the interrupt, which no later one makes up for:
	 * a guest that waits asks for the one of that index. */
	interrupt(ring);
}

static void begin(struct ring *ring, uint16_t base)
{
	struct inflight_queue *inflight = ring->inflight;

	memset(inflight, 0, sizeof(*inflight) + ring->size * sizeof(inflight->entries[0]));
	inflight->size = (uint16_t)ring->size;
	ring->next = base;
	ring->used_next = load(&ring->used->index);
	inflight->used = ring->used_next;
	inflight->version = INFLIGHT_VERSION;
}

int ring_start(struct ring *ring, const struct ring_setup *setup, struct guest *guest,
	       struct inflight_queue *inflight)
{
	int ret;

	closep(&ring->kick);
	ring_set_call(ring, setup->call);
	ring->kick = setup->kick;
	ring->size = setup->size;
	ring->features = setup->features;
	ring->inflight = inflight;
	ring->idle = NULL;
	ring->broken = false;
	ring->counter = 0;
	ring->again = 0;
	ret = ring_move(ring, &setup->addresses, guest);
	if (ret)
		return ret;
	if (inflight->version == INFLIGHT_VERSION && inflight->size == setup->size)
		resume(ring);
	else
		begin(ring, setup->base);
	ring->running = true;
	return VACCEL_OK;
}

void ring_set_call(struct ring *ring, int call)
{
	SCOPED_LOCK(&ring->lock);
	closep(&ring->call);
	ring->call = call;
}

void ring_stop(struct ring *ring, void (*idle)(struct ring *ring))
{
	bool now;

	ring->running = false;
	pthread_mutex_lock(&ring->lock);
	now = !ring->under_way;
	ring->idle = now ? NULL : idle;
	pthread_mutex_unlock(&ring->lock);
	if (now)
		idle(ring);
}

/* Taking */

/* A chain while it is put together. */
struct walk {
	const struct ring *ring;
	struct iovec pieces[2 * SEGMENTS_MAX];
	size_t nr_readable, nr;
	uint64_t readable, writable;
	bool writes; /* a descriptor that is writable has been seen */
};

static bool add(struct walk *walk, const struct ring_descriptor *descriptor)
{
	uint64_t address = le64toh(descriptor->address);
	uint32_t size = le32toh(descriptor->size);
	bool writes = le16toh(descriptor->flags) & DESCRIPTOR_WRITE;
	size_t first = writes ? walk->nr_readable : 0;
	size_t nr = walk->nr - first;

	if (walk->writes && !writes)
		return false;
	/* A piece must not be joined with one of the other kind. */
	if (writes && !walk->writes) {
		walk->nr_readable = first = walk->nr;
		nr = 0;
	}
	walk->writes = writes;
	if (!guest_pieces(walk->ring->guest, address, size, walk->pieces + first,
			  ARRAY_SIZE(walk->pieces) - first, &nr))
		return false;
	walk->nr = first + nr;
	*(writes ? &walk->writable : &walk->readable) += size;
	return true;
}

/* From descriptor to descriptor, in a table of @size of them: an indirect one if @table. */
static bool follow(struct walk *walk, uint16_t at, uint32_t size, uint64_t table, bool indirect)
{
	const struct ring *ring = walk->ring;
	struct ring_descriptor descriptor;
	uint16_t flags;

	for (uint32_t count = 0; count < size; count++) {
		if (at >= size)
			return false;
		if (!indirect)
			memcpy(&descriptor, &ring->descriptors[at], sizeof(descriptor));
		else if (!guest_read(ring->guest, table + at * sizeof(descriptor), &descriptor,
				     sizeof(descriptor)))
			return false;
		flags = le16toh(descriptor.flags);
		if (flags & DESCRIPTOR_INDIRECT) {
			uint32_t bytes = le32toh(descriptor.size);

			/* All of the chain is there, and there is no other below. */
			if (indirect || flags & DESCRIPTOR_NEXT || count || !bytes ||
			    !(ring->features & VIRTIO_INDIRECT) || bytes % sizeof(descriptor) ||
			    bytes / sizeof(descriptor) > SEGMENTS_MAX)
				return false;
			return follow(walk, 0, (uint32_t)(bytes / sizeof(descriptor)),
				      le64toh(descriptor.address), true);
		}
		if (!add(walk, &descriptor))
			return false;
		if (!(flags & DESCRIPTOR_NEXT))
			return true;
		at = le16toh(descriptor.next);
	}
	return false;
}

static int make_chain(struct ring *ring, uint16_t head, struct chain **ret_chain)
{
	struct walk walk;
	struct chain *chain;

	walk.ring = ring;
	walk.nr = walk.nr_readable = 0;
	walk.readable = walk.writable = 0;
	walk.writes = false;
	if (!follow(&walk, head, ring->size, 0, false)) {
		ring->broken = true;
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "queue %u: chain %u is no chain: a loop, the wrong order, or "
				   "outside of memory; the queue is not looked at any more",
				   ring->queue, head);
	}
	if (!walk.writes)
		walk.nr_readable = walk.nr;
	chain = malloc(sizeof(*chain) + walk.nr * sizeof(chain->pieces[0]));
	if (!chain)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a request");
	*chain = (struct chain){
		.readable = chain->pieces,
		.writable = chain->pieces + walk.nr_readable,
		.nr_readable = walk.nr_readable,
		.nr_writable = walk.nr - walk.nr_readable,
		.readable_size = walk.readable,
		.writable_size = walk.writable,
		.queue = ring->queue,
		.ring = ring,
		.guest = guest_ref(ring->guest),
		.head = head,
	};
	memcpy(chain->pieces, walk.pieces, walk.nr * sizeof(chain->pieces[0]));
	*ret_chain = chain;
	return VACCEL_OK;
}

/* The oldest of those that an earlier worker had. */
static uint16_t oldest(const struct ring *ring)
{
	uint32_t found = ring->size;

	for (uint32_t i = 0; i < ring->size; i++) {
		const struct inflight_entry *entry = &ring->inflight->entries[i];

		if (entry->under_way == 1 &&
		    (found == ring->size ||
		     entry->counter < ring->inflight->entries[found].counter))
			found = i;
	}
	return (uint16_t)found;
}

int ring_take_again(struct ring *ring, struct chain **ret_chain)
{
	uint16_t head;
	int ret;

	if (!ring->running || ring->broken || !ring->again)
		return VACCEL_EAGAIN;
	head = oldest(ring);
	if (head == ring->size) {
		ring->again = 0;
		return vaccel_fail(VACCEL_EREMOTEIO, "queue %u: what was under way has changed",
				   ring->queue);
	}
	ret = make_chain(ring, head, ret_chain);
	if (ret)
		return ret;
	ring->again--;
	/* Marked, so that it is not the oldest any more. */
	ring->inflight->entries[head].under_way = 2;
	(*ret_chain)->again = true;
	pthread_mutex_lock(&ring->lock);
	ring->under_way++;
	pthread_mutex_unlock(&ring->lock);
	return VACCEL_OK;
}

/* How many there are; none before the guest has been told to kick for the next. */
static uint16_t count_available(const struct ring *ring)
{
	uint16_t count = (uint16_t)(load(&ring->available->index) - ring->next);

	if (count || !(ring->features & VIRTIO_EVENT_IDX))
		return count;
	store(available_event(ring), ring->next);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (uint16_t)(load(&ring->available->index) - ring->next);
}

static void note_taken(struct ring *ring, uint16_t head)
{
	struct inflight_entry *entry = &ring->inflight->entries[head];

	pthread_mutex_lock(&ring->lock);
	entry->counter = ++ring->counter;
	__atomic_store_n(&entry->under_way, 1, __ATOMIC_RELEASE);
	ring->under_way++;
	pthread_mutex_unlock(&ring->lock);
	ring->next++;
}

int ring_take(struct ring *ring, struct chain **ret_chain)
{
	uint16_t count, head;
	int ret;

	if (!ring->running || !ring->enabled || ring->broken)
		return VACCEL_EAGAIN;
	if (ring->again)
		return ring_take_again(ring, ret_chain);
	count = count_available(ring);
	if (!count)
		return VACCEL_EAGAIN;
	head = load(&ring->available->heads[ring->next % ring->size]);
	if (count > ring->size || head >= ring->size || ring->inflight->entries[head].under_way) {
		ring->broken = true;
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "queue %u: index or head %u makes no sense; the queue is not "
				   "looked at any more",
				   ring->queue, head);
	}
	ret = make_chain(ring, head, ret_chain);
	if (!ret)
		note_taken(ring, head);
	return ret;
}

/* Giving back */

/* Whether the guest wants to be told now that the index has gone on from @before. */
static bool is_wanted(const struct ring *ring, uint16_t before)
{
	uint16_t now = ring->used_next;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(ring->features & VIRTIO_EVENT_IDX))
		return !(load(&ring->available->flags) & NO_INTERRUPT);
	return (uint16_t)(now - load(used_event(ring)) - 1) < (uint16_t)(now - before);
}

/* The lock is held. */
static void give_back(struct ring *ring, uint16_t head, uint64_t written)
{
	struct inflight_queue *inflight = ring->inflight;
	uint16_t before = ring->used_next;
	uint16_t slot = before % (uint16_t)ring->size;

	inflight->entries[head].next = inflight->last_finished;
	inflight->last_finished = head;
	ring->used->entries[slot].head = htole32(head);
	ring->used->entries[slot].written = htole32((uint32_t)MIN_OF(written, UINT32_MAX));
	ring->used_next++;
	store(&ring->used->index, ring->used_next);
	__atomic_store_n(&inflight->entries[head].under_way, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&inflight->used, ring->used_next, __ATOMIC_RELEASE);
	if (is_wanted(ring, before))
		interrupt(ring);
}

/* The lock is held, and is not any more: who sees that nothing is under way may free the ring. */
static void end_chain(struct chain *chain)
{
	struct ring *ring = chain->ring;

	if (!--ring->under_way && ring->idle)
		TAKE(ring->idle)(ring);
	pthread_mutex_unlock(&ring->lock);
	guest_unref(chain->guest);
	free(chain);
}

void chain_finish(struct chain *chain, uint64_t written)
{
	pthread_mutex_lock(&chain->ring->lock);
	give_back(chain->ring, chain->head, written);
	end_chain(chain);
}

void chain_drop(struct chain *chain)
{
	chain->ring->broken = true;
	pthread_mutex_lock(&chain->ring->lock);
	end_chain(chain);
}

/* Chains */

/* The piece in which that byte lies, and where in it. */
static const struct iovec *seek(const struct iovec *at, uint64_t *offset)
{
	while (*offset >= at->iov_len)
		*offset -= (at++)->iov_len;
	return at;
}

static bool is_within(uint64_t offset, size_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static void copy(const struct iovec *at, uint64_t offset, char *bytes, size_t size, bool to_guest)
{
	if (!size)
		return;
	at = seek(at, &offset);
	while (size) {
		size_t part = MIN_OF(size, at->iov_len - (size_t)offset);
		char *there = (char *)at->iov_base + offset;

		memcpy(to_guest ? there : bytes, to_guest ? bytes : there, part);
		bytes += part;
		size -= part;
		offset = 0;
		at++;
	}
}

bool chain_read(const struct chain *chain, uint64_t offset, void *to, size_t size)
{
	if (!is_within(offset, size, chain->readable_size))
		return false;
	copy(chain->readable, offset, to, size, false);
	return true;
}

bool chain_write(const struct chain *chain, uint64_t offset, const void *from, size_t size)
{
	if (!is_within(offset, size, chain->writable_size))
		return false;
	copy(chain->writable, offset, (char *)from, size, true);
	return true;
}

void *chain_at(const struct chain *chain, bool writable, uint64_t offset, size_t size)
{
	const struct iovec *at = writable ? chain->writable : chain->readable;

	if (!size ||
	    !is_within(offset, size, writable ? chain->writable_size : chain->readable_size))
		return NULL;
	at = seek(at, &offset);
	return size <= at->iov_len - offset ? (char *)at->iov_base + offset : NULL;
}
