// SPDX-License-Identifier: Apache-2.0
/*
 * What the drive's blocks are: the first one, which says what it is; and ranges, which guests
 * claim, with what they say and are told in the first block of each. All else reads as zeros,
 * and cannot be written. A thread answers requests that were held for too long, and ends
 * claims of which nothing has been heard.
 */
#include "agent/vhost/drive.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <vaccel/error.h>

#include "agent/vhost/claim.h"
#include "base/util.h"
#include "transport/transport.h"

#define RANGE_SIZE (4 * RANGE_AREA)
#define OUT_AT	   RANGE_AREA
#define IN_AT	   (2 * RANGE_AREA)

/* A read is held for so long, and half as long more. */
#define HOLD_MS 20
#define TICK_MS 10

/* So long after the last one the thread sleeps for longer, and has to be woken for the next. */
#define QUIET_MS 1000

/* With nothing to do the thread looks at leases so often. */
#define LOOK_MS 1000

/* After so many looks without any bytes a range holds no memory. */
#define QUIET_LOOKS 30

/* A queue's share that is held at most. */
#define HELD_SHARE 8

uint64_t drive_capacity(void)
{
	return (RANGES + 1) * RANGE_SIZE;
}

static void wake(struct drive *drive)
{
	if (drive->asleep)
		pthread_cond_signal(&drive->due);
	drive->asleep = false;
}

/* Blocks */

static void read_front(const struct drive *drive, const struct drive_request *request,
		       uint64_t from, size_t offset, size_t size)
{
	static const char text[] =
		"This is not a disk. By it programs in this machine call vaccel-agent on its host:\n"
		"VACCEL_RPC_ADDRESS=blk: finds it. Nothing can be stored here.\n";
	unsigned char block[DRIVE_BLOCK] = {0};
	struct drive_front front = {
		.magic = DRIVE_MAGIC,
		.version = htole32(DRIVE_VERSION),
		.block = htole32(DRIVE_BLOCK),
		.epoch = htole64(drive->epoch),
		.ranges_at = htole64(RANGE_SIZE),
		.range_size = htole64(RANGE_SIZE),
		.ranges = htole32(RANGES),
		.parcel_max = htole32(RANGE_PARCEL),
		.out_at = htole64(OUT_AT),
		.in_at = htole64(IN_AT),
		.area = htole64(RANGE_AREA),
		.window = htole32(RANGE_WINDOW),
		.hold_ms = htole32(HOLD_MS),
		.lease_ms = htole32(drive->setup.lease_ms),
	};

	drive_seal(&front);
	memcpy(block, &front, sizeof(front));
	memcpy(block + DRIVE_TEXT, text, sizeof(text));
	request_put(request, from, block + offset, size);
}

static void read_status(const struct drive *drive, uint32_t number,
			const struct drive_request *request, uint64_t from, size_t offset,
			size_t size)
{
	const struct claim *claim = drive->claims[number];
	unsigned char block[DRIVE_BLOCK] = {0};
	struct drive_status status = {
		.magic = htole32(DRIVE_STATUS_MAGIC),
		.state = htole32(DRIVE_FREE),
		.epoch = htole64(drive->epoch),
		.held = htole32(drive->nr_claims),
		.held_max = htole32(drive->setup.held_max),
	};

	if (claim) {
		status.state = htole32(claim->range.ended ? DRIVE_ENDED : DRIVE_HELD);
		memcpy(status.nonce, claim->range.nonce, DRIVE_NONCE);
		status.taken = htole64(claim->range.taken);
		status.ready = htole64(range_ready(&claim->range));
	}
	drive_seal(&status);
	memcpy(block, &status, sizeof(status));
	request_put(request, from, block + offset, size);
}

/* Claims */

static void renew(struct claim *claim)
{
	claim->lease = time_about_now() + claim->drive->setup.lease_ms * MILLISECOND;
}

/* It gets its connection when the lock has been given up. */
static void make_claim(struct drive *drive, uint32_t number, const unsigned char *nonce)
{
	struct claim *claim;

	if (drive->nr_claims == drive->setup.held_max)
		return;
	claim = calloc(1, sizeof(*claim));
	if (!claim || range_init(&claim->range, nonce)) {
		free(claim);
		return;
	}
	claim->drive = drive;
	claim->number = number;
	claim->refs = 2; /* the other one is that of who connects it */
	reader_init(&claim->reader, &drive->lock, &drive->helper, -1);
	claim->next = drive->fresh;
	drive->fresh = claim;
	drive->claims[number] = claim;
	drive->nr_claims++;
	renew(claim);
	wake(drive);
}

void claim_unref(struct claim *claim)
{
	if (--claim->refs)
		return;
	range_release(&claim->range);
	reader_release(&claim->reader);
	free(claim);
}

void claim_let_go(struct claim *claim)
{
	struct drive_request *held = TAKE(claim->held), *late = TAKE(claim->late);

	if (!held)
		return;
	claim->drive->nr_held -= late ? 2 : 1;
	range_read(&claim->range, held, 0, held->offset % RANGE_SIZE - IN_AT, held->size);
	if (late)
		late->done(late, true);
	held->done(held, true);
}

/* What was written before is still the agent's to read. */
static void release(struct drive *drive, uint32_t number)
{
	struct claim *claim = TAKE(drive->claims[number]);

	drive->nr_claims--;
	claim_let_go(claim);
	claim->range.closed = true;
	reader_tell(&claim->reader);
	claim_unref(claim);
}

/* By who made claims, without the lock. */
static void connect_fresh(struct drive *drive, struct claim *claim)
{
	struct claim *next;

	for (; claim; claim = next) {
		int ret = claim_connect(claim);

		SCOPED_LOCK(&drive->lock);
		if (ret && drive->claims[claim->number] == claim)
			release(drive, claim->number);
		next = claim->next;
		claim_unref(claim);
	}
}

static bool control(struct drive *drive, uint32_t number, const struct drive_request *request,
		    uint64_t from)
{
	struct claim *claim = drive->claims[number];
	struct drive_control control;
	bool is_holder;

	request_get(request, from, &control, sizeof(control));
	if (control.magic != htole32(DRIVE_CONTROL_MAGIC) || !drive_is_sealed(&control) ||
	    control.epoch != htole64(drive->epoch))
		return false;
	is_holder = claim && !memcmp(claim->range.nonce, control.nonce, DRIVE_NONCE);
	switch (le32toh(control.kind)) {
	case DRIVE_CLAIM:
		if (!claim)
			make_claim(drive, number, control.nonce);
		return true;
	case DRIVE_KEEP:
		if (!is_holder)
			return false;
		renew(claim);
		range_advance(&claim->range, le64toh(control.read));
		if (claim->reader.waiting)
			reader_tell(&claim->reader);
		return true;
	case DRIVE_RELEASE:
		if (is_holder)
			release(drive, number);
		return true;
	default:
		return false;
	}
}

/* Requests */

/* Where in the drive something is, and how much of it lies in the same part. */
struct spot {
	enum { FRONT, CONTROL, OUT, IN, NOTHING } part;
	uint32_t number; /* of the range */
	uint64_t place;	 /* in that part */
	uint64_t left;
};

static struct spot find(uint64_t offset)
{
	uint64_t inside = offset % RANGE_SIZE;
	struct spot spot = {
		.part = NOTHING,
		.number = (uint32_t)(offset / RANGE_SIZE) - 1,
		.place = inside % RANGE_AREA,
		.left = RANGE_AREA - inside % RANGE_AREA,
	};

	if (inside < DRIVE_BLOCK) {
		spot.part = offset < RANGE_SIZE ? FRONT : CONTROL;
		spot.left = DRIVE_BLOCK - inside;
	} else if (offset >= RANGE_SIZE && inside / RANGE_AREA == OUT_AT / RANGE_AREA) {
		spot.part = OUT;
	} else if (offset >= RANGE_SIZE && inside / RANGE_AREA == IN_AT / RANGE_AREA) {
		spot.part = IN;
	}
	return spot;
}

bool drive_has_writes_at(uint64_t offset)
{
	struct spot spot = find(offset);

	return spot.part == CONTROL || spot.part == OUT;
}

static bool write_at(struct drive *drive, const struct drive_request *request, uint64_t from,
		     const struct spot *spot, uint64_t size)
{
	struct claim *claim = spot->part == OUT ? drive->claims[spot->number] : NULL;
	bool ret;

	if (spot->part == CONTROL) /* all is in its first sector */
		return spot->place || control(drive, spot->number, request, from);
	if (!claim)
		return false;
	claim->quiet = 0;
	ret = range_write(&claim->range, request, from, spot->place, size);
	renew(claim);
	if (range_has_bytes(&claim->range) || claim->reader.waiting || claim->range.ended ||
	    (claim->range.awaited && claim->range.awaited->done))
		reader_tell(&claim->reader);
	if (claim->range.ended)
		claim_let_go(claim);
	return ret;
}

static void read_at(struct drive *drive, const struct drive_request *request, uint64_t from,
		    const struct spot *spot, uint64_t size)
{
	struct claim *claim = spot->part == IN ? drive->claims[spot->number] : NULL;

	if (spot->part == FRONT)
		read_front(drive, request, from, (size_t)spot->place, (size_t)size);
	else if (spot->part == CONTROL)
		read_status(drive, spot->number, request, from, (size_t)spot->place, (size_t)size);
	else if (claim)
		range_read(&claim->range, request, from, spot->place, size);
	else
		request_put(request, from, NULL, (size_t)size);
}

static bool may_hold(const struct drive *drive)
{
	return drive->nr_held < MAX_OF(drive->setup.queue_size / HELD_SHARE, 1u);
}

/* Whether the request waits from now on for what is to come. */
static bool hold(struct drive *drive, struct drive_request *request)
{
	struct spot spot = find(request->offset);
	struct claim *claim = spot.part == IN ? drive->claims[spot.number] : NULL;

	if (request->is_write || !claim)
		return false;
	claim->quiet = 0;
	if (!range_is_waited_for(&claim->range, spot.place, request->size))
		return false;
	claim_let_go(claim);
	if (!may_hold(drive))
		return false;
	drive->nr_held++;
	drive->last_held = time_about_now();
	request->until = drive->last_held + HOLD_MS * MILLISECOND;
	claim->held = request;
	wake(drive);
	return true;
}

/*
 * A small message has been written, and the answer is waited for already: both requests
 * are answered at once, which interrupts the machine once.
 */
static bool answer_later(struct drive *drive, struct drive_request *request)
{
	struct spot spot = find(request->offset);
	struct claim *claim = spot.part == OUT ? drive->claims[spot.number] : NULL;

	if (!request->is_write || request->size != DRIVE_BLOCK || !claim || !claim->held ||
	    claim->late || !may_hold(drive))
		return false;
	drive->nr_held++;
	claim->late = request;
	return true;
}

static bool run(struct drive *drive, const struct drive_request *request)
{
	uint64_t from = 0;
	bool ret = true;

	while (from < request->size) {
		struct spot spot = find(request->offset + from);
		uint64_t part = MIN_OF(request->size - from, spot.left);

		if (request->is_write)
			ret &= write_at(drive, request, from, &spot, part);
		else
			read_at(drive, request, from, &spot, part);
		from += part;
	}
	return ret;
}

void drive_submit(struct drive *drive, struct drive_request *request)
{
	bool is_kept, went_well = !(request->offset % DRIVE_SECTOR) &&
				  !(request->size % DRIVE_SECTOR) &&
				  request->size <= DRIVE_ACCESS_MAX &&
				  request->offset <= drive_capacity() - request->size;
	struct claim *fresh;

	if (!went_well) {
		request->done(request, false);
		return;
	}
	pthread_mutex_lock(&drive->lock);
	is_kept = hold(drive, request);
	if (!is_kept) {
		went_well = run(drive, request);
		is_kept = went_well && answer_later(drive, request);
	}
	fresh = TAKE(drive->fresh);
	pthread_mutex_unlock(&drive->lock);
	connect_fresh(drive, fresh);
	if (!is_kept)
		request->done(request, went_well);
}

void drive_let_go(struct drive *drive)
{
	SCOPED_LOCK(&drive->lock);
	for (uint32_t i = 0; i < RANGES && drive->nr_held; i++)
		if (drive->claims[i])
			claim_let_go(drive->claims[i]);
}

static void release_all(struct drive *drive)
{
	for (uint32_t i = 0; i < RANGES; i++)
		if (drive->claims[i])
			release(drive, i);
}

void drive_reset(struct drive *drive)
{
	SCOPED_LOCK(&drive->lock);

	release_all(drive);
}

void drive_helped(struct drive *drive, struct vhost *vhost)
{
	helper_set(&drive->helper, vhost);
}

/* The thread's */

static void look_at_leases(struct drive *drive, int64_t now)
{
	drive->looked = now;
	for (uint32_t i = 0; i < RANGES; i++) {
		if (!drive->claims[i])
			continue;
		if (now > drive->claims[i]->lease)
			release(drive, i);
		else if (++drive->claims[i]->quiet == QUIET_LOOKS)
			range_rest(&drive->claims[i]->range);
	}
}

static void let_go_late(struct drive *drive, int64_t now)
{
	for (uint32_t i = 0; i < RANGES && drive->nr_held; i++) {
		struct claim *claim = drive->claims[i];

		if (claim && claim->held && now >= claim->held->until)
			claim_let_go(claim);
	}
}

/* Sees to what is due. How long to sleep, in ms. */
static int tick(struct drive *drive)
{
	int64_t now = time_now();
	int look_ms = (int)MIN_OF((uint32_t)LOOK_MS, drive->setup.lease_ms / 4 + 1);

	let_go_late(drive, now);
	if (now - drive->looked >= look_ms * MILLISECOND)
		look_at_leases(drive, now);
	drive->asleep = !drive->nr_held && now - drive->last_held > QUIET_MS * MILLISECOND;
	if (!drive->asleep)
		return TICK_MS;
	return drive->nr_claims ? look_ms : -1;
}

static void *thread_main(void *context)
{
	struct drive *drive = context;

	pthread_mutex_lock(&drive->lock);
	while (!drive->ending) {
		int ms = tick(drive);
		int64_t until = time_now() + ms * MILLISECOND;
		struct timespec end = timespec_of(until);

		if (ms < 0)
			pthread_cond_wait(&drive->due, &drive->lock);
		else
			pthread_cond_clockwait(&drive->due, &drive->lock, CLOCK_MONOTONIC, &end);
		drive->asleep = false;
	}
	pthread_mutex_unlock(&drive->lock);
	return NULL;
}

void drive_unref(struct drive *drive)
{
	if (atomic_fetch_sub(&drive->refs, 1) != 1)
		return;
	helper_release(&drive->helper);
	pthread_mutex_destroy(&drive->lock);
	pthread_cond_destroy(&drive->due);
	free(drive);
}

int drive_new(const struct drive_setup *setup, struct drive **ret_drive)
{
	struct drive *drive = calloc(1, sizeof(*drive));
	int ret = VACCEL_OK;

	if (!drive)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a drive");
	drive->setup = *setup;
	if (!setup->held_max)
		drive->setup.held_max = DRIVE_HELD_MAX;
	if (!setup->lease_ms)
		drive->setup.lease_ms = DRIVE_LEASE_MS;
	atomic_init(&drive->refs, 1);
	helper_init(&drive->helper, setup->help, setup->help_fd);
	pthread_mutex_init(&drive->lock, NULL);
	pthread_cond_init(&drive->due, NULL);
	if (getrandom(&drive->epoch, sizeof(drive->epoch), 0) != sizeof(drive->epoch))
		ret = vaccel_fail(errno, "no random numbers for a drive: %s", strerror(errno));
	else if (pthread_create(&drive->thread, NULL, thread_main, drive))
		ret = vaccel_fail(VACCEL_EAGAIN, "there is no thread for a drive");
	if (ret)
		drive_unref(drive);
	else
		*ret_drive = drive;
	return ret;
}

void drive_delete(struct drive *drive)
{
	if (!drive)
		return;
	helper_end(&drive->helper);
	pthread_mutex_lock(&drive->lock);
	drive->ending = true;
	pthread_cond_signal(&drive->due);
	pthread_mutex_unlock(&drive->lock);
	pthread_join(drive->thread, NULL);
	pthread_mutex_lock(&drive->lock);
	release_all(drive);
	pthread_mutex_unlock(&drive->lock);
	drive_unref(drive);
}
