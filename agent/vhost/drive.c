// SPDX-License-Identifier: Apache-2.0
/*
 * What the drive's blocks are: the first one, which says what it is; and ranges,
 * which guests claim, with what they say and are told in the first block of each. All else
 * reads as zeros, and cannot be written. A thread moves what comes from the agent, answers reads
 * that were held for it, and ends ranges of which nothing has been heard.
 */
#include "agent/vhost/drive.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <vaccel/error.h>

#include "agent/vhost/range.h"
#include "base/util.h"
#include "transport/transport.h"

/* Less than 16 TiB, which is what a guest of 32 bits can address. */
#define RANGES	   1024u
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

#define NS_PER_MS INT64_C(1000000)

struct drive {
	struct drive_setup setup;
	uint64_t epoch;
	int epoll, wake;
	pthread_t thread;

	pthread_mutex_t lock; /* all below */
	bool ending;
	bool asleep; /* the thread, for longer than a tick */
	int64_t looked, last_held;
	unsigned int nr_ranges, nr_held;
	struct range *ranges[RANGES];
};

uint64_t drive_capacity(void)
{
	return (RANGES + 1) * RANGE_SIZE;
}

/* The thread */

static void wake(struct drive *drive)
{
	static const uint64_t one = 1;

	if (!drive->asleep)
		return;
	drive->asleep = false;
	(void)!write(drive->wake, &one, sizeof(one));
}

/* What the thread waits for. A socket from which nothing is wanted is not in the set: its end
 * would be told again and again. */
static void watch(struct drive *drive, uint32_t number)
{
	struct range *range = drive->ranges[number];
	struct epoll_event event = {.data.u32 = number};
	int how = EPOLL_CTL_MOD;

	if (range->fd < 0)
		return;
	if (range_has_room(range))
		event.events |= EPOLLIN;
	if (range->is_full)
		event.events |= EPOLLOUT;
	if (event.events == range->watched)
		return;
	if (!event.events)
		how = EPOLL_CTL_DEL;
	else if (!range->watched)
		how = EPOLL_CTL_ADD;
	epoll_ctl(drive->epoll, how, range->fd, &event);
	range->watched = event.events;
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
	const struct range *range = drive->ranges[number];
	unsigned char block[DRIVE_BLOCK] = {0};
	struct drive_status status = {
		.magic = htole32(DRIVE_STATUS_MAGIC),
		.state = htole32(DRIVE_FREE),
		.epoch = htole64(drive->epoch),
		.held = htole32(drive->nr_ranges),
		.held_max = htole32(drive->setup.held_max),
	};

	if (range) {
		status.state = htole32(range->fd < 0 ? DRIVE_ENDED : DRIVE_HELD);
		memcpy(status.nonce, range->nonce, DRIVE_NONCE);
		status.taken = htole64(range->taken);
		status.ready = htole64(range_ready(range));
	}
	drive_seal(&status);
	memcpy(block, &status, sizeof(status));
	request_put(request, from, block + offset, size);
}

/* Claims */

static void renew(const struct drive *drive, struct range *range)
{
	range->lease = time_about_now() + drive->setup.lease_ms * NS_PER_MS;
}

static void claim(struct drive *drive, uint32_t number, const unsigned char *nonce)
{
	struct range *range;
	int peer;

	if (drive->nr_ranges == drive->setup.held_max || range_new(nonce, &range, &peer))
		return;
	if (!drive->setup.connect(drive->setup.context, peer)) {
		range_delete(range);
		return;
	}
	drive->ranges[number] = range;
	drive->nr_ranges++;
	renew(drive, range);
	watch(drive, number);
	wake(drive);
}

/* Answers the read that is held, if there is one. */
static void let_go(struct drive *drive, struct range *range)
{
	struct drive_request *request = TAKE(range->held);

	if (!request)
		return;
	drive->nr_held--;
	range_read(range, request, 0, request->offset % RANGE_SIZE - IN_AT, request->size);
	request->done(request, true);
}

static void release(struct drive *drive, uint32_t number)
{
	struct range *range = TAKE(drive->ranges[number]);

	drive->nr_ranges--;
	let_go(drive, range);
	range_delete(range);
}

/* After something was sent or received, or may have ended. */
static void settle(struct drive *drive, uint32_t number)
{
	struct range *range = drive->ranges[number];

	if (range->is_released && !range->is_full) {
		release(drive, number);
		return;
	}
	if (range->filled || range->fd < 0)
		let_go(drive, range);
	watch(drive, number);
}

static bool control(struct drive *drive, uint32_t number, const struct drive_request *request,
		    uint64_t from)
{
	struct range *range = drive->ranges[number];
	struct drive_control control;
	bool is_holder;

	request_get(request, from, &control, sizeof(control));
	if (control.magic != htole32(DRIVE_CONTROL_MAGIC) || !drive_is_sealed(&control) ||
	    control.epoch != htole64(drive->epoch))
		return false;
	is_holder = range && !memcmp(range->nonce, control.nonce, DRIVE_NONCE);
	switch (le32toh(control.kind)) {
	case DRIVE_CLAIM:
		if (!range)
			claim(drive, number, control.nonce);
		return true;
	case DRIVE_KEEP:
		if (!is_holder)
			return false;
		renew(drive, range);
		range_advance(range, le64toh(control.read));
		range_receive(range);
		settle(drive, number);
		return true;
	case DRIVE_RELEASE:
		if (is_holder) {
			range->is_released = true;
			settle(drive, number);
		}
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

static bool write_at(struct drive *drive, const struct drive_request *request, uint64_t from,
		     const struct spot *spot, uint64_t size)
{
	struct range *range = spot->part == OUT ? drive->ranges[spot->number] : NULL;
	bool ret;

	if (spot->part == CONTROL) /* all is in its first sector */
		return spot->place || control(drive, spot->number, request, from);
	if (!range || range->is_released)
		return false;
	range->quiet = 0;
	ret = range_write(range, request, from, spot->place, size);
	renew(drive, range);
	range_send(range);
	settle(drive, spot->number);
	return ret;
}

static void read_at(struct drive *drive, const struct drive_request *request, uint64_t from,
		    const struct spot *spot, uint64_t size)
{
	struct range *range = spot->part == IN ? drive->ranges[spot->number] : NULL;

	if (spot->part == FRONT)
		read_front(drive, request, from, (size_t)spot->place, (size_t)size);
	else if (spot->part == CONTROL)
		read_status(drive, spot->number, request, from, (size_t)spot->place, (size_t)size);
	else if (range)
		range_read(range, request, from, spot->place, size);
	else
		request_put(request, from, NULL, (size_t)size);
}

/* Whether the request waits from now on for what is to come. */
static bool hold(struct drive *drive, struct drive_request *request)
{
	struct spot spot = find(request->offset);
	struct range *range = spot.part == IN ? drive->ranges[spot.number] : NULL;

	if (request->is_write || !range)
		return false;
	range->quiet = 0;
	range_receive(range);
	if (!range_is_waited_for(range, spot.place, request->size))
		return false;
	let_go(drive, range);
	if (drive->nr_held >= MAX_OF(drive->setup.queue_size / HELD_SHARE, 1u))
		return false;
	drive->nr_held++;
	drive->last_held = time_about_now();
	request->until = drive->last_held + HOLD_MS * NS_PER_MS;
	range->held = request;
	wake(drive);
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
	bool fits = !(request->offset % DRIVE_SECTOR) && !(request->size % DRIVE_SECTOR) &&
		    request->size <= drive_capacity() &&
		    request->offset <= drive_capacity() - request->size;

	if (!fits) {
		request->done(request, false);
		return;
	}
	SCOPED_LOCK(&drive->lock);
	if (!hold(drive, request))
		request->done(request, run(drive, request));
}

void drive_let_go(struct drive *drive)
{
	SCOPED_LOCK(&drive->lock);
	for (uint32_t i = 0; i < RANGES && drive->nr_held; i++)
		if (drive->ranges[i])
			let_go(drive, drive->ranges[i]);
}

static void release_all(struct drive *drive)
{
	for (uint32_t i = 0; i < RANGES; i++)
		if (drive->ranges[i])
			release(drive, i);
}

void drive_reset(struct drive *drive)
{
	SCOPED_LOCK(&drive->lock);

	release_all(drive);
}

/* The thread's */

static void serve(struct drive *drive, uint32_t number)
{
	struct range *range = drive->ranges[number];

	if (!range)
		return;
	range_send(range);
	range_receive(range);
	settle(drive, number);
}

static void look_at_leases(struct drive *drive, int64_t now)
{
	drive->looked = now;
	for (uint32_t i = 0; i < RANGES; i++) {
		if (!drive->ranges[i])
			continue;
		if (now > drive->ranges[i]->lease)
			release(drive, i);
		else if (++drive->ranges[i]->quiet == QUIET_LOOKS)
			range_rest(drive->ranges[i]);
	}
}

static void let_go_late(struct drive *drive, int64_t now)
{
	for (uint32_t i = 0; i < RANGES && drive->nr_held; i++) {
		struct range *range = drive->ranges[i];

		if (range && range->held && now >= range->held->until)
			let_go(drive, range);
	}
}

/* Sees to what is due. How long to sleep, in ms. */
static int tick(struct drive *drive)
{
	int64_t now = time_now();
	int look_ms = (int)MIN_OF((uint32_t)LOOK_MS, drive->setup.lease_ms / 4 + 1);

	let_go_late(drive, now);
	if (now - drive->looked >= look_ms * NS_PER_MS)
		look_at_leases(drive, now);
	drive->asleep = !drive->nr_held && now - drive->last_held > QUIET_MS * NS_PER_MS;
	if (!drive->asleep)
		return TICK_MS;
	return drive->nr_ranges ? look_ms : -1;
}

static void *thread_main(void *context)
{
	struct drive *drive = context;
	struct epoll_event events[16];
	int nr = 0, ms;

	pthread_mutex_lock(&drive->lock);
	while (!drive->ending) {
		for (int i = 0; i < nr; i++) {
			uint64_t count;

			if (events[i].data.u32 < RANGES)
				serve(drive, events[i].data.u32);
			else
				(void)!read(drive->wake, &count, sizeof(count));
		}
		ms = tick(drive);
		pthread_mutex_unlock(&drive->lock);
		nr = epoll_wait(drive->epoll, events, ARRAY_SIZE(events), ms);
		pthread_mutex_lock(&drive->lock);
		drive->asleep = false;
	}
	pthread_mutex_unlock(&drive->lock);
	return NULL;
}

int drive_new(const struct drive_setup *setup, struct drive **ret_drive)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = RANGES};
	struct drive *drive = calloc(1, sizeof(*drive));
	int ret = VACCEL_OK;

	if (!drive)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a drive");
	drive->setup = *setup;
	if (!setup->held_max)
		drive->setup.held_max = DRIVE_HELD_MAX;
	if (!setup->lease_ms)
		drive->setup.lease_ms = DRIVE_LEASE_MS;
	pthread_mutex_init(&drive->lock, NULL);
	drive->epoll = epoll_create1(EPOLL_CLOEXEC);
	drive->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (getrandom(&drive->epoch, sizeof(drive->epoch), 0) != sizeof(drive->epoch) ||
	    drive->epoll < 0 || drive->wake < 0 ||
	    epoll_ctl(drive->epoll, EPOLL_CTL_ADD, drive->wake, &event))
		ret = vaccel_fail(errno, "a drive cannot be made: %s", strerror(errno));
	else if (pthread_create(&drive->thread, NULL, thread_main, drive))
		ret = vaccel_fail(VACCEL_EAGAIN, "there is no thread for a drive");
	if (!ret) {
		*ret_drive = drive;
		return VACCEL_OK;
	}
	closep(&drive->epoll);
	closep(&drive->wake);
	pthread_mutex_destroy(&drive->lock);
	free(drive);
	return ret;
}

void drive_delete(struct drive *drive)
{
	if (!drive)
		return;
	pthread_mutex_lock(&drive->lock);
	drive->ending = true;
	drive->asleep = true;
	wake(drive);
	pthread_mutex_unlock(&drive->lock);
	pthread_join(drive->thread, NULL);
	release_all(drive);
	close(drive->epoll);
	close(drive->wake);
	pthread_mutex_destroy(&drive->lock);
	free(drive);
}
