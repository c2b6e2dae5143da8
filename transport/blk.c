// SPDX-License-Identifier: Apache-2.0
/*
 * blk:///dev/vdb, or blk: alone: messages over a virtio-blk drive that the agent serves, for
 * machines that have nothing better. docs/virtio.md, "The drive". Bytes travel in *parcels* of
 * up to half a MiB that lie one behind the other, each at its position. A small message
 * and its answer are a write and a read, which the drive holds a moment until there
 * is an answer; both are under way at once.
 *
 * The agent's end is in agent/vhost/claim.c.
 */
#include "transport/blk.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

#define HEAD  sizeof(struct drive_head)
#define FIRST (DRIVE_BLOCK - HEAD) /* bytes of a parcel in its first block */

/* Memory that is not copied into parcels: pieces of so many bytes, by devices whose requests
 * can have so many pieces. */
#define LENT_MIN     ((size_t)65536)
#define SEGMENTS_MIN 16

/* So often it is looked whether the link was shut down. */
#define STEP_NS (100 * MILLISECOND)

/* Pauses between looks for what is not there yet: a part of the time waited so far. */
#define PAUSE_MIN_NS INT64_C(50000)
#define PAUSE_MAX_NS (5 * MILLISECOND)
#define PAUSE_SHARE  8

/* Blocks that make no sense may be of an access that was torn apart, but not so many. */
#define NONSENSE_MAX 64

static int parse(const char *rest, struct address *address)
{
	if (!*rest)
		return VACCEL_OK;
	if (strncmp(rest, "//", 2))
		return address_is_not(address, "// is missing");
	return parse_socket_path(rest + 2, strlen(rest + 2), address);
}

static int connect_to(const struct address *address, int64_t until, int *ret_fd)
{
	return blk_open(address, ret_fd);
}

static int listen_at(const struct address *address, mode_t mode, int *ret_fd)
{
	return vaccel_fail(VACCEL_EINVAL,
			   "%s is for programs in a virtual machine; its agent listens at "
			   "vhost-user-blk:///PATH",
			   address->text);
}

static int start(struct link *link, struct tls *tls, const struct address *address, int64_t until)
{
	struct blk *blk;
	int ret;

	ret = blk_new(address, link->fd, until, &blk);
	if (!ret)
		link->io = blk;
	return ret;
}

/* Both */

static uint64_t parcel_limit(const struct blk *blk, uint64_t position)
{
	return MIN_OF(blk->area - (position & (blk->area - 1)), (uint64_t)blk->parcel_max);
}

static void pause_since(int64_t since, int64_t until)
{
	int64_t now = time_now();
	int64_t ns = MIN_OF(MAX_OF((now - since) / PAUSE_SHARE, PAUSE_MIN_NS), PAUSE_MAX_NS);
	struct timespec time = {.tv_nsec = (long)MIN_OF(ns, MAX_OF(until - now, 0))};

	nanosleep(&time, NULL);
}

/* VACCEL_EAGAIN without words: the time is over. */
static int wait_for(struct link *link, struct disk_access *access, int64_t until)
{
	for (;;) {
		int64_t step = until ? MIN_OF(until, time_now() + STEP_NS) : 0;
		int error = access_wait(access, step);

		if (link->shut)
			return vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
		if (!error)
			return VACCEL_OK;
		if (error != EAGAIN)
			return blk_failed(link->io, error);
		if (!until || time_now() >= until)
			return VACCEL_EAGAIN;
	}
}

/* Writing */

/* What the agent's window has room for; waits for a block at least, up to @until. */
static int wait_for_room(struct link *link, uint64_t wanted, int64_t until, uint64_t *ret_room)
{
	struct blk *blk = link->io;
	int64_t since = time_now();

	for (;;) {
		uint64_t room = atomic_load(&blk->taken) + blk->window - blk->out;
		uint64_t ready;
		bool ended;
		int ret;

		if (room >= MIN_OF(wanted, (uint64_t)blk->parcel_max / 2)) {
			*ret_room = MIN_OF(room, wanted);
			return VACCEL_OK;
		}
		if (link->shut)
			return vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
		if (!until || time_now() >= until)
			return VACCEL_EAGAIN;
		ret = blk_look(blk, until, &ready, &ended);
		if (ret)
			return ret == VACCEL_ETIMEDOUT ? VACCEL_EAGAIN : ret;
		if (ended)
			return vaccel_fail(VACCEL_EREMOTEIO, "the peer has closed the connection");
		if (atomic_load(&blk->taken) + blk->window - blk->out == room)
			pause_since(since, until);
	}
}

static void gather(const struct place *from, unsigned char *to, size_t size)
{
	struct place place = *from;

	while (size) {
		size_t part = MIN_OF(size, place.at->iov_len - place.offset);

		if (part)
			memcpy(to, (char *)place.at->iov_base + place.offset, part);
		place_advance(&place, part);
		to += part;
		size -= part;
	}
}

/* What one parcel takes of a message. */
struct load {
	uint32_t size;
	struct iovec
		lent; /* of that, whole blocks behind the first that stay where they are; or 0 */
};

/*
 * Large pieces go to the device from where they lie, which must be whole pages: what comes before
 * them, and as much of them as does not fit, goes in a parcel of its own. HEAD bytes behind
 * the pages take a block, after which the next parcel finds pages again.
 */
static struct load plan(const struct blk *blk, const struct iovec *from, int nr, uint64_t limit)
{
	struct load load = {0};
	uint64_t total = 0, before = 0, left, most;
	uintptr_t first;
	int large = 0;

	for (int i = 0; i < nr; i++)
		total += from[i].iov_len;
	load.size = (uint32_t)MIN_OF(total, limit - HEAD);
	while (large < nr && from[large].iov_len < LENT_MIN)
		before += from[large++].iov_len;
	if (large == nr || blk->segments < SEGMENTS_MIN)
		return load;
	first = (uintptr_t)from[large].iov_base + FIRST;
	if (before > FIRST || (first - before) % DRIVE_BLOCK) {
		load.size = (uint32_t)MIN_OF((uint64_t)load.size, before + -first % DRIVE_BLOCK);
		return load;
	}
	left = from[large].iov_len - (FIRST - before);
	most = MIN_OF(limit, (uint64_t)blk->segments * DRIVE_BLOCK);
	most = most < 2 * DRIVE_BLOCK ? 0 : most - 2 * DRIVE_BLOCK;
	load.lent.iov_base = (void *)(first - (uintptr_t)before);
	load.lent.iov_len = (size_t)(MIN_OF(left, most) & ~(uint64_t)(DRIVE_BLOCK - 1));
	if (load.lent.iov_len)
		load.size = (uint32_t)(FIRST + load.lent.iov_len +
				       MIN_OF(left - load.lent.iov_len, (uint64_t)HEAD));
	return load;
}

/* Bytes behind those that @from begins with, and zeros up to the end of a block. */
static void fill(const struct iovec *from, int nr, size_t skip, size_t size, unsigned char *to)
{
	struct place place = {.at = from, .count = (size_t)nr};

	place_advance(&place, skip);
	gather(&place, to, size);
	to += size;
	memset(to, 0, -(uintptr_t)to % DRIVE_BLOCK);
}

static int write_parcel(struct blk *blk, struct blk_slot *slot, const struct iovec *from, int nr,
			const struct load *load)
{
	size_t all = (size_t)drive_parcel_size(load->size), lent = load->lent.iov_len;
	unsigned char *block = lent || all == DRIVE_BLOCK ? slot->small : slot->large;
	size_t own = lent ? FIRST : load->size, last = load->size - own - lent;
	struct iovec pieces[3] = {{block, all}};
	struct drive_head head = {
		.magic = htole32(DRIVE_HEAD_MAGIC),
		.size = htole32(load->size),
		.position = htole64(blk->out),
	};
	int count = 1, error;

	head.done = htole64(atomic_load(&blk->read));
	memcpy(head.nonce, blk->nonce, DRIVE_NONCE);
	memcpy(block, &head, HEAD);
	fill(from, nr, 0, own, block + HEAD);
	if (lent) {
		pieces[0].iov_len = DRIVE_BLOCK;
		pieces[count++] = load->lent;
	}
	if (last) {
		fill(from, nr, own + lent, last, slot->last);
		pieces[count++] = (struct iovec){slot->last, DRIVE_BLOCK};
	}
	drive_seal_parcel(block, load->size);
	error = access_start(&slot->access, true, pieces, count,
			     blk->base + blk->out_at + (blk->out & (blk->area - 1)));
	if (error)
		return blk_failed(blk, error);
	blk->out += all;
	return VACCEL_OK;
}

/* One whose last write has been answered; waits for the one whose turn it is. */
static int find_slot(struct link *link, int64_t until, struct blk_slot **ret_slot)
{
	struct blk *blk = link->io;
	int error = EAGAIN, ret;

	for (unsigned int i = 0; i < BLK_SLOTS && error == EAGAIN; i++) {
		*ret_slot = &blk->slots[(blk->slot + i) % BLK_SLOTS];
		error = access_wait(&(*ret_slot)->access, 0);
	}
	if (error != EAGAIN)
		return error ? blk_failed(blk, error) : VACCEL_OK;
	*ret_slot = &blk->slots[blk->slot];
	ret = wait_for(link, &(*ret_slot)->access, until);
	if (!ret)
		blk->slot = (blk->slot + 1) % BLK_SLOTS;
	return ret;
}

static int start_reading(struct blk *blk)
{
	const struct iovec block = {blk->in.small, DRIVE_BLOCK};

	return access_start(&blk->in.access, false, &block, 1,
			    blk->base + blk->in_at + (blk->at & (blk->area - 1)));
}

/* The answer may be waited for before the question is there. Whoever reads sees what fails. */
static void expect_answer(struct blk *blk)
{
	if (pthread_mutex_trylock(&blk->reading))
		return;
	blk->empty_since = 0;
	if (!blk->in.access.is_busy && !blk->left_size)
		start_reading(blk);
	pthread_mutex_unlock(&blk->reading);
}

static ssize_t blk_write(struct link *link, const struct iovec *from, int nr, int64_t until,
			 int passed)
{
	struct blk *blk = link->io;
	struct blk_slot *slot;
	uint64_t size = HEAD, room = 0;
	struct load load;
	int ret = find_slot(link, until, &slot);

	for (int i = 0; i < nr; i++)
		size += from[i].iov_len;
	size = (size + DRIVE_BLOCK - 1) & ~(uint64_t)(DRIVE_BLOCK - 1);
	if (!ret)
		ret = wait_for_room(link, MIN_OF(size, parcel_limit(blk, blk->out)), until, &room);
	if (ret)
		return -ret;
	load = plan(blk, from, nr, room);
	if (size == DRIVE_BLOCK)
		expect_answer(blk);
	ret = write_parcel(blk, slot, from, nr, &load);
	return ret ? -ret : (ssize_t)load.size;
}

/* Reading */

/* All of the parcel is there. */
static void take_parcel(struct blk *blk, const unsigned char *bytes, size_t size)
{
	blk->at += drive_parcel_size(blk->parcel);
	blk->parcel = 0;
	blk->left = bytes;
	blk->left_size = size;
}

/* Of what is done beside reading: a device that hangs is noticed where bytes are waited for. */
static int unless_late(int ret)
{
	return ret == VACCEL_ETIMEDOUT ? VACCEL_OK : ret;
}

/* The agent goes on only as far as it knows that we have read. */
static int tell_what_was_read(struct blk *blk, int64_t until)
{
	int ret;

	atomic_store(&blk->read, blk->at);
	if (blk->at - blk->told < blk->window / 2)
		return VACCEL_OK;
	ret = blk_keep(blk, MAX_OF(until, time_now() + STEP_NS));
	if (!ret)
		blk->told = blk->at;
	return unless_late(ret);
}

/* What was read is no head of ours. VACCEL_OK: to be read again. */
static int look_why(struct blk *blk)
{
	uint64_t ready;
	bool ended;

	if (++blk->nonsense > NONSENSE_MAX)
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: what is read makes no sense", blk->name);
	if (blk->nonsense % 4)
		return VACCEL_OK;
	return unless_late(blk_look(blk, time_now() + STEP_NS, &ready, &ended));
}

/* Begins to read what the head says, if that is more. */
static int take_head(struct blk *blk, bool *ret_ended)
{
	const unsigned char *block = blk->in.small;
	struct drive_head head;
	struct iovec rest;
	uint32_t size;
	int error;

	memcpy(&head, block, HEAD);
	size = le32toh(head.size);
	if (head.magic != htole32(DRIVE_HEAD_MAGIC) || le64toh(head.position) != blk->at ||
	    memcmp(head.nonce, blk->nonce, DRIVE_NONCE) ||
	    size > parcel_limit(blk, blk->at) - HEAD || !drive_parcel_is_sealed(block, size))
		return look_why(blk);
	blk->nonsense = 0;
	blk_raise(&blk->taken, le64toh(head.done));
	if (!size) {
		*ret_ended = head.ended;
		return VACCEL_OK;
	}
	blk->parcel = size;
	if (drive_parcel_size(size) == DRIVE_BLOCK) {
		take_parcel(blk, block + HEAD, size);
		return VACCEL_OK;
	}
	memcpy(blk->in.large, block, DRIVE_BLOCK);
	rest = (struct iovec){blk->in.large + DRIVE_BLOCK,
			      (size_t)drive_parcel_size(size) - DRIVE_BLOCK};
	error = access_start(&blk->in.access, false, &rest, 1,
			     blk->base + blk->in_at + (blk->at & (blk->area - 1)) + DRIVE_BLOCK);
	return error ? blk_failed(blk, error) : VACCEL_OK;
}

/* One access more. */
static int read_on(struct link *link, int64_t until, bool *ret_ended)
{
	struct blk *blk = link->io;
	struct disk_access *access = &blk->in.access;
	bool has_waited = !access->is_busy && blk->empty_since;
	int ret, error = 0;

	if (has_waited && until)
		pause_since(blk->empty_since, until);
	if (!access->is_busy)
		error = start_reading(blk);
	ret = error ? blk_failed(blk, error) : wait_for(link, access, until);
	if (ret)
		return ret;
	if (blk->parcel)
		take_parcel(blk, blk->in.large + HEAD, blk->parcel);
	else
		ret = take_head(blk, ret_ended);
	if (blk->parcel || blk->left_size)
		blk->empty_since = 0;
	else if (!blk->empty_since)
		blk->empty_since = time_now();
	return ret;
}

static ssize_t hand_out(struct blk *blk, const struct iovec *to, int nr)
{
	size_t total = 0;

	for (int i = 0; i < nr && blk->left_size; i++) {
		size_t part = MIN_OF(to[i].iov_len, blk->left_size);

		memcpy(to[i].iov_base, blk->left, part);
		blk->left += part;
		blk->left_size -= part;
		total += part;
	}
	return (ssize_t)total;
}

static ssize_t blk_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			int *ret_passed)
{
	struct blk *blk = link->io;
	bool ended = false;
	ssize_t size;
	int ret = VACCEL_OK;

	SCOPED_LOCK(&blk->reading);
	while (!blk->left_size && !ended && !ret) {
		if (link->shut)
			ret = vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
		else
			ret = read_on(link, until, &ended);
	}
	if (ret)
		return -ret;
	if (!blk->left_size)
		return 0;
	size = hand_out(blk, to, nr);
	if (!blk->left_size)
		ret = tell_what_was_read(blk, until);
	return ret ? -ret : size;
}

static bool blk_has_read_ahead(const struct link *link)
{
	const struct blk *blk = link->io;

	return blk && blk->left_size;
}

/* What is there has been read then: a read that may not wait has not even begun without this. */
static bool blk_is_stale(struct link *link)
{
	struct blk *blk = link->io;
	int64_t until = time_now() + STEP_NS;
	uint64_t ready;
	bool ended;

	if (blk_look(blk, until, &ready, &ended) || ended)
		return true;
	SCOPED_LOCK(&blk->reading);
	if (ready <= blk->at)
		return false;
	while (!blk->left_size && !ended && time_now() < until && !read_on(link, until, &ended))
		;
	return true;
}

static void shut_down(struct link *link)
{
	if (link->io)
		blk_give_up(link->io);
}

static void end(struct link *link)
{
	blk_delete(TAKE(link->io));
}

const struct carrier carrier_blk = {
	.scheme = "blk",
	.form = "blk:///DEVICE",
	.only_connects = true,
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.start = start,
	.read = blk_read,
	.write = blk_write,
	.has_read_ahead = blk_has_read_ahead,
	.is_stale = blk_is_stale,
	.shut_down = shut_down,
	.end = end,
};
