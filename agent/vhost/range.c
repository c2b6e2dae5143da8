// SPDX-License-Identifier: Apache-2.0
/*
 * What a range's blocks do. Everything has a position, counted in bytes from the
 * claim on, and lies at that place of the area: so requests may be split,
 * joined, come in any order and twice. Written bytes are copied once, and looked at then; what
 * was read once stays the same until the guest says that it has it.
 */
#include "agent/vhost/range.h"

#include <string.h>
#include <sys/mman.h>

#include <vaccel/error.h>

#include "base/util.h"

#define AREA_MASK (RANGE_AREA - 1)
#define HEAD	  sizeof(struct drive_head)

static_assert(!(RANGE_AREA & AREA_MASK) && !(RANGE_AREA % RANGE_WINDOW), "windows fit the area");
static_assert(2 * RANGE_PARCEL <= RANGE_WINDOW, "a window has room for the next parcel");

/* The request's memory */

typedef void piece_fn(char *guest, void *bytes, size_t size);

static void copy_from_guest(char *guest, void *bytes, size_t size)
{
	memcpy(bytes, guest, size);
}

static void copy_to_guest(char *guest, void *bytes, size_t size)
{
	if (bytes)
		memcpy(guest, bytes, size);
	else
		memset(guest, 0, size);
}

static void for_pieces(const struct drive_request *request, uint64_t from, char *bytes, size_t size,
		       piece_fn *copy)
{
	for (size_t i = 0; i < request->nr && size; i++) {
		const struct iovec *piece = &request->at[i];
		size_t part;

		if (from >= piece->iov_len) {
			from -= piece->iov_len;
			continue;
		}
		part = MIN_OF(size, piece->iov_len - (size_t)from);
		copy((char *)piece->iov_base + from, bytes, part);
		from = 0;
		size -= part;
		bytes = bytes ? bytes + part : NULL;
	}
}

void request_get(const struct drive_request *request, uint64_t from, void *bytes, size_t size)
{
	for_pieces(request, from, bytes, size, copy_from_guest);
}

void request_put(const struct drive_request *request, uint64_t from, const void *bytes, size_t size)
{
	for_pieces(request, from, (void *)bytes, size, copy_to_guest);
}

/* Beginning and end */

int range_init(struct range *range, const unsigned char nonce[DRIVE_NONCE])
{
	void *memory = mmap(NULL, 2 * RANGE_WINDOW, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t start;

	if (memory == MAP_FAILED)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the windows of a range");
	memcpy(range->nonce, nonce, DRIVE_NONCE);
	memcpy(&start, nonce, sizeof(start));
	start = le64toh(start) & AREA_MASK & ~(uint64_t)(DRIVE_BLOCK - 1);
	range->taken = range->read = range->open = start;
	range->out = memory;
	range->in = range->out + RANGE_WINDOW;
	return VACCEL_OK;
}

void range_release(struct range *range)
{
	munmap(range->out, 2 * RANGE_WINDOW);
}

/* No parcel goes beyond the end of the area. */
static uint32_t parcel_limit(uint64_t position)
{
	return (uint32_t)MIN_OF(RANGE_AREA - (position & AREA_MASK), (uint64_t)RANGE_PARCEL);
}

/* @size bytes of a window from @position on, as one or two pieces. */
static int pieces_at(unsigned char *window, uint64_t position, size_t size, struct iovec pieces[2])
{
	size_t offset = (size_t)(position % RANGE_WINDOW);
	size_t first = MIN_OF(size, RANGE_WINDOW - offset);

	pieces[0] = (struct iovec){window + offset, first};
	pieces[1] = (struct iovec){window, size - first};
	return size > first ? 2 : 1;
}

/* Writing */

static uint64_t bit_of(uint64_t position, size_t *ret_word)
{
	uint64_t sector = position / DRIVE_SECTOR % (RANGE_WINDOW / DRIVE_SECTOR);

	*ret_word = (size_t)(sector / 64);
	return UINT64_C(1) << (sector % 64);
}

static void mark(struct range *range, uint64_t position, uint64_t size, bool came)
{
	for (uint64_t end = position + size; position < end; position += DRIVE_SECTOR) {
		size_t word;
		uint64_t bit = bit_of(position, &word);

		if (came)
			range->came[word] |= bit;
		else
			range->came[word] &= ~bit;
	}
}

static bool has_come(const struct range *range, uint64_t position)
{
	size_t word;
	uint64_t bit = bit_of(position, &word);

	return range->came[word] & bit;
}

/* Whether there is the head of a parcel at @taken. What is none ends the connection. */
static bool find_parcel(struct range *range)
{
	const void *block = range->out + range->taken % RANGE_WINDOW;
	struct drive_head head;
	uint32_t size;

	for (uint64_t at = 0; at < DRIVE_BLOCK; at += DRIVE_SECTOR)
		if (!has_come(range, range->taken + at))
			return false;
	memcpy(&head, block, sizeof(head));
	size = le32toh(head.size);
	if (head.magic != htole32(DRIVE_HEAD_MAGIC) || !size ||
	    size > parcel_limit(range->taken) - HEAD || le64toh(head.position) != range->taken ||
	    memcmp(head.nonce, range->nonce, DRIVE_NONCE) || !drive_parcel_is_sealed(block, size)) {
		range->ended = true;
		return false;
	}
	range_advance(range, le64toh(head.done));
	range->parcel = size;
	range->sectors = DRIVE_BLOCK / DRIVE_SECTOR;
	range->sent = 0;
	return true;
}

static bool parcel_is_whole(struct range *range)
{
	uint32_t all = (uint32_t)(drive_parcel_size(range->parcel) / DRIVE_SECTOR);

	while (range->sectors < all &&
	       has_come(range, range->taken + (uint64_t)range->sectors * DRIVE_SECTOR))
		range->sectors++;
	return range->sectors == all;
}

bool range_has_bytes(struct range *range)
{
	return !range->ended && (range->parcel || find_parcel(range)) && parcel_is_whole(range);
}

/* The agent has all of the parcel. */
static void finish_parcel(struct range *range)
{
	uint64_t size = drive_parcel_size(range->parcel);

	mark(range, range->taken, size, false);
	range->taken += size;
	range->parcel = 0;
}

/* The next piece of @stretch, @most bytes of it. */
static struct iovec next_piece(const struct stretch *stretch, size_t most)
{
	size_t skip = stretch->done, i = 0;

	while (skip >= stretch->at[i].iov_len)
		skip -= stretch->at[i++].iov_len;
	return (struct iovec){
		.iov_base = (char *)stretch->at[i].iov_base + skip,
		.iov_len = MIN_OF(stretch->at[i].iov_len - skip, most),
	};
}

/* Up to that byte of the parcel. */
static void take_bytes(struct range *range, uint32_t end, struct stretch *to)
{
	while (range->sent < end && to->done < to->size) {
		struct iovec piece = next_piece(to, end - range->sent), from[2];

		pieces_at(range->out, range->taken + HEAD + range->sent, piece.iov_len, from);
		memcpy(piece.iov_base, from[0].iov_base, from[0].iov_len);
		memcpy((char *)piece.iov_base + from[0].iov_len, from[1].iov_base, from[1].iov_len);
		to->done += piece.iov_len;
		range->sent += (uint32_t)piece.iov_len;
	}
}

void range_take(struct range *range, struct stretch *to)
{
	while (to->done < to->size && range_has_bytes(range)) {
		take_bytes(range, range->parcel, to);
		if (range->sent == range->parcel)
			finish_parcel(range);
	}
}

/*
 * A parcel of several blocks that comes as a whole, and that the agent waits for with room for
 * all of it, goes there at once. Returns what of the @size bytes that was. The first block
 * is looked at where the guest cannot change it any more.
 */
static uint64_t write_through(struct range *range, const struct drive_request *request,
			      uint64_t from, uint64_t size)
{
	struct stretch *to = range->awaited;
	uint64_t all;

	if (!to || range->parcel || size <= DRIVE_BLOCK)
		return 0;
	request_get(request, from, range->out + range->taken % RANGE_WINDOW, DRIVE_BLOCK);
	mark(range, range->taken, DRIVE_BLOCK, true);
	if (!find_parcel(range))
		return 0;
	all = drive_parcel_size(range->parcel);
	if (all > size || range->parcel > to->size - to->done)
		return 0;
	take_bytes(range, (uint32_t)drive_head_bytes(range->parcel), to);
	while (range->sent < range->parcel) {
		struct iovec piece = next_piece(to, range->parcel - range->sent);

		request_get(request, from + HEAD + range->sent, piece.iov_base, piece.iov_len);
		to->done += piece.iov_len;
		range->sent += (uint32_t)piece.iov_len;
	}
	finish_parcel(range);
	return all;
}

bool range_write(struct range *range, const struct drive_request *request, uint64_t from,
		 uint64_t place, uint64_t size)
{
	uint64_t ahead = (place - range->taken) & AREA_MASK, through;
	struct iovec pieces[2];
	int nr;

	/* Again what was done with already. */
	if (ahead >= RANGE_AREA / 2) {
		uint64_t old = MIN_OF(size, RANGE_AREA - ahead);

		from += old;
		size -= old;
		ahead = 0;
	}
	while (!ahead && (through = write_through(range, request, from, size))) {
		from += through;
		size -= through;
	}
	if (!size)
		return true;
	if (range->closed || range->ended || ahead > RANGE_WINDOW || size > RANGE_WINDOW - ahead)
		return false;
	nr = pieces_at(range->out, range->taken + ahead, (size_t)size, pieces);
	for (int i = 0; i < nr; i++) {
		request_get(request, from, pieces[i].iov_base, pieces[i].iov_len);
		from += pieces[i].iov_len;
	}
	mark(range, range->taken + ahead, size, true);
	return true;
}

/* Reading */

void range_advance(struct range *range, uint64_t position)
{
	if (position > range->read && position <= range->open && !(position % DRIVE_BLOCK))
		range->read = position;
}

/* What is sealed is whole, and does not change any more. */
static void seal(struct range *range)
{
	struct drive_head head = {
		.magic = htole32(DRIVE_HEAD_MAGIC),
		.size = htole32(range->filled),
		.position = htole64(range->open),
		.done = htole64(range->taken),
	};
	uint64_t end = range->open + HEAD + range->filled;
	unsigned char *block = range->in + range->open % RANGE_WINDOW;

	memcpy(head.nonce, range->nonce, DRIVE_NONCE);
	memcpy(block, &head, sizeof(head));
	if (end % DRIVE_BLOCK)
		memset(range->in + end % RANGE_WINDOW, 0, DRIVE_BLOCK - end % DRIVE_BLOCK);
	drive_seal_parcel(block, range->filled);
	range->open += drive_parcel_size(range->filled);
	range->filled = 0;
}

/* Bytes that the open parcel can take; it is sealed when it is full. */
static size_t room_for_more(struct range *range)
{
	uint64_t end;
	size_t left;

	if (range->filled == parcel_limit(range->open) - HEAD)
		seal(range);
	end = range->open + HEAD + range->filled;
	left = parcel_limit(range->open) - HEAD - range->filled;
	if (end >= range->read + RANGE_WINDOW)
		return 0;
	return (size_t)MIN_OF((uint64_t)left, range->read + RANGE_WINDOW - end);
}

void range_put(struct range *range, struct stretch *from)
{
	size_t room;

	while (from->done < from->size && (room = room_for_more(range))) {
		struct iovec piece = next_piece(from, room), to[2];

		pieces_at(range->in, range->open + HEAD + range->filled, piece.iov_len, to);
		memcpy(to[0].iov_base, piece.iov_base, to[0].iov_len);
		memcpy(to[1].iov_base, (char *)piece.iov_base + to[0].iov_len, to[1].iov_len);
		from->done += piece.iov_len;
		range->filled += (uint32_t)piece.iov_len;
	}
}

uint64_t range_ready(const struct range *range)
{
	return range->open + (range->filled ? drive_parcel_size(range->filled) : 0);
}

bool range_is_waited_for(const struct range *range, uint64_t place, uint64_t size)
{
	return !range->closed && !range->ended && !range->filled && size == DRIVE_BLOCK &&
	       place == (range->open & AREA_MASK);
}

/* The block behind all that is sealed. */
static void read_nothing_yet(const struct range *range, const struct drive_request *request,
			     uint64_t from, size_t offset, size_t size)
{
	unsigned char block[DRIVE_BLOCK] = {0};
	struct drive_head head = {
		.magic = htole32(DRIVE_HEAD_MAGIC),
		.position = htole64(range->open),
		.done = htole64(range->taken),
		.ended = htole32(range->ended),
	};

	memcpy(head.nonce, range->nonce, DRIVE_NONCE);
	memcpy(block, &head, sizeof(head));
	drive_seal_parcel(block, 0);
	request_put(request, from, block + offset, size);
}

void range_read(struct range *range, const struct drive_request *request, uint64_t from,
		uint64_t place, uint64_t size)
{
	while (size) {
		uint64_t ahead = (place - range->read) & AREA_MASK;
		uint64_t position = range->read + ahead;
		uint64_t part = size;

		if (ahead >= RANGE_AREA / 2) {
			part = MIN_OF(size, RANGE_AREA - ahead);
			request_put(request, from, NULL, (size_t)part);
		} else if (position == range->open && range->filled) {
			seal(range);
			continue;
		} else if (position < range->open) {
			struct iovec pieces[2];

			part = MIN_OF(size, range->open - position);
			pieces_at(range->in, position, (size_t)part, pieces);
			part = pieces[0].iov_len;
			request_put(request, from, pieces[0].iov_base, (size_t)part);
		} else if (position < range->open + DRIVE_BLOCK) {
			part = MIN_OF(size, range->open + DRIVE_BLOCK - position);
			read_nothing_yet(range, request, from, (size_t)(position - range->open),
					 (size_t)part);
		} else {
			request_put(request, from, NULL, (size_t)part);
		}
		from += part;
		place += part;
		size -= part;
	}
}

void range_rest(struct range *range)
{
	bool out_is_empty = true;

	for (size_t i = 0; i < ARRAY_SIZE(range->came); i++)
		out_is_empty &= !range->came[i];
	if (out_is_empty)
		madvise(range->out, RANGE_WINDOW, MADV_DONTNEED);
	if (range->read == range->open && !range->filled)
		madvise(range->in, RANGE_WINDOW, MADV_DONTNEED);
}
