// SPDX-License-Identifier: Apache-2.0
/*
 * The drive of docs/virtio.md at both ends: what a guest refuses to touch, and what a drive does
 * not let a guest do. That messages arrive whole is the business of test_links.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ends.h"
#include "files.h"
#include "machine.h"
#include "transport/blk.h"
#include "transport/link.h"

#define AREA   (UINT64_C(1) << 30)
#define RANGE  (4 * AREA)
#define WINDOW (2 << 20)

static int64_t patience_ns = PATIENCE_NS;

static int64_t soon(void)
{
	return time_now() + patience_ns;
}

static int connect_by(const char *text, struct link **ret_link)
{
	struct address address;
	int ret;

	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	ret = link_connect(&address, NULL, soon(), ret_link);
	address_release(&address);
	return ret;
}

static void expect_refusal(const char *text, int code, const char *words)
{
	struct link *link;
	int before = descriptors();

	assert_int_equal(connect_by(text, &link), code);
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' is not in '%s'", words, vaccel_error_text());
	assert_int_equal(descriptors(), before);
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

/* Addresses */

static void test_addresses(void **state)
{
	struct address address;

	assert_int_equal(address_parse("blk:", &address), VACCEL_OK);
	assert_null(address.path);
	address_release(&address);
	assert_int_equal(address_parse("blk:///dev/vdb", &address), VACCEL_OK);
	assert_string_equal(address.path, "/dev/vdb");
	assert_int_equal(address_listen(&address, 0600, NULL), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "vhost-user-blk://"));
	address_release(&address);
	assert_int_equal(address_parse("blk:vdb", &address), VACCEL_EINVAL);
	assert_int_equal(address_parse("blk://vdb", &address), VACCEL_EINVAL);
}

/* The system's own way, as far as there is no drive. */
static void test_without_machine(void **state)
{
	char *directory = dir_new(), *path = file_new(directory, "disk", "no disk"), *text;

	expect_refusal("blk:///dev/there-is-none", VACCEL_ENOENT, "there is no such device");
	expect_refusal("blk:///dev/null", VACCEL_EINVAL, "is no block device");
	expect_refusal("blk:", VACCEL_ENOENT, "no drive of this machine has the serial number");
	assert_true(asprintf(&text, "blk://%s", path) > 0);
	expect_refusal(text, VACCEL_EINVAL, "is no block device");
	free(text);
	free(path);
	dir_remove(directory);
}

/* What a file gives, which accesses cannot tell from a device. */
static void test_accesses(void **state)
{
	char *directory = dir_new(), *path = path_in(directory, "disk");
	unsigned char *bytes = aligned_alloc(DRIVE_BLOCK, DRIVE_BLOCK);
	const struct iovec piece = {bytes, DRIVE_BLOCK};
	struct disk_access access;
	uint64_t size;
	int fd;

	memset(bytes, 7, DRIVE_BLOCK);
	file_fill(path, bytes, DRIVE_BLOCK);
	assert_int_equal(disk_of_system.open("/dev/there-is-none", &fd), ENOENT);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(disk_of_system.size(fd, &size), 0);
	assert_int_equal(access_setup(&access, fd), 0);
	memset(bytes, 9, DRIVE_BLOCK);
	assert_int_equal(disk_of_system.segments(fd), 1);
	assert_int_equal(disk_of_system.segments(-1), 1);
	assert_int_equal(access_start(&access, true, &piece, 1, DRIVE_BLOCK), 0);
	assert_int_equal(access_wait(&access, soon()), 0);
	memset(bytes, 0, DRIVE_BLOCK);
	assert_int_equal(access_start(&access, false, &piece, 1, DRIVE_BLOCK), 0);
	assert_int_equal(access_wait(&access, soon()), 0);
	assert_int_equal(bytes[0], 9);
	assert_int_equal(access_start(&access, false, &piece, 1, 2 * DRIVE_BLOCK), 0);
	assert_int_equal(access_wait(&access, soon()), EIO);
	assert_int_equal(access_wait(&access, 0), 0);
	access_end(&access);
	access_end(&access);
	access.fd = -1;
	assert_int_equal(disk_of_system.start(&access, false, &piece, 1, 0), EINVAL);
	close(fd);
	free(bytes);
	free(path);
	dir_remove(directory);
}

/* What is not ours */

static void test_other_disks(void **state)
{
	struct machine *machine = machine_new(false, NULL);

	expect_refusal("blk:///dev/missing", VACCEL_ENOENT, "no such device");
	expect_refusal("blk:///dev/null", VACCEL_EINVAL, "no block device");
	expect_refusal("blk:///dev/secret", VACCEL_EACCES, "rule of udev");
	expect_refusal("blk:///dev/cached", VACCEL_ENOTSUP, "without a cache");
	expect_refusal("blk:///dev/broken", VACCEL_EREMOTEIO, "/dev/broken");
	expect_refusal("blk:///dev/loop0", VACCEL_EINVAL, "its serial number is ''");
	machine_set_serial(machine, "WD-1234");
	expect_refusal("blk:///dev/vdb", VACCEL_EINVAL, "its serial number is 'WD-1234'");
	expect_refusal("blk:", VACCEL_ENOENT, "add one that vaccel-agent serves");
	assert_int_equal(machine_writes(machine), 0);
	machine_delete(machine);
}

static void get_front(struct machine *machine, struct drive_front *ret_front)
{
	unsigned char block[DRIVE_BLOCK];

	assert_true(machine_access(machine, false, block, sizeof(block), 0));
	memcpy(ret_front, block, sizeof(*ret_front));
}

static void expect_front(struct machine *machine, struct drive_front front, bool seal, int code,
			 const char *words)
{
	if (seal)
		drive_seal(&front);
	machine_set_front(machine, &front, sizeof(front));
	expect_refusal("blk:", code, words);
	assert_int_equal(machine_writes(machine), 0);
}

static void test_other_fronts(void **state)
{
	struct machine *machine = machine_new(false, NULL);
	struct drive_front good, front;

	get_front(machine, &good);
	expect_front(machine, (struct drive_front){0}, true, VACCEL_EINVAL, "another disk");
	front = good;
	front.epoch ^= 1;
	expect_front(machine, front, false, VACCEL_EREMOTEIO, "sum is wrong");
	front = good;
	front.version = htole32(2);
	expect_front(machine, front, true, VACCEL_ENOTSUP, "version 2");
#define UNSOUND(member, value)                                                        \
	do {                                                                          \
		front = good;                                                         \
		front.member = value;                                                 \
		expect_front(machine, front, true, VACCEL_EREMOTEIO, "does not fit"); \
	} while (0)
	UNSOUND(ranges_at, htole64(0));
	UNSOUND(ranges_at, htole64(RANGE + 1));
	UNSOUND(range_size, htole64(0));
	UNSOUND(range_size, htole64(UINT64_MAX));
	UNSOUND(ranges, htole32(0));
	UNSOUND(ranges, htole32(2000));
	UNSOUND(out_at, good.in_at);
	UNSOUND(out_at, htole64(0));
	UNSOUND(in_at, htole64(RANGE));
	UNSOUND(area, htole64(0));
	UNSOUND(area, htole64(3 << 20));
	UNSOUND(area, htole64(UINT64_C(1) << 63));
	UNSOUND(parcel_max, htole32(4096));
	UNSOUND(parcel_max, htole32(1 << 20));
	UNSOUND(parcel_max, htole32(10000));
	UNSOUND(window, htole32(512 << 10));
	UNSOUND(window, htole32(1u << 31));
	UNSOUND(lease_ms, htole32(0));
#undef UNSOUND
	machine_set_front(machine, NULL, 0);
	machine_delete(machine);
}

/* Connecting */

static void test_ranges_are_taken(void **state)
{
	const struct drive_setup setup = {.queue_size = 256, .held_max = 2};
	struct machine *machine = machine_new(false, &setup);
	struct link *links[3];
	struct link *agents[2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(connect_by("blk:", &links[i]), VACCEL_OK);
		agents[i] = machine_accept(machine);
	}
	expect_refusal("blk:", VACCEL_EDQUOT, "all its ranges are taken");
	link_delete(links[0]);
	assert_int_equal(connect_by("blk:", &links[2]), VACCEL_OK);
	link_delete(machine_accept(machine));
	link_delete(links[1]);
	link_delete(links[2]);
	link_delete(agents[0]);
	link_delete(agents[1]);
	machine_set_refusing(machine, true);
	patience_ns = 200000000;
	expect_refusal("blk:", VACCEL_EREMOTEIO, "takes no connection");
	patience_ns = PATIENCE_NS;
	machine_delete(machine);
}

static void *connect_meanwhile(void *context)
{
	struct link **link = context;

	assert_int_equal(connect_by("blk:", link), VACCEL_OK);
	return NULL;
}

/* As when the agent's worker is about to be replaced. */
static void test_a_drive_that_takes_nobody_for_a_while(void **state)
{
	struct machine *machine = machine_new(false, NULL);
	struct link *link;
	pthread_t thread;

	machine_set_refusing(machine, true);
	assert_int_equal(pthread_create(&thread, NULL, connect_meanwhile, &link), 0);
	while (machine_writes(machine) < 100)
		usleep(1000);
	machine_set_refusing(machine, false);
	pthread_join(thread, NULL);
	link_delete(link);
	machine_delete(machine);
}

static void test_errors_of_device(void **state)
{
	struct machine *machine = machine_new(false, NULL);
	struct frame frame = {.kind = FRAME_PING};
	struct message message;
	struct link *link;
	struct link *agent;

	machine_set_error(machine, EIO);
	expect_refusal("blk:", VACCEL_EREMOTEIO, "refuses an access");
	machine_set_error(machine, ENXIO);
	expect_refusal("blk:", VACCEL_EREMOTEIO, "the drive is gone");
	machine_set_error(machine, EPROTO);
	expect_refusal("blk:", VACCEL_EREMOTEIO, "blk:");
	machine_set_error(machine, 0);
	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	agent = machine_accept(machine);
	machine_set_error(machine, ENODEV);
	assert_true(link_is_stale(link));
	assert_int_equal(link_send(link, &frame, NULL, NULL, -1, soon()), VACCEL_EREMOTEIO);
	machine_set_error(machine, 0);
	link_delete(link);
	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	link_delete(machine_accept(machine));
	machine_set_error(machine, ENODEV);
	assert_int_equal(link_receive(link, soon(), &message), VACCEL_EREMOTEIO);
	machine_set_error(machine, 0);
	link_delete(link);
	link_delete(agent);
	machine_delete(machine);
}

/* A device that does not answer keeps nobody past the deadline. */
static void test_hanging(void **state)
{
	struct machine *machine = machine_new(false, NULL);
	struct address address;
	struct message message;
	struct link *link, *other;
	int64_t until;

	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	link_delete(machine_accept(machine));
	machine_set_hanging(machine, true);
	assert_int_equal(address_parse("blk:", &address), VACCEL_OK);
	until = time_now() + 20000000;
	assert_int_equal(link_connect(&address, NULL, until, &other), VACCEL_ETIMEDOUT);
	assert_int_equal(link_receive(link, until, &message), VACCEL_EAGAIN);
	machine_set_hanging(machine, false);
	assert_int_equal(link_receive(link, soon(), &message), VACCEL_EREMOTEIO);
	link_delete(link);
	address_release(&address);
	machine_delete(machine);
}

static void test_other_agent(void **state)
{
	struct machine *machine = machine_new(false, NULL);
	struct frame frame = {.kind = FRAME_PING};
	struct message message;
	struct link *links[2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(connect_by("blk:", &links[i]), VACCEL_OK);
		link_delete(machine_accept(machine));
	}
	machine_replace_drive(machine);
	assert_true(link_is_stale(links[0]));
	assert_int_equal(link_receive(links[0], soon(), &message), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "is a new one"));
	assert_int_equal(link_send(links[1], &frame, NULL, NULL, -1, soon()), VACCEL_OK);
	assert_int_equal(link_receive(links[1], soon(), &message), VACCEL_EREMOTEIO);
	link_delete(links[0]);
	link_delete(links[1]);
	assert_int_equal(connect_by("blk:", &links[0]), VACCEL_OK);
	link_delete(machine_accept(machine));
	link_delete(links[0]);
	machine_delete(machine);
}

/* Requests as no client makes them */

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

	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
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
	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	agents[1] = machine_accept(machine);
	read_once(&reader);
	assert_true(reader.took >= 15000000);
	assert_int_equal(pthread_create(&thread, NULL, read_once, &reader), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(link_receive(link, time_now() + 1000000, &message), VACCEL_EAGAIN);
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

struct waiting {
	struct link *agent;
	struct iovec room;
	ssize_t got;
};

static void *wait_for_bytes(void *context)
{
	struct waiting *waiting = context;
	int passed = -1;

	waiting->got = waiting->agent->read(waiting->agent, &waiting->room, 1, soon(), &passed);
	return NULL;
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
	while (!seen) {
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
	link_delete(agent);
	machine_delete(machine);
}

/* What one waits for that has room for it comes to its place, and else the same way as all. */
static void test_large_parcels_that_are_awaited(void **state)
{
	enum { SIZE = 100000, BLOCKS = SIZE / DRIVE_BLOCK + 1 };
	static unsigned char parcels[2][BLOCKS * DRIVE_BLOCK], got[2 * SIZE];
	const struct iovec room = {got, 3 * SIZE / 2};
	struct machine *machine = machine_new(false, NULL);
	struct waiting waiting;
	struct link *agent;
	pthread_t thread;

	assert_true(put_control(machine, DRIVE_CLAIM, nonce, 0));
	agent = machine_accept(machine);
	waiting = (struct waiting){.agent = agent, .room = room};
	assert_int_equal(pthread_create(&thread, NULL, wait_for_bytes, &waiting), 0);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t at = START + i * sizeof(parcels[0]);

		make_parcel(parcels[i], at, SIZE, i);
		assert_true(
			machine_access(machine, true, parcels[i], sizeof(parcels[i]), out_at(at)));
	}
	pthread_join(thread, NULL);
	assert_true(waiting.got >= SIZE);
	assert_pattern(got, SIZE, 0);
	hear(agent, got + waiting.got, 2 * SIZE - (size_t)waiting.got);
	assert_pattern(got + SIZE, SIZE, 1);
	assert_true(status_of(machine).taken == htole64(START + sizeof(parcels)));
	link_delete(agent);
	machine_delete(machine);
}

/* Large arguments, wherever they begin and end. */

static void expect_argument(struct link *from, struct link *to, const unsigned char *bytes,
			    size_t size)
{
	static unsigned char got[2 << 20];
	struct frame frame = {.kind = FRAME_CALL, .request = 1};
	struct iovec pieces[] = {{(void *)bytes, 8}, {(void *)(bytes + 8), size - 8}};
	const struct pieces payload = {.at = pieces, .count = 2, .room = 2, .size = size};
	struct iovec room = {got, size};
	const struct pieces place = {.at = &room, .count = 1, .room = 1, .size = size};
	struct message message;

	assert_int_equal(link_send(from, &frame, NULL, &payload, -1, soon()), VACCEL_OK);
	assert_int_equal(link_receive(to, soon(), &message), VACCEL_OK);
	assert_int_equal(link_receive_payload(to, &place, soon()), VACCEL_OK);
	assert_memory_equal(got, bytes, size);
}

static void expect_arguments(unsigned int segments, bool are_lent)
{
	static const size_t offsets[] = {0, 1, 16, 56, 64, 3800, 4095};
	static const size_t sizes[] = {65536, 65536 + 8, 69632, 73000, 520000, 1 << 20, 1500008};
	struct machine *machine = machine_new(false, NULL);
	unsigned char *bytes = aligned_alloc(DRIVE_BLOCK, 2 << 20);
	struct frame_limits generous = {.head = 1 << 20, .payload = 2 << 20};
	struct link *link, *agent;

	machine_set_segments(machine, segments);
	pattern_fill(bytes, 2 << 20, segments);
	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	agent = machine_accept(machine);
	link_set_limits(agent, &generous);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++)
			expect_argument(link, agent, bytes + offsets[i], sizes[j]);
	if (are_lent)
		assert_true(machine_lent(machine) > machine_writes(machine) / 4);
	else
		assert_int_equal(machine_lent(machine), 0);
	link_delete(link);
	link_delete(agent);
	free(bytes);
	machine_delete(machine);
}

static void test_memory_that_is_lent(void **state)
{
	expect_arguments(126, true);
	expect_arguments(16, true);
	expect_arguments(1, false);
}

/* Several programs, with a machine that is none of the best */

static void exchange(struct link *from, struct link *to, size_t size, unsigned int seed)
{
	unsigned char *bytes = malloc(size), *got = malloc(size);
	struct frame frame = {.kind = FRAME_CALL, .request = seed};
	struct message message;
	struct pieces pieces = {0}, room = {0};

	pattern_fill(bytes, size, seed);
	pieces_of(&pieces, bytes, size, 1);
	assert_int_equal(link_send(from, &frame, NULL, &pieces, -1, soon()), VACCEL_OK);
	assert_int_equal(link_receive(to, soon(), &message), VACCEL_OK);
	assert_int_equal(message.frame.request, seed);
	pieces_of(&room, got, size, 1);
	assert_int_equal(link_receive_payload(to, &room, soon()), VACCEL_OK);
	assert_pattern(got, size, seed);
	pieces_release(&pieces);
	pieces_release(&room);
	free(bytes);
	free(got);
}

static void *call(void *context)
{
	struct ends *ends = context;

	for (unsigned int i = 1; i < 30; i++) {
		exchange(ends->client, ends->agent, 8 * (i % 3 ? i : 1500), i);
		exchange(ends->agent, ends->client, 8 * (i % 4 ? i : 1500), i);
	}
	return NULL;
}

static void test_several_programs(void **state)
{
	enum { CALLERS = 4 };
	struct bed *bed = bed_new("blk-wild");
	struct ends ends[CALLERS];
	pthread_t threads[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		ends[i] = ends_open(bed);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call, &ends[i]), 0);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < CALLERS; i++)
		ends_close(&ends[i]);
	bed_delete(bed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_without_machine),
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_other_disks),
		cmocka_unit_test(test_other_fronts),
		cmocka_unit_test(test_ranges_are_taken),
		cmocka_unit_test(test_a_drive_that_takes_nobody_for_a_while),
		cmocka_unit_test(test_errors_of_device),
		cmocka_unit_test(test_hanging),
		cmocka_unit_test(test_other_agent),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_parcels_in_any_order),
		cmocka_unit_test(test_what_cannot_be_written),
		cmocka_unit_test(test_parcels_that_are_none),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_leases),
		cmocka_unit_test(test_held_reads),
		cmocka_unit_test(test_answered_together),
		cmocka_unit_test(test_large_parcels_that_are_awaited),
		cmocka_unit_test(test_memory_that_is_lent),
		cmocka_unit_test(test_several_programs),
	};

	return cmocka_run_group_tests_name("blk", tests, NULL, NULL);
}
