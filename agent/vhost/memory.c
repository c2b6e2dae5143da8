// SPDX-License-Identifier: Apache-2.0
/*
 * See memory.h. Regions are mapped from their beginning in the descriptor, whole; the few
 * that there are, are looked through. A front end that makes its memory smaller
 * ends this worker by a signal, as it may: it is its own tenant's.
 */
#include "agent/vhost/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <vaccel/error.h>

#include "agent/vhost/messages.h"

struct mapping {
	struct vhost_region at;
	char *memory; /* of the region's first byte */
	size_t bytes; /* mapped, to the region's end */
};

struct guest {
	_Atomic unsigned int refs;
	size_t nr;
	struct mapping mappings[REGIONS_MAX];
};

int guest_new(struct guest **ret_guest)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a table of a machine's memory");
	atomic_init(&guest->refs, 1);
	*ret_guest = guest;
	return VACCEL_OK;
}

struct guest *guest_ref(struct guest *guest)
{
	atomic_fetch_add_explicit(&guest->refs, 1, memory_order_relaxed);
	return guest;
}

void guest_unref(struct guest *guest)
{
	if (!guest || atomic_fetch_sub_explicit(&guest->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < guest->nr; i++) {
		struct mapping *mapping = &guest->mappings[i];

		munmap(mapping->memory - mapping->at.offset, mapping->bytes);
	}
	free(guest);
}

int guest_add(struct guest *guest, const struct vhost_region *region, int fd)
{
	size_t bytes;
	char *memory;

	if (guest->nr == REGIONS_MAX ||
	    __builtin_add_overflow(region->offset, region->size, &bytes))
		return vaccel_fail(VACCEL_ERANGE, "the machine's memory is too large to be mapped");
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (memory == MAP_FAILED)
		return vaccel_fail(errno,
				   "%" PRIu64 " MiB of the machine's memory cannot be mapped: %s; "
				   "it must be shared: " SHARE_MEMORY,
				   region->size >> 20, strerror(errno));
	/* Nothing of it is to be in a core file. */
	madvise(memory, bytes, MADV_DONTDUMP);
	guest->mappings[guest->nr++] = (struct mapping){*region, memory + region->offset, bytes};
	return VACCEL_OK;
}

void *guest_at_front(const struct guest *guest, uint64_t address, uint64_t size)
{
	for (size_t i = 0; i < guest->nr; i++) {
		const struct mapping *mapping = &guest->mappings[i];
		uint64_t offset = address - mapping->at.front;

		if (address >= mapping->at.front && offset < mapping->at.size &&
		    size <= mapping->at.size - offset)
			return mapping->memory + offset;
	}
	return NULL;
}

/* What lies there, and how much of it is in one piece. */
static void *find(const struct guest *guest, uint64_t address, uint64_t *ret_size)
{
	for (size_t i = 0; i < guest->nr; i++) {
		const struct mapping *mapping = &guest->mappings[i];
		uint64_t offset = address - mapping->at.guest;

		if (address < mapping->at.guest || offset >= mapping->at.size)
			continue;
		*ret_size = mapping->at.size - offset;
		return mapping->memory + offset;
	}
	return NULL;
}

bool guest_pieces(const struct guest *guest, uint64_t address, uint64_t size, struct iovec *at,
		  size_t room, size_t *nr)
{
	if (address + size < address)
		return false;
	while (size) {
		struct iovec *last = *nr ? &at[*nr - 1] : NULL;
		uint64_t there;
		char *memory = find(guest, address, &there);

		if (!memory)
			return false;
		if (there > size)
			there = size;
		if (last && (char *)last->iov_base + last->iov_len == memory) {
			last->iov_len += (size_t)there;
		} else {
			if (*nr == room)
				return false;
			at[(*nr)++] = (struct iovec){memory, (size_t)there};
		}
		address += there;
		size -= there;
	}
	return true;
}

bool guest_read(const struct guest *guest, uint64_t address, void *to, size_t size)
{
	struct iovec pieces[2];
	size_t nr = 0;

	if (!guest_pieces(guest, address, size, pieces, 2, &nr))
		return false;
	for (size_t i = 0; i < nr; i++)
		to = mempcpy(to, pieces[i].iov_base, pieces[i].iov_len);
	return true;
}
