// SPDX-License-Identifier: Apache-2.0
/*
 * The client's end of shared memory. Memory of vaccel_alloc() is lent as it is, for
 * reading. Other arguments are copied into *rooms*, regions of the lender's own,
 * which are filled from their start by each call. Both stay announced from call to
 * call, since the first touch of a page costs ten times the later ones; that is always
 * ours. An agent that takes no more regions gets the bytes with the message.
 */
#include <inttypes.h>
#include <string.h>

#include <vaccel/alloc.h>
#include <vaccel/error.h>

#include "base/copy.h"
#include "base/memfd.h"
#include "transport/region.h"

/* One of the link's regions is left for the mailbox. */
#define LENT_MAX (REGION_LINK_MAX - 1)

/* Rooms are at least so large, for several arguments that are hardly worth one each. */
#define ROOM_MIN (UINT64_C(1) << 20)

/* A region that so many calls did not use is given back; so long a refusal is believed. */
#define UNUSED_CALLS 64

struct lent {
	uint32_t number;
	uint64_t size;
	uint64_t last_call; /* that used it */

	struct vaccel_shared shared; /* of vaccel_alloc(), held until last_call is answered */
	unsigned char *memory;	     /* of a room; else NULL */
	uint64_t used;
};

struct lender {
	region_announce_fn *announce;
	void *context;
	uint64_t left; /* of what all regions may take */
	uint64_t call;
	uint64_t refused; /* the last call with a region that was not taken, or not to be had */
	uint32_t late;	  /* a region that it may have taken after its time; else 0 */
	uint64_t ended;	  /* vaccel_shared_ended(), when it was looked at */
	uint32_t last_number;
	size_t nr_used; /* by this call */
	size_t nr;
	struct lent lent[LENT_MAX];
};

int lender_new(uint64_t max, region_announce_fn *announce, void *context,
	       struct lender **ret_lender)
{
	struct lender *lender = calloc(1, sizeof(*lender));

	if (!lender)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection's regions");
	lender->announce = announce;
	lender->context = context;
	lender->left = max;
	lender->call = UNUSED_CALLS;
	lender->ended = vaccel_shared_ended();
	*ret_lender = lender;
	return VACCEL_OK;
}

static void unhold(struct lent *lent)
{
	vaccel_shared_release(&lent->shared);
	lent->shared.hold = NULL;
}

static void lent_release(struct lent *lent)
{
	unhold(lent);
	if (lent->memory)
		munmap(lent->memory, (size_t)lent->size);
}

void lender_delete(struct lender *lender)
{
	if (!lender)
		return;
	while (lender->nr)
		lent_release(&lender->lent[--lender->nr]);
	free(lender);
}

/* A connection on which the agent cannot be told is at its end, as its caller finds. */
static void drop(struct lender *lender, size_t index)
{
	struct lent *lent = &lender->lent[index];

	lender->announce(lender->context, lent->number, 0, false, -1);
	lender->left += lent->size;
	lent_release(lent);
	*lent = lender->lent[--lender->nr];
}

static bool is_of_use(const struct lender *lender, const struct lent *lent, bool look)
{
	if (lender->call - lent->last_call > UNUSED_CALLS)
		return false;
	return lent->memory || !look || vaccel_shared_exists(lent->shared.id);
}

void lender_end(struct lender *lender)
{
	for (size_t i = 0; i < lender->nr; i++)
		unhold(&lender->lent[i]);
}

void lender_begin(struct lender *lender)
{
	uint64_t ended;

	lender_end(lender);
	ended = vaccel_shared_ended();
	if (lender->late)
		lender->announce(lender->context, lender->late, 0, false, -1);
	lender->late = 0;
	lender->call++;
	lender->nr_used = 0;
	for (size_t i = 0; i < lender->nr;) {
		if (is_of_use(lender, &lender->lent[i], ended != lender->ended))
			lender->lent[i++].used = 0;
		else
			drop(lender, i);
	}
	lender->ended = ended;
}

/* The one that no call has used for longest; lender->nr if this call uses all. */
static size_t find_oldest(const struct lender *lender)
{
	size_t oldest = lender->nr;

	for (size_t i = 0; i < lender->nr; i++)
		if (lender->lent[i].last_call != lender->call &&
		    (oldest == lender->nr ||
		     lender->lent[i].last_call < lender->lent[oldest].last_call))
			oldest = i;
	return oldest;
}

/* Drops the oldest regions, if there will then be room for @size bytes. */
static bool make_way(struct lender *lender, uint64_t size)
{
	uint64_t room = lender->left;

	for (size_t i = 0; i < lender->nr; i++)
		if (lender->lent[i].last_call != lender->call)
			room += lender->lent[i].size;
	if (room < size)
		return false;
	while (lender->left < size || lender->nr == LENT_MAX) {
		size_t oldest = find_oldest(lender);

		if (oldest == lender->nr)
			return false;
		drop(lender, oldest);
	}
	return true;
}

/* False: this call may use no more. */
static bool use(struct lender *lender, struct lent *lent)
{
	if (lent->last_call == lender->call)
		return true;
	if (lender->nr_used == REGION_CALL_MAX)
		return false;
	lender->nr_used++;
	lent->last_call = lender->call;
	return true;
}

/* One more region, which the agent has taken; it is still to be used. Else NULL. */
static struct lent *lend(struct lender *lender, uint64_t size, bool read_only, int fd)
{
	struct lent *lent = &lender->lent[lender->nr];
	/* The agent may have taken one though its answer came too late: no number is used again. */
	uint32_t number = ++lender->last_number;
	int ret = lender->announce(lender->context, number, size, read_only, fd);

	if (ret) {
		lender->refused = lender->call;
		lender->late = ret == VACCEL_ETIMEDOUT ? number : 0;
		return NULL;
	}
	*lent = (struct lent){.number = number, .size = size};
	lender->left -= size;
	lender->nr++;
	return lent;
}

/* Whether one more region may be tried. */
static bool may_lend(struct lender *lender, uint64_t size)
{
	bool refused = lender->refused && lender->call - lender->refused < UNUSED_CALLS;

	return !refused && lender->nr_used < REGION_CALL_MAX && make_way(lender, size);
}

/* An agent takes nothing with holes. */
static bool fill(struct lender *lender, int fd, const void *memory, uint64_t size)
{
	if (memfd_fill(fd, memory, (size_t)size))
		return true;
	lender->refused = lender->call;
	return false;
}

/* Memory of vaccel_alloc() */

static struct lent *find_shared(struct lender *lender, uint64_t id)
{
	for (size_t i = 0; i < lender->nr; i++)
		if (lender->lent[i].shared.id == id)
			return &lender->lent[i];
	return NULL;
}

/* @memory: where it begins. */
static struct lent *lend_shared(struct lender *lender, const struct vaccel_shared *shared,
				const void *memory)
{
	struct lent *lent = find_shared(lender, shared->id);

	if (!lent && may_lend(lender, shared->size) &&
	    fill(lender, shared->fd, memory, shared->size))
		lent = lend(lender, shared->size, true, shared->fd);
	return lent && use(lender, lent) ? lent : NULL;
}

static bool place_as_it_is(struct lender *lender, const void *data, struct payload *payload)
{
	struct vaccel_shared shared;
	struct lent *lent = NULL;

	if (!vaccel_shared_hold(data, (size_t)payload->size, &shared))
		return false;
	if (shared.offset % CODEC_ALIGN == 0)
		lent = lend_shared(lender, &shared, (const unsigned char *)data - shared.offset);
	if (!lent || lent->shared.hold)
		vaccel_shared_release(&shared);
	if (!lent)
		return false;
	if (!lent->shared.hold)
		lent->shared = shared;
	payload->place = PAYLOAD_REGION;
	payload->region = lent->number;
	payload->offset = shared.offset;
	return true;
}

/* Rooms */

static uint64_t room_left(const struct lent *lent)
{
	return lent->memory ? lent->size - lent->used : 0;
}

/* The one that it fills best. */
static struct lent *find_room(struct lender *lender, uint64_t size)
{
	struct lent *best = NULL;

	for (size_t i = 0; i < lender->nr; i++) {
		struct lent *lent = &lender->lent[i];

		if (room_left(lent) >= size && (!best || room_left(lent) < room_left(best)))
			best = lent;
	}
	return best;
}

static struct lent *make_room(struct lender *lender, uint64_t wanted)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t size = MAX_OF((wanted + page - 1) & ~(page - 1), ROOM_MIN);
	_cleanup_(closep) int fd = -1;
	unsigned char *memory;
	struct lent *lent = NULL;

	if (size > PTRDIFF_MAX || !may_lend(lender, size))
		return NULL;
	memory = memfd_map("vaccel-room", (size_t)size, false, &fd);
	if (!memory)
		return NULL;
	if (fill(lender, fd, memory, size))
		lent = lend(lender, size, false, fd);
	if (lent)
		lent->memory = memory;
	else
		munmap(memory, (size_t)size);
	return lent;
}

static bool place_in_room(struct lender *lender, const void *data, enum vaccel_dir dir,
			  struct payload *payload)
{
	uint64_t size = payload->size + padding_of(payload->size);
	struct lent *lent = find_room(lender, size);

	if (!lent)
		lent = make_room(lender, size);
	if (!lent || !use(lender, lent))
		return false;
	payload->place = PAYLOAD_REGION;
	payload->region = lent->number;
	payload->offset = lent->used;
	if (dir & VACCEL_DIR_IN)
		copy_bulk(lent->memory + lent->used, data, (size_t)payload->size);
	lent->used += size;
	return true;
}

bool lender_place(void *context, const void *data, enum vaccel_dir dir, struct payload *payload)
{
	struct lender *lender = context;

	if (payload->size < REGION_WORTH || payload->size > PTRDIFF_MAX)
		return false;
	if (dir == VACCEL_DIR_IN && place_as_it_is(lender, data, payload))
		return true;
	return place_in_room(lender, data, dir, payload);
}

static const struct lent *find_number(const struct lender *lender, uint32_t number)
{
	for (size_t i = 0; i < lender->nr; i++)
		if (lender->lent[i].number == number)
			return &lender->lent[i];
	return NULL;
}

int lender_at(void *context, const struct payload *payload, enum vaccel_dir dir, void **ret_data)
{
	const struct lent *lent = find_number(context, payload->region);

	(void)dir;
	if (payload->place != PAYLOAD_REGION || !lent || !lent->memory ||
	    payload->offset > lent->size || payload->size > lent->size - payload->offset)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "an answer of %" PRIu64 " bytes at %" PRIu64
				   " of region %" PRIu32 ", which no output was given",
				   payload->size, payload->offset, payload->region);
	*ret_data = lent->memory + payload->offset;
	return VACCEL_OK;
}
