// SPDX-License-Identifier: Apache-2.0
/* What a machine's monitor may not say: it is told what is wrong, and its connection ends. */
#include "talk.h"

#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "repeat.h"

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

	talk_send(talk, &header, sizeof(header), -1, 0);
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
	return say(talk, SET_OWNER, NULL, 0, REPEAT_MAX);
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

		talk_setup((void **)&talk);
		begin(talk);
		assert_int_equal(wrong[i].say(talk), VACCEL_EREMOTEIO);
		if (!strstr(vaccel_error_text(), wrong[i].words))
			fail_msg("%zu: '%s' instead of '%s'", i, vaccel_error_text(),
				 wrong[i].words);
		talk_teardown((void **)&talk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
