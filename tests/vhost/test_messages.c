// SPDX-License-Identifier: Apache-2.0
/* What a machine's monitor may say to the supervisor, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/vhost/messages.h"
#include "agent/vhost/model.h"
#include "base/util.h"
#include "repeat.h"

#define WANTED (VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX | VHOST_USER_PROTOCOL)
#define PROTOCOL                                                                  \
	(PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_INFLIGHT | \
	 PROTOCOL_RESET_DEVICE | PROTOCOL_MEM_SLOTS)

struct talk {
	struct model model;
	struct backend backend;
	int monitor;
	char events[64]; /* a letter for each */
	unsigned char answer[512];
	size_t answered;
	int passed;
};

static void note(struct backend *backend, char letter)
{
	struct talk *talk = (struct talk *)((char *)backend - offsetof(struct talk, backend));
	size_t length = strlen(talk->events);

	assert_true(length + 1 < sizeof(talk->events));
	talk->events[length] = letter;
}

static void memory(struct backend *backend)
{
	note(backend, 'm');
}

static void inflight(struct backend *backend)
{
	note(backend, 'i');
}

static void start(struct backend *backend, unsigned int queue)
{
	note(backend, 's');
}

static void enable(struct backend *backend, unsigned int queue)
{
	note(backend, 'e');
}

static void call(struct backend *backend, unsigned int queue)
{
	note(backend, 'c');
}

static void stop(struct backend *backend, unsigned int queue)
{
	note(backend, 'x');
}

static const struct backend_events events = {
	.memory = memory,
	.inflight = inflight,
	.start = start,
	.enable = enable,
	.call = call,
	.stop = stop,
};

static int setup(void **state)
{
	struct talk *talk = calloc(1, sizeof(*talk));
	int ends[2];

	model_accel(&default_policy, &talk->model);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	talk->monitor = ends[0];
	talk->passed = -1;
	backend_init(&talk->backend, &talk->model, &events, ends[1]);
	*state = talk;
	return 0;
}

static int teardown(void **state)
{
	struct talk *talk = *state;

	backend_release(&talk->backend);
	close(talk->monitor);
	closep(&talk->passed);
	free(talk);
	return 0;
}

static void send_raw(struct talk *talk, const void *bytes, size_t size, int fd, unsigned int nr)
{
	assert_int_equal(send_repeating(talk->monitor, bytes, size, fd, nr, 0), size);
}

static void listen_for_answer(struct talk *talk)
{
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(sizeof(int))];
	} passed = {};
	struct iovec piece = {talk->answer, sizeof(talk->answer)};
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};
	ssize_t size = recvmsg(talk->monitor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	talk->answered = size > 0 ? (size_t)size : 0;
	if (talk->answered && message.msg_controllen) {
		closep(&talk->passed);
		memcpy(&talk->passed, CMSG_DATA(&passed.header), sizeof(int));
	}
}

/* With @nr times a descriptor; how it was taken. */
static int say_with(struct talk *talk, uint32_t request, uint32_t flags, const void *body,
		    size_t size, unsigned int nr)
{
	_cleanup_(closep) int fd = eventfd(0, EFD_CLOEXEC);
	unsigned char bytes[1024];
	const struct vhost_header header = {request, flags, (uint32_t)size};
	int ret;

	memcpy(bytes, &header, sizeof(header));
	if (size)
		memcpy(bytes + sizeof(header), body, size);
	send_raw(talk, bytes, sizeof(header) + size, fd, nr);
	ret = backend_read(&talk->backend);
	listen_for_answer(talk);
	return ret;
}

static int say(struct talk *talk, uint32_t request, const void *body, size_t size, unsigned int nr)
{
	return say_with(talk, request, VHOST_VERSION, body, size, nr);
}

static int say_number(struct talk *talk, uint32_t request, uint64_t number, unsigned int nr)
{
	return say(talk, request, &number, sizeof(number), nr);
}

static int say_state(struct talk *talk, uint32_t request, uint32_t queue, uint32_t number)
{
	const struct vhost_number state = {queue, number};

	return say(talk, request, &state, sizeof(state), 0);
}

static uint64_t answer(const struct talk *talk)
{
	uint64_t number;

	assert_int_equal(talk->answered, sizeof(struct vhost_header) + sizeof(number));
	memcpy(&number, talk->answer + sizeof(struct vhost_header), sizeof(number));
	return number;
}

static int say_table(struct talk *talk, uint32_t count, unsigned int nr)
{
	struct vhost_table table = {.count = count};

	for (uint32_t i = 0; i < MIN_OF(count, TABLE_MAX); i++)
		table.regions[i] = (struct vhost_region){i << 20, 1 << 20, (i + 100) << 20, 0};
	return say(talk, SET_MEM_TABLE, &table,
		   8 + MIN_OF(count, TABLE_MAX) * sizeof(table.regions[0]), nr);
}

static void begin(struct talk *talk)
{
	const struct vhost_addresses addresses = {
		.descriptors = 100 << 20,
		.available = (100 << 20) + 4096,
		.used = (100 << 20) + 8192,
	};

	assert_int_equal(say(talk, GET_FEATURES, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(answer(talk), WANTED);
	assert_int_equal(say(talk, GET_PROTOCOL_FEATURES, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(answer(talk), PROTOCOL);
	assert_int_equal(say_number(talk, SET_PROTOCOL_FEATURES, PROTOCOL, 0), VACCEL_OK);
	assert_int_equal(say(talk, SET_OWNER, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(say_number(talk, SET_FEATURES, WANTED, 0), VACCEL_OK);
	assert_int_equal(say_table(talk, 2, 2), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_NUM, 0, 256), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_BASE, 0, 5), VACCEL_OK);
	assert_int_equal(say(talk, SET_VRING_ADDR, &addresses, sizeof(addresses), 0), VACCEL_OK);
}

static void kick(struct talk *talk)
{
	assert_int_equal(say_number(talk, SET_VRING_KICK, 0, 1), VACCEL_OK);
	assert_int_equal(say_number(talk, SET_VRING_CALL, 0, 1), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_ENABLE, 0, 1), VACCEL_OK);
}

static void test_from_beginning_to_end(void **state)
{
	struct talk *talk = *state;
	struct vhost_number base;

	begin(talk);
	kick(talk);
	assert_string_equal(talk->events, "misce");
	assert_int_equal(say(talk, GET_QUEUE_NUM, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(answer(talk), QUEUES_MAX);
	assert_int_equal(say_state(talk, GET_VRING_BASE, 0, 0), VACCEL_OK);
	assert_int_equal(talk->answered, 0);
	assert_true(backend_waits(&talk->backend));
	/* Nothing is heard meanwhile. */
	assert_int_equal(say(talk, GET_QUEUE_NUM, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(talk->answered, 0);
	assert_int_equal(backend_stopped(&talk->backend, 0, 77), VACCEL_OK);
	listen_for_answer(talk);
	memcpy(&base, talk->answer + sizeof(struct vhost_header), sizeof(base));
	assert_int_equal(base.number, 77);
	assert_int_equal(backend_read(&talk->backend), VACCEL_OK);
	listen_for_answer(talk);
	assert_int_equal(answer(talk), QUEUES_MAX);
	/* One that does not run says so at once. */
	assert_int_equal(say_state(talk, GET_VRING_BASE, 0, 0), VACCEL_OK);
	memcpy(&base, talk->answer + sizeof(struct vhost_header), sizeof(base));
	assert_int_equal(base.number, 77);
	assert_string_equal(talk->events, "miscex");
}

static void test_reset(void **state)
{
	struct talk *talk = *state;

	begin(talk);
	kick(talk);
	assert_int_equal(say_with(talk, RESET_DEVICE, VHOST_VERSION | VHOST_NEED_REPLY, NULL, 0, 0),
			 VACCEL_OK);
	assert_int_equal(talk->answered, 0);
	assert_int_equal(backend_stopped(&talk->backend, 0, 1), VACCEL_OK);
	listen_for_answer(talk);
	assert_int_equal(answer(talk), 0);
	assert_int_equal(say_with(talk, RESET_DEVICE, VHOST_VERSION | VHOST_NEED_REPLY, NULL, 0, 0),
			 VACCEL_OK);
	assert_int_equal(answer(talk), 0);
}

static void test_configuration(void **state)
{
	struct talk *talk = *state;
	struct vhost_config config = {.offset = 0, .size = 64};
	uint32_t magic;

	begin(talk);
	assert_int_equal(say(talk, GET_CONFIG, &config, 12 + 64, 0), VACCEL_OK);
	assert_int_equal(talk->answered, sizeof(struct vhost_header) + 12 + 64);
	memcpy(&magic, talk->answer + sizeof(struct vhost_header) + 12, 4);
	assert_int_equal(le32toh(magic), 0x4c434356);
	/* Byte for byte, as some ask, and behind its end. */
	for (config.offset = 0; config.offset < VHOST_CONFIG_MAX; config.offset++) {
		config.size = 1;
		assert_int_equal(say(talk, GET_CONFIG, &config, 12 + 1, 0), VACCEL_OK);
		assert_int_equal(talk->answer[sizeof(struct vhost_header) + 12],
				 talk->model.config[config.offset]);
	}
	config.offset = 0;
	assert_int_equal(
		say_with(talk, SET_CONFIG, VHOST_VERSION | VHOST_NEED_REPLY, &config, 13, 0),
		VACCEL_OK);
	assert_int_equal(answer(talk), 0);
}

static void test_inflight(void **state)
{
	struct talk *talk = *state;
	struct vhost_inflight shape = {.queues = 2, .queue_size = 256};

	begin(talk);
	assert_int_equal(say(talk, GET_INFLIGHT_FD, &shape, 24, 0), VACCEL_OK);
	memcpy(&shape, talk->answer + sizeof(struct vhost_header), 24);
	assert_int_equal(shape.size, 2 * INFLIGHT_STRIDE(256));
	assert_true(talk->passed >= 0);
	assert_int_equal(lseek(talk->passed, 0, SEEK_END), shape.size);
	assert_int_equal(say(talk, SET_INFLIGHT_FD, &shape, 24, 1), VACCEL_OK);
	kick(talk);
	assert_string_equal(talk->events, "miisce");
}

/* Memory that was asked for, and is not given back to us, is there all the same. */
static void test_inflight_that_is_only_asked_for(void **state)
{
	struct talk *talk = *state;
	struct vhost_inflight shape = {.queues = 1, .queue_size = 256};

	begin(talk);
	assert_int_equal(say(talk, GET_INFLIGHT_FD, &shape, VHOST_INFLIGHT_SIZE, 0), VACCEL_OK);
	assert_int_equal(talk->answered, sizeof(struct vhost_header) + VHOST_INFLIGHT_SIZE);
	kick(talk);
	assert_string_equal(talk->events, "misce");
}

/* Who talks without a pause leaves others their turn. */
static void test_a_flood(void **state)
{
	const struct vhost_header header = {SET_OWNER, VHOST_VERSION, 0};
	struct talk *talk = *state;
	unsigned int turns = 0;
	int left;

	for (int i = 0; i < 200; i++)
		send_raw(talk, &header, sizeof(header), -1, 0);
	do {
		assert_int_equal(backend_read(&talk->backend), VACCEL_OK);
		assert_int_equal(ioctl(talk->backend.fd, FIONREAD, &left), 0);
		turns++;
	} while (left);
	assert_in_range(turns, 3, 100);
}

static void test_slots(void **state)
{
	struct talk *talk = *state;
	struct vhost_one_region one = {.region = {10 << 20, 1 << 20, 200 << 20, 0}};

	begin(talk);
	assert_int_equal(say(talk, GET_MAX_MEM_SLOTS, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(answer(talk), REGIONS_MAX);
	assert_int_equal(say(talk, ADD_MEM_REG, &one, sizeof(one), 1), VACCEL_OK);
	assert_int_equal(talk->backend.nr_regions, 3);
	assert_int_equal(say(talk, REM_MEM_REG, &one, sizeof(one), 0), VACCEL_OK);
	assert_int_equal(talk->backend.nr_regions, 2);
	assert_int_equal(say(talk, REM_MEM_REG, &one, sizeof(one), 1), VACCEL_EREMOTEIO);
}

/* A monitor that is slow is not waited for. */
static void test_piece_by_piece(void **state)
{
	struct talk *talk = *state;
	const struct vhost_header header = {GET_FEATURES, VHOST_VERSION, 0};

	for (size_t i = 0; i < sizeof(header); i++) {
		listen_for_answer(talk);
		assert_int_equal(talk->answered, 0);
		send_raw(talk, (const char *)&header + i, 1, -1, 0);
		assert_int_equal(backend_read(&talk->backend), VACCEL_OK);
	}
	listen_for_answer(talk);
	assert_int_equal(answer(talk), WANTED);
}

/* One thing wrong in each, after a beginning that is right. */

static int wrong_version(struct talk *talk)
{
	return say_with(talk, GET_FEATURES, 2, NULL, 0, 0);
}

static int an_answer(struct talk *talk)
{
	return say_with(talk, GET_FEATURES, VHOST_VERSION | VHOST_REPLY, NULL, 0, 0);
}

static int request_zero(struct talk *talk)
{
	return say(talk, 0, NULL, 0, 0);
}

static int request_unknown(struct talk *talk)
{
	return say(talk, 4711, NULL, 0, 0);
}

static int request_not_offered(struct talk *talk)
{
	return say(talk, 6, NULL, 0, 0);
}

static int too_short(struct talk *talk)
{
	return say(talk, SET_FEATURES, "1234", 4, 0);
}

static int too_long(struct talk *talk)
{
	return say(talk, SET_OWNER, "1234", 4, 0);
}

static int huge(struct talk *talk)
{
	const struct vhost_header header = {SET_MEM_TABLE, VHOST_VERSION, UINT32_MAX};

	send_raw(talk, &header, sizeof(header), -1, 0);
	return backend_read(&talk->backend);
}

static int feature_not_offered(struct talk *talk)
{
	return say_number(talk, SET_FEATURES, WANTED | 1, 0);
}

static int protocol_not_offered(struct talk *talk)
{
	return say_number(talk, SET_PROTOCOL_FEATURES, 1 << 5, 0);
}

static int not_agreed(struct talk *talk)
{
	say_number(talk, SET_PROTOCOL_FEATURES, 0, 0);
	return say(talk, GET_QUEUE_NUM, NULL, 0, 0);
}

static int descriptor_unasked(struct talk *talk)
{
	return say(talk, SET_OWNER, NULL, 0, 1);
}

static int too_many_descriptors(struct talk *talk)
{
	return say(talk, SET_OWNER, NULL, 0, 12);
}

static int memory_without_descriptors(struct talk *talk)
{
	return say_table(talk, 2, 0);
}

static int memory_with_one_less(struct talk *talk)
{
	return say_table(talk, 2, 1);
}

static int memory_of_nothing(struct talk *talk)
{
	return say_table(talk, 0, 0);
}

static int memory_of_too_much(struct talk *talk)
{
	return say_table(talk, 9, 8);
}

static int table_of(struct talk *talk, struct vhost_region first, struct vhost_region second)
{
	const struct vhost_table table = {.count = 2, .regions = {first, second}};

	return say(talk, SET_MEM_TABLE, &table, 8 + 2 * sizeof(first), 2);
}

static int memory_that_overlaps(struct talk *talk)
{
	return table_of(talk, (struct vhost_region){0, 4096, 0, 0},
			(struct vhost_region){4095, 4096, 8192, 0});
}

static int memory_around(struct talk *talk)
{
	return table_of(talk, (struct vhost_region){0, 4096, 0, 0},
			(struct vhost_region){UINT64_MAX - 1, 4096, 8192, 0});
}

static int memory_offset_around(struct talk *talk)
{
	return table_of(talk, (struct vhost_region){0, 4096, 0, 0},
			(struct vhost_region){8192, 4096, 8192, UINT64_MAX});
}

static int queue_that_is_none(struct talk *talk)
{
	return say_state(talk, SET_VRING_NUM, QUEUES_MAX, 256);
}

static int size_zero(struct talk *talk)
{
	return say_state(talk, SET_VRING_NUM, 0, 0);
}

static int size_odd(struct talk *talk)
{
	return say_state(talk, SET_VRING_NUM, 0, 100);
}

static int size_too_large(struct talk *talk)
{
	return say_state(talk, SET_VRING_NUM, 0, 2048);
}

static int base_too_large(struct talk *talk)
{
	return say_state(talk, SET_VRING_BASE, 0, 65536);
}

static int address_not_aligned(struct talk *talk)
{
	const struct vhost_addresses addresses = {.descriptors = 8};

	return say(talk, SET_VRING_ADDR, &addresses, sizeof(addresses), 0);
}

static int log_of_writes(struct talk *talk)
{
	const struct vhost_addresses addresses = {.flags = 1};

	return say(talk, SET_VRING_ADDR, &addresses, sizeof(addresses), 0);
}

static int kick_too_early(struct talk *talk)
{
	return say_number(talk, SET_VRING_KICK, 1, 1);
}

static int kick_without_memory(struct talk *talk)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct vhost_one_region one = {.region = {i << 20, 1 << 20, (i + 100) << 20, 0}};

		assert_int_equal(say(talk, REM_MEM_REG, &one, sizeof(one), 0), VACCEL_OK);
	}
	return say_number(talk, SET_VRING_KICK, 0, 1);
}

static int kick_without_descriptor(struct talk *talk)
{
	return say_number(talk, SET_VRING_KICK, 0, 0);
}

static int kick_by_polling(struct talk *talk)
{
	return say_number(talk, SET_VRING_KICK, VHOST_NO_DESCRIPTOR, 0);
}

static int kick_twice(struct talk *talk)
{
	kick(talk);
	return say_number(talk, SET_VRING_KICK, 0, 1);
}

static int kick_of_a_legacy_driver(struct talk *talk)
{
	say_number(talk, SET_FEATURES, VHOST_USER_PROTOCOL, 0);
	return say_number(talk, SET_VRING_KICK, 0, 1);
}

static int call_with_two(struct talk *talk)
{
	return say_number(talk, SET_VRING_CALL, 0, 2);
}

static int call_with_bits(struct talk *talk)
{
	return say_number(talk, SET_VRING_CALL, 1 << 20, 1);
}

static int changes_while_it_runs(struct talk *talk)
{
	kick(talk);
	return say_state(talk, SET_VRING_NUM, 0, 128);
}

static int features_while_it_runs(struct talk *talk)
{
	kick(talk);
	return say_number(talk, SET_FEATURES, VIRTIO_VERSION_1, 0);
}

static int enabled_somehow(struct talk *talk)
{
	return say_state(talk, SET_VRING_ENABLE, 0, 2);
}

static int configuration_too_long(struct talk *talk)
{
	const struct vhost_config config = {.offset = 250, .size = 7};

	return say(talk, GET_CONFIG, &config, 12 + 7, 0);
}

static int configuration_of_another_size(struct talk *talk)
{
	const struct vhost_config config = {.size = 64};

	return say(talk, GET_CONFIG, &config, 12, 0);
}

static int inflight_without_descriptor(struct talk *talk)
{
	const struct vhost_inflight shape = {1 << 20, 0, 2, 256, 0};

	return say(talk, SET_INFLIGHT_FD, &shape, 24, 0);
}

static int inflight_too_small(struct talk *talk)
{
	const struct vhost_inflight shape = {100, 0, 2, 256, 0};

	return say(talk, SET_INFLIGHT_FD, &shape, 24, 1);
}

static int inflight_for_smaller_queues(struct talk *talk)
{
	const struct vhost_inflight shape = {1 << 20, 0, 2, 128, 0};

	say(talk, SET_INFLIGHT_FD, &shape, 24, 1);
	return say_number(talk, SET_VRING_KICK, 0, 1);
}

static int inflight_while_it_runs(struct talk *talk)
{
	const struct vhost_inflight shape = {1 << 20, 0, 2, 256, 0};

	kick(talk);
	return say(talk, SET_INFLIGHT_FD, &shape, 24, 1);
}

static int inflight_of_no_queues(struct talk *talk)
{
	const struct vhost_inflight shape = {.queues = 0, .queue_size = 256};

	return say(talk, GET_INFLIGHT_FD, &shape, 24, 0);
}

static int slots_beyond_all(struct talk *talk)
{
	struct vhost_one_region one = {.region = {0, 4096, 0, 0}};
	int ret = VACCEL_OK;

	for (unsigned int i = 0; !ret && i <= REGIONS_MAX; i++) {
		one.region.guest = one.region.front = (UINT64_C(1) << 40) + i * 4096;
		ret = say(talk, ADD_MEM_REG, &one, sizeof(one), 1);
	}
	return ret;
}

static int gone(struct talk *talk)
{
	shutdown(talk->monitor, SHUT_WR);
	return backend_read(&talk->backend);
}

static const struct wrong {
	int (*say)(struct talk *talk);
	const char *words;
} wrong[] = {
	{wrong_version, "none of version 1"},
	{an_answer, "none of version 1"},
	{request_zero, "was not offered"},
	{request_unknown, "was not offered"},
	{request_not_offered, "was not offered"},
	{too_short, "SET_FEATURES with 4 bytes"},
	{too_long, "SET_OWNER with 4 bytes"},
	{huge, "SET_MEM_TABLE with 4294967295 bytes"},
	{feature_not_offered, "not offered"},
	{protocol_not_offered, "not offered"},
	{not_agreed, "not agreed on"},
	{descriptor_unasked, "do not belong to it"},
	{too_many_descriptors, "more descriptors than any"},
	{memory_without_descriptors, "share=on"},
	{memory_with_one_less, "share=on"},
	{memory_of_nothing, "share=on"},
	{memory_of_too_much, "shorter than it says"},
	{memory_that_overlaps, "overlap"},
	{memory_around, "end of addresses"},
	{memory_offset_around, "end of addresses"},
	{queue_that_is_none, "there is no queue"},
	{size_zero, "power of two"},
	{size_odd, "power of two"},
	{size_too_large, "power of two"},
	{base_too_large, "no index"},
	{address_not_aligned, "not aligned"},
	{log_of_writes, "log"},
	{kick_too_early, "before the queue's size"},
	{kick_without_memory, "start QEMU with -object memory-backend-memfd"},
	{kick_without_descriptor, "descriptor is missing"},
	{kick_by_polling, "not polled"},
	{kick_twice, "the queue runs"},
	{kick_of_a_legacy_driver, "before 1.0"},
	{call_with_two, "not the only one"},
	{call_with_bits, "not the only one"},
	{changes_while_it_runs, "the queue runs"},
	{features_while_it_runs, "runs by other features"},
	{enabled_somehow, "neither yes nor no"},
	{configuration_too_long, "more than there can be"},
	{configuration_of_another_size, "more than there can be"},
	{inflight_without_descriptor, "is missing"},
	{inflight_too_small, "too small"},
	{inflight_for_smaller_queues, "fewer or smaller"},
	{inflight_while_it_runs, "queues run"},
	{inflight_of_no_queues, "not so many queues"},
	{slots_beyond_all, "too many regions"},
	{gone, "closed the connection"},
};

static void test_what_is_wrong(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct talk *talk;

		setup((void **)&talk);
		begin(talk);
		assert_int_equal(wrong[i].say(talk), VACCEL_EREMOTEIO);
		if (!strstr(vaccel_error_text(), wrong[i].words))
			fail_msg("%zu: '%s' instead of '%s'", i, vaccel_error_text(),
				 wrong[i].words);
		teardown((void **)&talk);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_from_beginning_to_end),
		TEST(test_reset),
		TEST(test_configuration),
		TEST(test_inflight),
		TEST(test_inflight_that_is_only_asked_for),
		TEST(test_a_flood),
		TEST(test_slots),
		TEST(test_piece_by_piece),
		cmocka_unit_test(test_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
