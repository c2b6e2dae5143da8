// SPDX-License-Identifier: Apache-2.0
/*
 * Each access has memory of the guest's for its chain: a kernel's block layer, which would
 * take the program's own pages, is not between.
 */
#include "guest_disk.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/util.h"
#include "transport/disk.h"
#include "transport/drive.h"
#include "transport/transport.h"

#define ACCESS_MAX (512u << 10)
#define PIECES_MAX 64

enum { BLK_IN, BLK_OUT, BLK_GET_ID = 8 };

struct blk_header {
	uint32_t type, reserved;
	uint64_t sector;
};

struct place {
	struct blk_header *header;
	char *bytes;
	unsigned char *status;
	struct iovec at[PIECES_MAX]; /* the program's */
	int nr;
	bool reads;
	size_t size;
	unsigned int queue;
	uint16_t head;
};

static struct guest_disk guest;
static _Atomic unsigned int turn;

static struct place *place_new(void)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	SCOPED_LOCK(&guest.front->lock);
	place->header = front_take(guest.front, sizeof(*place->header));
	place->bytes = front_take(guest.front, ACCESS_MAX);
	place->status = front_take(guest.front, 1);
	return place;
}

static void submit(struct place *place, uint32_t type, uint64_t sector)
{
	struct front_piece pieces[PIECES_MAX] = {{place->header, sizeof(*place->header), false}};
	size_t nr = 1, part;

	*place->header = (struct blk_header){htole32(type), 0, htole64(sector)};
	*place->status = 0xff;
	for (size_t done = 0; done < place->size; done += part) {
		part = place->size - done;
		if (guest.segment)
			part = MIN_OF(part, guest.segment);
		assert_true(nr < PIECES_MAX - 1);
		pieces[nr++] = (struct front_piece){place->bytes + done, part, type != BLK_OUT};
	}
	pieces[nr++] = (struct front_piece){place->status, 1, true};
	place->queue = turn++ % guest.queues;
	place->head = front_put(guest.front, place->queue, pieces, nr);
	front_kick(guest.front, place->queue);
}

/* EAGAIN: it has not come back. */
static int wait_until(struct place *place, int64_t until)
{
	struct pollfd poller = {.fd = guest.front->queues[place->queue].call, .events = POLLIN};
	uint64_t count;

	/* Others wait for the same descriptor, and may take what it tells. */
	while (!front_is_done(guest.front, place->queue, place->head)) {
		if (!until || time_now() >= until)
			return EAGAIN;
		if (poll(&poller, 1, 5) > 0)
			(void)!read(poller.fd, &count, sizeof(count));
	}
	front_wait(guest.front, place->queue, place->head);
	return *place->status ? EIO : 0;
}

/* As struct disk_kind has it. */

static int serial_of(const char *path, char *text, size_t room)
{
	struct place *place = place_new();
	int error;

	place->size = 20;
	submit(place, BLK_GET_ID, 0);
	error = wait_until(place, FOREVER);
	if (!error)
		snprintf(text, room, "%.20s", place->bytes);
	free(place);
	return error;
}

static int find(const char *serial, char *path, size_t room)
{
	char text[64];

	if (serial_of("/dev/vda", text, sizeof(text)) || strcmp(text, serial))
		return ENODEV;
	snprintf(path, room, "/dev/vda");
	return 0;
}

static int open_it(const char *path, int *ret_fd)
{
	*ret_fd = eventfd(0, EFD_CLOEXEC);
	return *ret_fd < 0 ? errno : 0;
}

static int size_of(int fd, uint64_t *ret_size)
{
	*ret_size = guest.capacity;
	return 0;
}

static int setup(struct disk_access *access)
{
	access->simulated = place_new();
	return 0;
}

static unsigned int segments(int fd)
{
	return guest.segment ? ACCESS_MAX / guest.segment : 1;
}

static int start(struct disk_access *access, bool is_write, const struct iovec *at, int nr,
		 uint64_t where)
{
	struct place *place = access->simulated;

	assert_true(nr <= PIECES_MAX && where % DRIVE_BLOCK == 0);
	memcpy(place->at, at, (size_t)nr * sizeof(*at));
	place->nr = nr;
	place->reads = !is_write;
	place->size = 0;
	for (int i = 0; i < nr; i++) {
		assert_true(place->size + at[i].iov_len <= ACCESS_MAX);
		assert_true((uintptr_t)at[i].iov_base % DRIVE_BLOCK == 0 &&
			    at[i].iov_len % DRIVE_BLOCK == 0);
		if (is_write)
			memcpy(place->bytes + place->size, at[i].iov_base, at[i].iov_len);
		place->size += at[i].iov_len;
	}
	assert_true(where + place->size <= guest.capacity);
	submit(place, is_write ? BLK_OUT : BLK_IN, where / DRIVE_SECTOR);
	return 0;
}

static int wait_for(struct disk_access *access, int64_t until)
{
	struct place *place = access->simulated;
	int error = wait_until(place, until);
	const char *from = place->bytes;

	for (int i = 0; !error && place->reads && i < place->nr; i++) {
		memcpy(place->at[i].iov_base, from, place->at[i].iov_len);
		from += place->at[i].iov_len;
	}
	return error;
}

static void end(struct disk_access *access)
{
	if (access->is_busy)
		wait_for(access, FOREVER);
	free(access->simulated);
}

static const struct disk_kind kind = {
	.serial = serial_of,
	.find = find,
	.open = open_it,
	.size = size_of,
	.segments = segments,
	.setup = setup,
	.start = start,
	.wait = wait_for,
	.end = end,
};

void guest_disk_attach(const struct guest_disk *attached)
{
	guest = *attached;
	disk = &kind;
}

void guest_disk_detach(void)
{
	disk = &disk_of_system;
}
