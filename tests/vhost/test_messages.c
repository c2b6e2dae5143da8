// SPDX-License-Identifier: Apache-2.0
/* What a machine's monitor may say to the supervisor, and in which order. */
#include "talk.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vaccel/error.h>

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
	talk_listen(talk);
	memcpy(&base, talk->answer + sizeof(struct vhost_header), sizeof(base));
	assert_int_equal(base.number, 77);
	assert_int_equal(backend_read(&talk->backend), VACCEL_OK);
	talk_listen(talk);
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
	talk_listen(talk);
	assert_int_equal(answer(talk), 0);
	assert_int_equal(say_with(talk, RESET_DEVICE, VHOST_VERSION | VHOST_NEED_REPLY, NULL, 0, 0),
			 VACCEL_OK);
	assert_int_equal(answer(talk), 0);
}

/* Whether it is a driver's beginning. */
static bool start_at(struct talk *talk, uint32_t queue, uint32_t base)
{
	const struct vhost_addresses addresses = {
		.queue = queue,
		.descriptors = 100 << 20,
		.available = (100 << 20) + 4096,
		.used = (100 << 20) + 8192,
	};

	assert_int_equal(say_state(talk, SET_VRING_NUM, queue, 256), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_BASE, queue, base), VACCEL_OK);
	assert_int_equal(say(talk, SET_VRING_ADDR, &addresses, sizeof(addresses), 0), VACCEL_OK);
	assert_int_equal(say_number(talk, SET_VRING_KICK, queue, 1), VACCEL_OK);
	return talk->backend.rings[queue].anew;
}

static void stop_at(struct talk *talk, uint16_t first, uint16_t second)
{
	const uint16_t bases[] = {first, second};

	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(say_state(talk, GET_VRING_BASE, i, 0), VACCEL_OK);
		assert_int_equal(backend_stopped(&talk->backend, i, bases[i]), VACCEL_OK);
		talk_listen(talk);
	}
}

/* A driver begins, and not a machine that was stopped goes on, where a queue that had been used is
 * empty. */
static void test_beginnings(void **state)
{
	struct talk *talk = *state;

	begin(talk);
	assert_true(start_at(talk, 0, 0));
	assert_false(start_at(talk, 1, 0));
	stop_at(talk, 0, 7);
	assert_false(start_at(talk, 0, 0));
	assert_false(start_at(talk, 1, 7));
	stop_at(talk, 0, 9);
	assert_false(start_at(talk, 0, 0));
	assert_true(start_at(talk, 1, 0));
	stop_at(talk, 3, 4);
	assert_true(start_at(talk, 0, 0));
	/* Not once more, when the former may have been used. */
	assert_false(start_at(talk, 1, 0));
	assert_int_equal(say(talk, RESET_DEVICE, NULL, 0, 0), VACCEL_OK);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(backend_stopped(&talk->backend, i, 0), VACCEL_OK);
	assert_true(start_at(talk, 0, 0));
	assert_false(start_at(talk, 1, 0));
}

/* What comes after a reset is another's, also where a snapshot has queues go on. */
static void test_beginnings_in_the_middle(void **state)
{
	struct talk *talk = *state;

	begin(talk);
	/* Nothing had been made of the device. */
	assert_int_equal(say(talk, RESET_DEVICE, NULL, 0, 0), VACCEL_OK);
	assert_false(start_at(talk, 0, 5));
	assert_false(start_at(talk, 1, 0));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(say(talk, RESET_DEVICE, NULL, 0, 0), VACCEL_OK);
		for (unsigned int queue = 0; queue < 2; queue++)
			assert_int_equal(backend_stopped(&talk->backend, queue, 7), VACCEL_OK);
		assert_int_equal(say(talk, RESET_DEVICE, NULL, 0, 0), VACCEL_OK);
		assert_true(start_at(talk, 0, 5));
		assert_false(start_at(talk, 1, 0));
	}
	stop_at(talk, 9, 0);
	assert_false(start_at(talk, 1, 0));
	assert_false(start_at(talk, 0, 9));
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
	/* We have it mapped. */
	assert_int_equal(ftruncate(talk->passed, 0), -1);
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
		talk_send(talk, &header, sizeof(header), -1, 0);
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
		talk_listen(talk);
		assert_int_equal(talk->answered, 0);
		talk_send(talk, (const char *)&header + i, 1, -1, 0);
		assert_int_equal(backend_read(&talk->backend), VACCEL_OK);
	}
	talk_listen(talk);
	assert_int_equal(answer(talk), WANTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, talk_setup, talk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_from_beginning_to_end),
		TEST(test_reset),
		TEST(test_beginnings),
		TEST(test_beginnings_in_the_middle),
		TEST(test_configuration),
		TEST(test_inflight),
		TEST(test_inflight_that_is_only_asked_for),
		TEST(test_a_flood),
		TEST(test_slots),
		TEST(test_piece_by_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
