/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest with a drive: bytes say which places it reads and writes, and what; two ranges are
 * claimed well enough that parcels get through. The agent's end sends back what it gets.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/vhost/drive.h"
#include "messages.h"
#include "transport/drive.h"
#include "transport/link.h"

#define AREA  (UINT64_C(1) << 30)
#define RANGE (4 * AREA)

enum { AGENTS = 8, REQUEST_MAX = 64 << 10, STEPS = 256 };

struct access {
	struct drive_request request;
	struct iovec pieces[2];
	unsigned char bytes[REQUEST_MAX];
};

struct input {
	const uint8_t *at;
	size_t left;
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint64_t messages_taken;

static struct link *agents[AGENTS];
static atomic_uint under_way;

static uint64_t take(struct input *input, size_t bytes)
{
	uint64_t number = 0;

	for (; bytes && input->left; bytes--, input->left--)
		number = number << 8 | *input->at++;
	return number;
}

static bool connect_agent(void *context, struct link *link)
{
	for (int i = 0; i < AGENTS; i++)
		if (!agents[i]) {
			agents[i] = link;
			return true;
		}
	link_delete(link);
	return false;
}

static void done(struct drive_request *request, bool went_well)
{
	free(request);
	under_way--;
}

static void submit(struct drive *drive, bool is_write, uint64_t place, const void *bytes,
		   size_t size)
{
	struct access *access = calloc(1, sizeof(*access));

	if (!access || size > REQUEST_MAX)
		abort();
	if (is_write)
		memcpy(access->bytes, bytes, size);
	access->pieces[0] = (struct iovec){access->bytes, size / 3};
	access->pieces[1] = (struct iovec){access->bytes + size / 3, size - size / 3};
	access->request = (struct drive_request){
		.is_write = is_write,
		.offset = place,
		.at = access->pieces,
		.nr = 2,
		.size = size,
		.done = done,
	};
	under_way++;
	messages_taken++;
	drive_submit(drive, &access->request);
}

static uint64_t epoch_of(struct drive *drive)
{
	struct drive_front front;
	unsigned char block[DRIVE_BLOCK];
	const struct iovec piece = {block, sizeof(block)};
	struct access *access = calloc(1, sizeof(*access));

	if (!access)
		abort();
	access->request =
		(struct drive_request){.at = &piece, .nr = 1, .size = sizeof(block), .done = done};
	under_way++;
	drive_submit(drive, &access->request);
	memcpy(&front, block, sizeof(front));
	return front.epoch;
}

/* Positions of nonces of zeros begin at 0, which makes them places, too. */
static void control(struct drive *drive, struct input *input, uint64_t base, uint64_t epoch)
{
	unsigned char sector[DRIVE_SECTOR] = {0};
	struct drive_control control = {
		.magic = htole32(DRIVE_CONTROL_MAGIC),
		.kind = htole32((uint32_t)take(input, 1) % 4),
		.epoch = epoch,
		.read = htole64(take(input, 1) * DRIVE_BLOCK),
	};

	drive_seal(&control);
	memcpy(sector, &control, sizeof(control));
	submit(drive, true, base, sector, sizeof(sector));
}

static void parcel(struct drive *drive, struct input *input, uint64_t base)
{
	static unsigned char bytes[REQUEST_MAX];
	uint64_t position = take(input, 1) * DRIVE_BLOCK;
	struct drive_head head = {
		.magic = htole32(DRIVE_HEAD_MAGIC),
		.size = htole32((uint32_t)take(input, 2) % (REQUEST_MAX - DRIVE_BLOCK)),
		.position = htole64(position),
		.done = htole64(take(input, 1) * DRIVE_BLOCK),
	};
	uint64_t all = drive_parcel_size(le32toh(head.size));
	uint64_t from = take(input, 1) * DRIVE_SECTOR, size = take(input, 1) * DRIVE_SECTOR;

	memcpy(bytes, &head, sizeof(head));
	drive_seal_parcel(bytes, le32toh(head.size));
	if (from >= all || !size)
		from = 0;
	if (size > all - from || !size)
		size = all - from;
	submit(drive, true, base + AREA + position + from, bytes + from, (size_t)size);
}

static void any_access(struct drive *drive, struct input *input, bool is_write, uint64_t base)
{
	uint64_t place = base + take(input, 1) % 4 * AREA + take(input, 2) * 256;
	size_t size = (size_t)take(input, 2) * 2 % (REQUEST_MAX + 1);

	if (take(input, 1) == 255)
		place = take(input, 8);
	submit(drive, is_write, place, input->at,
	       is_write ? (size < input->left ? size : 0) : size);
}

/* Those that have room wait a moment. */
static void answer(bool waits)
{
	char bytes[8192];

	for (int i = 0; i < AGENTS; i++) {
		const struct iovec room = {bytes, sizeof(bytes)};
		int64_t until = waits ? time_now() + 1000 : 0;
		int passed = -1;
		ssize_t size = -1;

		if (agents[i])
			size = agents[i]->read(agents[i], &room, 1, until, &passed);
		if (size > 0)
			agents[i]->write(agents[i], &(struct iovec){bytes, (size_t)size}, 1, until,
					 -1);
	}
}

static void hang_up(unsigned int number)
{
	link_delete(agents[number]);
	agents[number] = NULL;
}

static void step(struct drive *drive, struct input *input, uint64_t epoch)
{
	uint64_t kind = take(input, 1);
	uint64_t base = (1 + kind / 128) * RANGE;

	switch (kind % 8) {
	case 0:
		control(drive, input, base, epoch);
		return;
	case 1:
	case 2:
		parcel(drive, input, base);
		return;
	case 3:
		any_access(drive, input, true, base);
		return;
	case 4:
		any_access(drive, input, false, base);
		return;
	case 5:
		submit(drive, false, base + 2 * AREA + take(input, 1) * DRIVE_BLOCK, NULL,
		       DRIVE_BLOCK * (1 + kind / 8 % 4));
		return;
	case 6:
		answer(kind / 8 % 2);
		return;
	default:
		if (kind / 8 % 4 == 0)
			hang_up((unsigned int)take(input, 1) % AGENTS);
		else if (kind / 8 % 4 == 1)
			drive_reset(drive);
		else
			drive_let_go(drive);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct drive_setup setup = {.queue_size = 16, .connect = connect_agent};
	struct input input = {data, size};
	struct drive *drive;
	uint64_t epoch;

	if (drive_new(&setup, &drive))
		abort();
	epoch = epoch_of(drive);
	/* What gets through at all begins with a range that is held. */
	control(drive, &(struct input){(const uint8_t *)"\1", 1}, RANGE, epoch);
	for (int i = 0; i < STEPS && input.left; i++)
		step(drive, &input, epoch);
	drive_delete(drive);
	if (under_way)
		abort();
	for (unsigned int i = 0; i < AGENTS; i++)
		hang_up(i);
	return 0;
}
