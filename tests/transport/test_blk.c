// SPDX-License-Identifier: Apache-2.0
/*
 * A guest with the drive of docs/virtio.md: what it refuses to touch, and what it does with large
 * arguments. That messages arrive whole is the business of test_links.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ends.h"
#include "files.h"
#include "machine.h"
#include "transport/blk.h"
#include "transport/link.h"

#define AREA  (UINT64_C(1) << 30)
#define RANGE (4 * AREA)

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

/* qemu-user has none. */
static void need_accesses(void)
{
	struct disk_access access;
	int error = access_setup(&access, STDIN_FILENO);

	access_end(&access);
	if (error != ENOSYS)
		return;
	print_message("here is no asynchronous access to files\n");
	skip();
}

/* What a file gives, which accesses cannot tell from a device. */
static void test_accesses(void **state)
{
	struct iovec piece = {.iov_len = DRIVE_BLOCK};
	struct disk_access access;
	char *directory, *path;
	unsigned char *bytes;
	uint64_t size;
	int fd;

	need_accesses();
	directory = dir_new();
	path = path_in(directory, "disk");
	bytes = piece.iov_base = aligned_alloc(DRIVE_BLOCK, DRIVE_BLOCK);
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
	patience_ns = 200 * MILLISECOND;
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

/* It is the parent's, which goes on with it. */
static void test_a_forked_child_lets_go(void **state)
{
	struct machine *machine = machine_new(false, NULL);
	struct frame frame = {.kind = FRAME_PING};
	struct message message;
	struct link *link, *agent;
	int status;
	pid_t child;

	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	agent = machine_accept(machine);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		link_delete(link);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(link_send(link, &frame, NULL, NULL, -1, soon()), VACCEL_OK);
	assert_int_equal(link_receive(agent, soon(), &message), VACCEL_OK);
	link_delete(link);
	link_delete(agent);
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
	until = time_now() + 20 * MILLISECOND;
	assert_int_equal(link_connect(&address, NULL, until, &other), VACCEL_ETIMEDOUT);
	assert_int_equal(link_receive(link, until, &message), VACCEL_EAGAIN);
	machine_set_hanging(machine, false);
	assert_int_equal(link_receive(link, soon(), &message), VACCEL_EREMOTEIO);
	link_delete(link);
	address_release(&address);
	machine_delete(machine);
}

struct parcel_sender {
	struct link *link;
	size_t size;
};

static void *send_one(void *context)
{
	const struct parcel_sender *sender = context;
	struct frame frame = {.kind = FRAME_REPLY, .request = 1};
	void *bytes = calloc(1, sender->size);
	struct iovec piece = {bytes, sender->size};
	const struct pieces payload = {.at = &piece, .count = 1, .room = 1, .size = sender->size};

	assert_int_equal(link_send(sender->link, &frame, NULL, &payload, -1, soon()), VACCEL_OK);
	free(bytes);
	return NULL;
}

/* What is read is told to the agent, and if that takes too long, with what is read next. */
static void test_hanging_while_it_tells_what_was_read(void **state)
{
	enum { SIZE = 4 << 20 };
	struct machine *machine = machine_new(false, NULL);
	struct parcel_sender sender = {.size = SIZE};
	unsigned char *bytes = malloc(SIZE + FRAME_SIZE);
	struct iovec some = {bytes, 4}, rest = {bytes, SIZE + FRAME_SIZE};
	unsigned int writes;
	ssize_t total = 0;
	bool has_told = false;
	struct link *link;
	pthread_t thread;
	int passed = -1;

	assert_int_equal(connect_by("blk:", &link), VACCEL_OK);
	sender.link = machine_accept(machine);
	assert_int_equal(pthread_create(&thread, NULL, send_one, &sender), 0);
	while (total < SIZE + FRAME_SIZE) {
		ssize_t size = link->read(link, &some, 1, soon(), &passed);

		assert_int_equal(size, 4);
		total += size;
		writes = machine_writes(machine);
		machine_set_hanging(machine, true);
		size = link->read(link, &rest, 1, time_now() + MILLISECOND, &passed);
		machine_set_hanging(machine, false);
		assert_true(size > 0);
		total += size;
		has_told |= machine_writes(machine) > writes;
	}
	assert_true(has_told);
	pthread_join(thread, NULL);
	free(bytes);
	link_delete(link);
	link_delete(sender.link);
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
	const struct frame_limits generous = {.payload = 1 << 20};
	struct bed *bed = bed_new("blk-wild");
	struct ends ends[CALLERS];
	pthread_t threads[CALLERS];

	for (int i = 0; i < CALLERS; i++) {
		ends[i] = ends_open(bed);
		link_set_limits(ends[i].client, &generous);
		link_set_limits(ends[i].agent, &generous);
	}
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
		cmocka_unit_test(test_a_forked_child_lets_go),
		cmocka_unit_test(test_errors_of_device),
		cmocka_unit_test(test_hanging),
		cmocka_unit_test(test_hanging_while_it_tells_what_was_read),
		cmocka_unit_test(test_other_agent),
		cmocka_unit_test(test_memory_that_is_lent),
		cmocka_unit_test(test_several_programs),
	};

	return cmocka_run_group_tests_name("blk", tests, NULL, NULL);
}
