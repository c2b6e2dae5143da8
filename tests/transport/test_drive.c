// SPDX-License-Identifier: Apache-2.0
/*
 * The drive of docs/virtio.md under requests as no client makes them: what it does not let a guest
 * do, and when it answers what.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ends.h"
#include "files.h"
#include "machine.h"
#include "transport/drive.h"
#include "transport/link.h"

#define AREA   (UINT64_C(1) << 30)
#define RANGE  (4 * AREA)
#define WINDOW (2 << 20)

static int64_t soon(void)
{
	return time_now() + PATIENCE_NS;
}

static struct link *connect_guest(void)
{
	struct address address;
	struct link *link;

	assert_int_equal(address_parse("blk:", &address), VACCEL_OK);
	assert_int_equal(link_connect(&address, NULL, soon(), &link), VACCEL_OK);
	address_release(&address);
	return link;
}

static void get_front(struct machine *machine, struct drive_front *ret_front)
{
	unsigned char block[DRIVE_BLOCK];

	assert_true(machine_access(machine, false, block, sizeof(block), 0));
	memcpy(ret_front, block, sizeof(*ret_front));
}

/* What the agent does with its end of a connection. */

static void say(struct link *agent, const void *bytes, size_t size)
{
	const struct iovec piece = {(void *)bytes, size};

	assert_int_equal(agent->write(agent, &piece, 1, soon(), -1), size);
}

static void hear(struct link *agent, void *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		const struct iovec piece = {(char *)bytes + done, size - done};
		int passed = -1;
		ssize_t got = agent->read(agent, &piece, 1, soon(), &passed);

		assert_true(got > 0);
		done += (size_t)got;
	}
}

static bool hears_the_end(struct link *agent)
{
	char byte;
	const struct iovec piece = {&byte, 1};
	int passed = -1;

	return !agent->read(agent, &piece, 1, soon(), &passed);
}

static bool has_bytes(struct link *agent)
{
	return agent->carrier->has_read_ahead(agent);
}

/* Requests */

static const unsigned char nonce[DRIVE_NONCE] = {0, 0x50, 3, 4, 5};
#define START UINT64_C(0x04035000) /* what the nonce begins with */

enum { NUMBER = 5 };

static uint64_t control_at(void)
{
	return (NUMBER + 1) * RANGE;
}

static uint64_t out_at(uint64_t position)
{
	return control_at() + AREA + position % AREA;
}

static uint64_t in_at(uint64_t position)
{
	return control_at() + 2 * AREA + position % AREA;
}

static bool put_control(struct machine *machine, enum drive_control_kind kind,
			const unsigned char *who, uint64_t read)
{
	unsigned char sector[DRIVE_SECTOR] = {0};
	struct drive_front front;
	struct drive_control control = {
		.magic = htole32(DRIVE_CONTROL_MAGIC),
		.kind = htole32(kind),
		.read = htole64(read),
	};

	get_front(machine, &front);
	control.epoch = front.epoch;
	memcpy(control.nonce, who, DRIVE_NONCE);
	drive_seal(&control);
	memcpy(sector, &control, sizeof(control));
	return machine_access(machine, true, sector, sizeof(sector), control_at());
}

static struct drive_status status_of(struct machine *machine)
{
	unsigned char sector[DRIVE_SECTOR];
	struct drive_status status;

	assert_true(machine_access(machine, false, sector, sizeof(sector), control_at()));
	memcpy(&status, sector, sizeof(status));
	assert_true(drive_is_sealed(&status));
	return status;
}

static void test_claims(void **state)
{
	static const unsigned char other[DRIVE_NONCE] = {1};
	unsigned char sector[DRIVE_SECTOR] = {0};
	struct machine *machine = machine_new(false, NULL);
	struct link *agent;

	assert_int_equal(status_of(machine).state, htole32(DRIVE_FREE));
	assert_false(put_control(machine, DRIVE_KEEP, nonce, 0));
	assert_true(put_control(machine, DRIVE_RELEASE, nonce, 0));
	assert_false(put_control(machine, (enum drive_control_kind)9, nonce, 0));
	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	assert_true(put_control(machine, DRIVE_CLAIM, other, 0));
	assert_memory_equal(status_of(machine).nonce, nonce, DRIVE_NONCE);
	assert_true(status_of(machine).taken == htole64(START));
	assert_int_equal(status_of(machine).held, htole32(1));
	assert_false(put_control(machine, DRIVE_KEEP, other, 0));
	assert_true(put_control(machine, DRIVE_RELEASE, other, 0));
	assert_true(put_control(machine, DRIVE_KEEP, nonce, UINT64_MAX));
	assert_false(machine_access(machine, true, sector, sizeof(sector), control_at()));
	/* Only the first sector says anything. */
	assert_true(machine_access(machine, true, sector, sizeof(sector), control_at() + 512));
	assert_int_equal(status_of(machine).state, htole32(DRIVE_HELD));
	link_delete(agent);
	while (status_of(machine).state != htole32(DRIVE_ENDED))
		;
	assert_true(put_control(machine, DRIVE_RELEASE, nonce, 0));
	assert_int_equal(status_of(machine).state, htole32(DRIVE_FREE));
	machine_delete(machine);
}

static void make_parcel(unsigned char *block, uint64_t position, uint32_t size, unsigned int seed)
{
	struct drive_head head = {
		.magic = htole32(DRIVE_HEAD_MAGIC),
		.size = htole32(size),
		.position = htole64(position),
		.done = htole64(START),
	};

	memset(block, 0, (size_t)drive_parcel_size(size));
	memcpy(head.nonce, nonce, DRIVE_NONCE);
	memcpy(block, &head, sizeof(head));
	pattern_fill(block + sizeof(head), size, seed);
	drive_seal_parcel(block, size);
}

static void expect_bytes(struct link *agent, size_t size, unsigned int seed)
{
	unsigned char bytes[16384];

	assert_true(size <= sizeof(bytes));
	hear(agent, bytes, size);
	assert_pattern(bytes, size, seed);
}

/* Sector by sector from behind, and twice; nothing is taken before all is there. */
static void test_parcels_in_any_order(void **state)
{
	static unsigned char first[3 * DRIVE_BLOCK], second[DRIVE_BLOCK];
	struct machine *machine = machine_new(false, NULL);
	struct link *agent;

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	make_parcel(first, START, 10000, 1);
	make_parcel(second, START + sizeof(first), 100, 2);
	assert_true(machine_access(machine, true, second, sizeof(second),
				   out_at(START + sizeof(first))));
	for (size_t at = sizeof(first); at; at -= DRIVE_SECTOR) {
		assert_false(has_bytes(agent));
		for (int i = 0; i < 2; i++)
			assert_true(machine_access(machine, true, first + at - DRIVE_SECTOR,
						   DRIVE_SECTOR,
						   out_at(START + at - DRIVE_SECTOR)));
	}
	expect_bytes(agent, 10000, 1);
	expect_bytes(agent, 100, 2);
	assert_true(status_of(machine).taken == htole64(START + sizeof(first) + sizeof(second)));
	/* Again, when it is done with: also together with what is not. */
	assert_true(machine_access(machine, true, first, sizeof(first), out_at(START)));
	make_parcel(first + DRIVE_BLOCK, START + 4 * DRIVE_BLOCK, 10, 3);
	memcpy(first, second, sizeof(second));
	assert_true(machine_access(machine, true, first, 2 * DRIVE_BLOCK,
				   out_at(START + 3 * DRIVE_BLOCK)));
	expect_bytes(agent, 10, 3);
	assert_false(has_bytes(agent));
	link_delete(agent);
	machine_delete(machine);
}

static void test_what_cannot_be_written(void **state)
{
	static unsigned char bytes[2 * DRIVE_BLOCK];
	const uint64_t places[] = {0,
				   DRIVE_BLOCK,
				   AREA,
				   RANGE - DRIVE_BLOCK,
				   control_at() + DRIVE_BLOCK,
				   in_at(START),
				   out_at(START + WINDOW),
				   control_at() + 3 * AREA,
				   out_at(START) + RANGE,
				   drive_capacity() - DRIVE_BLOCK,
				   drive_capacity(),
				   UINT64_MAX - 511,
				   513};
	struct machine *machine = machine_new(false, NULL);
	struct link *agent;

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		assert_false(machine_access(machine, true, bytes, DRIVE_BLOCK, places[i]));
	assert_false(machine_access(machine, true, bytes, 100, out_at(START)));
	assert_false(machine_access(machine, true, bytes, sizeof(bytes),
				    out_at(START + WINDOW - DRIVE_BLOCK)));
	assert_false(machine_access(machine, false, bytes, DRIVE_BLOCK, drive_capacity()));
	assert_true(machine_access(machine, false, bytes, sizeof(bytes),
				   drive_capacity() - sizeof(bytes)));
	assert_int_equal(status_of(machine).state, htole32(DRIVE_HELD));
	link_delete(agent);
	machine_delete(machine);
}

/* Others wait for each access. */
static void test_an_access_that_is_too_large(void **state)
{
	const size_t most = 32 << 20;
	struct machine *machine = machine_new(false, NULL);
	unsigned char *bytes = calloc(1, most + DRIVE_SECTOR);

	assert_true(machine_access(machine, false, bytes, most, AREA));
	assert_false(machine_access(machine, false, bytes, most + DRIVE_SECTOR, AREA));
	machine_delete(machine);
	free(bytes);
}

static void expect_end_after(void (*spoil)(struct drive_head *head), bool seal)
{
	unsigned char block[DRIVE_BLOCK];
	struct machine *machine = machine_new(false, NULL);
	struct link *agent;

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	make_parcel(block, START, 10, 1);
	spoil((struct drive_head *)block);
	if (seal)
		drive_seal_parcel(block, 10);
	machine_access(machine, true, block, sizeof(block), out_at(START));
	assert_true(hears_the_end(agent));
	assert_int_equal(status_of(machine).state, htole32(DRIVE_ENDED));
	assert_false(machine_access(machine, true, block, sizeof(block), out_at(START)));
	assert_true(machine_access(machine, false, block, sizeof(block), in_at(START)));
	assert_int_equal(((struct drive_head *)block)->ended, htole32(1));
	link_delete(agent);
	machine_delete(machine);
}

static void spoil_magic(struct drive_head *head)
{
	head->magic = 0;
}

static void spoil_size(struct drive_head *head)
{
	head->size = htole32(1 << 20);
}

static void spoil_emptiness(struct drive_head *head)
{
	head->size = 0;
}

static void spoil_position(struct drive_head *head)
{
	head->position = htole64(START + DRIVE_BLOCK);
}

static void spoil_nonce(struct drive_head *head)
{
	head->nonce[3] ^= 1;
}

static void test_parcels_that_are_none(void **state)
{
	expect_end_after(spoil_magic, true);
	expect_end_after(spoil_size, true);
	expect_end_after(spoil_emptiness, true);
	expect_end_after(spoil_position, true);
	expect_end_after(spoil_nonce, true);
	expect_end_after(spoil_nonce, false);
}

/* What was read once stays so; what is not there yet is nothing. */
static void test_reading(void **state)
{
	unsigned char bytes[100], block[DRIVE_BLOCK], again[2 * DRIVE_BLOCK];
	struct machine *machine = machine_new(false, NULL);
	struct drive_head *head = (struct drive_head *)block;
	struct link *agent;

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	assert_true(machine_access(machine, false, block, sizeof(block), in_at(START)));
	assert_int_equal(head->size, 0);
	assert_true(drive_parcel_is_sealed(block, 0));
	pattern_fill(bytes, sizeof(bytes), 4);
	say(agent, bytes, sizeof(bytes));
	assert_true(machine_access(machine, false, block, sizeof(block), in_at(START)));
	assert_int_equal(head->size, htole32(sizeof(bytes)));
	assert_true(drive_parcel_is_sealed(block, sizeof(bytes)));
	assert_pattern(block + sizeof(*head), sizeof(bytes), 4);
	say(agent, bytes, sizeof(bytes));
	/* Before it, as if it were read ahead. */
	assert_true(
		machine_access(machine, false, again, sizeof(again), in_at(START - DRIVE_BLOCK)));
	assert_memory_equal(again + DRIVE_BLOCK, block, DRIVE_BLOCK);
	assert_true(machine_access(machine, false, again, sizeof(again), in_at(START)));
	assert_memory_equal(again, block, DRIVE_BLOCK);
	assert_true(status_of(machine).ready == htole64(START + 2 * DRIVE_BLOCK));
	/* Once the guest has it, it is gone; further than that it cannot have come. */
	assert_true(put_control(machine, DRIVE_KEEP, nonce, START + DRIVE_BLOCK));
	assert_true(put_control(machine, DRIVE_KEEP, nonce, START + 100 * DRIVE_BLOCK));
	assert_true(machine_access(machine, false, block, sizeof(block), in_at(START)));
	assert_int_equal(head->magic, 0);
	link_delete(agent);
	assert_true(
		machine_access(machine, false, block, sizeof(block), in_at(START + DRIVE_BLOCK)));
	assert_int_equal(head->size, htole32(sizeof(bytes)));
	machine_delete(machine);
}

/* Who says nothing any more holds nothing; whose thread says something does. */
static void test_leases(void **state)
{
	const struct drive_setup setup = {.queue_size = 256, .lease_ms = 60};
	struct machine *machine = machine_new(false, &setup);
	struct link *link;
	struct link *agents[2];

	link = connect_guest();
	agents[0] = machine_accept(machine);
	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agents[1] = machine_accept(machine);
	assert_true(hears_the_end(agents[1]));
	assert_int_equal(status_of(machine).state, htole32(DRIVE_FREE));
	assert_int_equal(status_of(machine).held, htole32(1));
	assert_false(has_bytes(agents[0]));
	assert_false(link_is_stale(link));
	link_delete(link);
	link_delete(agents[0]);
	link_delete(agents[1]);
	machine_delete(machine);
}

struct reader {
	struct machine *machine;
	uint64_t place;
	int64_t took;
};

static void *read_once(void *context)
{
	struct reader *reader = context;
	unsigned char block[DRIVE_BLOCK];
	int64_t began = time_now();

	assert_true(machine_access(reader->machine, false, block, sizeof(block), reader->place));
	reader->took = time_now() - began;
	return NULL;
}

/* Reads that wait are few, not for long, and answered when the machine stops. */
static void test_held_reads(void **state)
{
	const struct drive_setup setup = {.queue_size = 8};
	struct machine *machine = machine_new(false, &setup);
	struct reader reader = {.machine = machine, .place = in_at(START)};
	struct message message;
	struct link *link;
	pthread_t thread;
	struct link *agents[2];

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agents[0] = machine_accept(machine);
	link = connect_guest();
	agents[1] = machine_accept(machine);
	read_once(&reader);
	assert_true(reader.took >= 15 * MILLISECOND);
	assert_int_equal(pthread_create(&thread, NULL, read_once, &reader), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(link_receive(link, time_now() + MILLISECOND, &message),
				 VACCEL_EAGAIN);
		drive_let_go(machine_drive(machine));
	}
	pthread_join(thread, NULL);
	drive_reset(machine_drive(machine));
	assert_int_equal(link_receive(link, soon(), &message), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "has ended this connection"));
	link_delete(link);
	link_delete(agents[0]);
	link_delete(agents[1]);
	machine_delete(machine);
}

struct noted {
	struct drive_request request; /* first */
	struct iovec piece;
	atomic_bool is_done;
	unsigned char block[DRIVE_BLOCK] __attribute__((aligned(DRIVE_BLOCK)));
};

static void note(struct drive_request *request, bool went_well)
{
	assert_true(went_well);
	((struct noted *)request)->is_done = true;
}

static void submit(struct machine *machine, struct noted *noted, bool is_write, uint64_t place)
{
	noted->is_done = false;
	noted->piece = (struct iovec){noted->block, DRIVE_BLOCK};
	noted->request = (struct drive_request){.is_write = is_write,
						.offset = place,
						.at = &noted->piece,
						.nr = 1,
						.size = DRIVE_BLOCK,
						.done = note};
	drive_submit(machine_drive(machine), &noted->request);
}

/* A small message is answered together with the read that waits for what is said to it. */
static void test_answered_together(void **state)
{
	static struct noted held, written;
	struct machine *machine = machine_new(false, NULL);
	uint64_t out = START, in = START;
	struct link *agent;
	bool seen = false;

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	/* Where this thread is too slow both are answered before. */
	for (int i = 0; i < 1000 && !seen; i++) {
		submit(machine, &held, false, in_at(in));
		make_parcel(written.block, out, 10, 1);
		submit(machine, &written, true, out_at(out));
		seen = !written.is_done && !held.is_done;
		expect_bytes(agent, 10, 1);
		say(agent, "answer", 6);
		assert_true(written.is_done && held.is_done);
		seen &= ((struct drive_head *)held.block)->size == htole32(6);
		assert_true(machine_access(machine, false, held.block, DRIVE_BLOCK, in_at(in)));
		out += DRIVE_BLOCK;
		in += DRIVE_BLOCK;
	}
	assert_true(seen);
	link_delete(agent);
	machine_delete(machine);
}

/* Who waits takes requests meanwhile: here those of a guest that writes one large parcel each time.
 */

enum { LARGE = 100000, LARGE_BLOCKS = LARGE / DRIVE_BLOCK + 1 };

static struct machine *helped;
static unsigned int helps;

static void write_large_parcel(struct vhost *vhost, int64_t until)
{
	static unsigned char parcel[LARGE_BLOCKS * DRIVE_BLOCK];
	uint64_t at = START + helps * sizeof(parcel);

	assert_true((void *)vhost == (void *)&helps && until > time_now());
	make_parcel(parcel, at, LARGE, helps++);
	assert_true(machine_access(helped, true, parcel, sizeof(parcel), out_at(at)));
}

static int no_descriptor(const struct vhost *vhost)
{
	return -1;
}

/* What there is room for comes to its place at once, and else the same way as all. */
static void test_large_parcels_that_are_awaited(void **state)
{
	static unsigned char got[LARGE];
	const struct drive_setup setup = {
		.queue_size = 256, .help = write_large_parcel, .help_fd = no_descriptor};
	struct machine *machine = helped = machine_new(false, &setup);
	struct link *agent;

	helps = 0;
	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	drive_helped(machine_drive(machine), (struct vhost *)&helps);
	hear(agent, got, LARGE);
	assert_pattern(got, LARGE, 0);
	hear(agent, got, LARGE / 2);
	assert_true(status_of(machine).taken == htole64(START + LARGE_BLOCKS * DRIVE_BLOCK));
	hear(agent, got + LARGE / 2, LARGE / 2);
	assert_pattern(got, LARGE, 1);
	assert_int_equal(helps, 2);
	assert_true(status_of(machine).taken == htole64(START + 2 * LARGE_BLOCKS * DRIVE_BLOCK));
	link_delete(agent);
	machine_delete(machine);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_parcels_in_any_order),
		cmocka_unit_test(test_what_cannot_be_written),
		cmocka_unit_test(test_an_access_that_is_too_large),
		cmocka_unit_test(test_parcels_that_are_none),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_leases),
		cmocka_unit_test(test_held_reads),
		cmocka_unit_test(test_answered_together),
		cmocka_unit_test(test_large_parcels_that_are_awaited),
	};

	return cmocka_run_group_tests_name("drive", tests, NULL, NULL);
}
