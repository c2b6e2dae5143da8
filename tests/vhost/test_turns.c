// SPDX-License-Identifier: Apache-2.0
/* The accelerator's queues that start and stop, and its workers that come and go. */
#include "stand.h"

#include <dirent.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/noop.h>

#include "agent/base/ipc.h"
#include "agent/vhost/ring.h"
#include "agent/worker/machines.h"
#include "base/util.h"

static void test_stop_and_go_on(void **state)
{
	struct stand *stand = *state;
	uint16_t base;
	struct update update = {
		.kind = UPDATE_START,
		.size = FRONT_SIZE,
		.enabled = true,
		.features = VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX,
	};

	for (int i = 0; i < 3; i++)
		assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
	front_stop(stand->channel, 0, &base);
	assert_int_equal(base, 3);
	update.base = base;
	update.addresses = front_addresses(&stand->front, 0);
	front_forget(&stand->front, 0);
	assert_int_equal(update_send(stand->channel, &update, dup(stand->front.queues[0].kick),
				     stand->front.queues[0].call),
			 VACCEL_OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
}

static void start_queue(struct stand *stand, unsigned int queue, uint16_t base, bool anew)
{
	const struct update update = {
		.kind = UPDATE_START,
		.queue = queue,
		.size = FRONT_SIZE,
		.base = base,
		.enabled = true,
		.anew = anew,
		.features = VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX,
		.addresses = front_addresses(&stand->front, queue),
	};
	const struct front_queue *front = &stand->front.queues[queue];

	assert_int_equal(update_send(stand->channel, &update, front->kick, front->call), VACCEL_OK);
}

/* Files outlast that, whichever queue goes on first, and end as another driver begins. */
static void test_a_machine_is_stopped(void **state)
{
	struct stand *stand = *state;
	struct program program;
	int64_t session;

	stand_connect(&program, stand, 4096);
	session = program_session(&program);
	for (int i = 0; i < 2; i++) {
		uint16_t used, unused;

		front_stop(stand->channel, 0, &used);
		front_stop(stand->channel, 1, &unused);
		assert_int_equal(unused, 0);
		start_queue(stand, 1, unused, i);
		start_queue(stand, 0, used, false);
		if (!i)
			assert_int_equal(program_noop(&program, session), VACCEL_OK);
	}
	program_send(&program, session, &vaccel_op_noop, &(struct vaccel_noop_args){0});
	program_expect_end(&program);
	program_close(&program);
}

/* A driver that counts files from 1 again is no part of those of the one before it. */
static void test_a_driver_that_is_not_seen_to_begin(void **state)
{
	struct stand *stand = *state;
	struct program before, other, after;
	int64_t session;
	uint16_t base;

	stand_connect(&before, stand, 4096);
	program_session(&before);
	stand_connect(&other, stand, 4096);
	session = program_session(&other);
	front_stop(stand->channel, 0, &base);
	front_reset_queue(&stand->front, 0);
	front_forget(&stand->front, 0);
	start_queue(stand, 0, 0, false);
	stand->front.last_file = 0;
	stand_connect(&after, stand, 4096);
	while (stand->bed.worker.stats->sessions != 1)
		usleep(1000);
	assert_int_equal(program_noop(&after, program_session(&after)), VACCEL_OK);
	assert_int_equal(program_noop(&other, session), VACCEL_OK);
	program_close(&after);
	program_close(&before);
	program_close(&other);
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void expect_failure(struct stand *stand, const char *words)
{
	struct pollfd poller = {.fd = stand->channel, .events = POLLIN};
	struct update update;
	int fds[UPDATE_FDS];

	assert_int_equal(poll(&poller, 1, 60000), 1);
	assert_int_equal(update_receive(stand->channel, &update, fds), VACCEL_OK);
	assert_int_equal(update.kind, UPDATE_FAILED);
	assert_non_null(strstr(update.words, words));
}

/* What cannot start keeps nothing of what came with it. */
static void test_a_queue_that_starts_twice(void **state)
{
	struct stand *stand = *state;
	const struct update update = {
		.kind = UPDATE_START,
		.size = FRONT_SIZE,
		.addresses = front_addresses(&stand->front, 0),
	};
	unsigned int before;

	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
	before = open_descriptors();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(update_send(stand->channel, &update, stand->front.queues[0].kick,
					     stand->front.queues[0].call),
				 VACCEL_OK);
		expect_failure(stand, "too early");
	}
	assert_int_equal(open_descriptors(), before);
	stand_call_often(stand);
}

/* Sizes whose sum is none are not mapped. */
static void test_memory_that_cannot_be_mapped(void **state)
{
	struct stand *stand = *state;
	struct update region = {
		.kind = UPDATE_REGION,
		.region = {.size = UINT64_MAX - 4095, .offset = 8192},
	};
	struct update inflight = {
		.kind = UPDATE_INFLIGHT,
		.inflight = {UINT64_MAX - 4095, 8192, 1, FRONT_SIZE, 0},
	};

	assert_int_equal(update_send(stand->channel, &region, stand->front.fd, -1), VACCEL_OK);
	expect_failure(stand, "too large to be mapped");
	for (unsigned int i = 0; i < FRONT_QUEUES; i++)
		front_stop(stand->channel, i, &(uint16_t){0});
	assert_int_equal(update_send(stand->channel, &inflight, stand->front.inflight, -1),
			 VACCEL_OK);
	expect_failure(stand, "cannot be mapped");
	inflight.inflight = (struct vhost_inflight){4096, 3, 1, FRONT_SIZE, 0};
	assert_int_equal(update_send(stand->channel, &inflight, stand->front.inflight, -1),
			 VACCEL_OK);
	expect_failure(stand, "cannot be mapped");
}

/* Three requests, of which a worker had taken two: the inflight region says so. */
static void lose(struct front *front, struct front_request lost[3])
{
	struct inflight_queue *inflight =
		mmap(NULL, INFLIGHT_STRIDE(FRONT_SIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		     front->inflight, 0);

	for (unsigned int i = 0; i < 3; i++) {
		lost[i] = (struct front_request){
			.header =
				{
					.type = TYPE_MESSAGE,
					.flags = FLAG_BEGIN | FLAG_END,
					.file = 1,
					.request = 100 + i,
					.readable = 64,
				},
		};
		front_send(front, &lost[i], (char[64]){0}, 64, 0);
		if (i == 2)
			break;
		inflight->entries[lost[i].head].under_way = 1;
		inflight->entries[lost[i].head].counter = 1000 - i;
	}
	munmap(inflight, INFLIGHT_STRIDE(FRONT_SIZE));
}

static void test_a_lost_worker(void **state)
{
	struct stand *stand = *state;
	struct front *front = &stand->front;
	struct front_request lost[3];
	struct program program;

	stand_connect(&program, stand, 4096);
	program_session(&program);
	stand_detach(stand);
	lose(front, lost);
	stand_attach(stand, false);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(front_answer(front, &lost[i]), CODE_STALE);
	assert_int_equal(front_answer(front, &lost[2]), CODE_BAD);
	/* In the order in which they had come. */
	assert_int_equal(front->queues[0].used[2 + 4 * ((front->queues[0].seen - 3) % FRONT_SIZE)],
			 lost[1].head);
	/* The file is none any more: STALE, which a link's end stands for. */
	program_send(&program, 1, &vaccel_op_noop, &(struct vaccel_noop_args){0});
	program_expect_end(&program);
	program_close(&program);
}

/* A stop for which the one before was ended: what it had is given back all the same. */
static void test_a_lost_worker_and_a_stop(void **state)
{
	struct stand *stand = *state;
	struct front *front = &stand->front;
	struct front_request lost[3];
	uint16_t base;

	for (int i = 0; i < 5; i++)
		assert_int_equal(front_call(front, TYPE_CANCEL, 9, 1), CODE_OK);
	stand_detach(stand);
	lose(front, lost);
	front->disabled = true;
	stand_attach(stand, false);
	front_stop(stand->channel, 0, &base);
	assert_int_equal(base, 5 + 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(front_is_done(front, 0, lost[i].head));
		assert_int_equal(front_answer(front, &lost[i]), CODE_STALE);
	}
	assert_false(front_is_done(front, 0, lost[2].head));
}

/* Workers that are replaced */

/* As the process does, while the device goes on. */
static void drain(struct stand *stand)
{
	atomic_store(&stand->bed.worker.draining, true);
	while (!server_drain(stand->bed.server))
		usleep(1000);
	vhost_drain(stand->vhost);
}

static void await_successor(struct stand *stand)
{
	while (!vhost_is_over(stand->vhost))
		usleep(1000);
	stand_detach(stand);
	atomic_store(&stand->bed.worker.draining, false);
	stand_attach(stand, false);
	stand_call_often(stand);
}

static void send_part(struct stand *stand, struct front_request *part, uint16_t flags,
		      uint64_t offset, struct iovec bytes, size_t room)
{
	*part = (struct front_request){.header = part->header};
	part->header.flags = flags;
	part->header.offset = offset;
	front_send(&stand->front, part, bytes.iov_base, bytes.iov_len, room);
	assert_int_equal(front_answer(&stand->front, part), CODE_OK);
}

/* What has begun comes to its end where it began; what is new is told to come again. */
static void test_a_drain_in_mid_call(void **state)
{
	const struct frame hello = {.kind = FRAME_HELLO, .request = 1};
	struct front_request whole, part,
		first = {
			.header =
				{
					.type = TYPE_MESSAGE,
					.flags = FLAG_BEGIN | FLAG_END,
					.file = 99,
					.request = 999,
					.readable = FRAME_SIZE,
				},
		};
	struct stand *stand = *state;
	unsigned char bytes[FRAME_SIZE];
	struct program program;
	int32_t in[1000] = {1, 2, 3};
	char *message;

	stand_connect(&program, stand, 4096);
	stand_lend(stand, &program, program_session(&program), in, ARRAY_SIZE(in), &whole);
	assert_int_equal(front_answer(&stand->front, &whole), CODE_OK);
	message = (char *)(whole.in + 1);
	part.header = whole.header;
	part.header.request = ++stand->front.last_request;
	send_part(stand, &part, FLAG_BEGIN, 0, (struct iovec){message, 1000}, 0);
	drain(stand);
	frame_put(&hello, bytes);
	front_send(&stand->front, &first, bytes, sizeof(bytes), 0);
	assert_int_equal(front_answer(&stand->front, &first), CODE_BUSY);
	assert_int_equal(first.status.flags, 0);
	send_part(stand, &part, FLAG_END, 1000,
		  (struct iovec){message + 1000, whole.in_size - 1000}, STAND_LENT_AT);
	assert_int_equal(part.status.flags, STATUS_MORE | STATUS_GOAWAY);
	assert_false(vhost_is_over(stand->vhost));
	send_part(stand, &part, FLAG_ROOM, STAND_LENT_AT, (struct iovec){0},
		  whole.room - STAND_LENT_AT);
	assert_memory_equal(part.out + 1, in, sizeof(in));
	await_successor(stand);
	program_close(&program);
}

static void test_a_drain_of_a_guest_that_does_not_go_on(void **state)
{
	struct front_request part = {
		.header = {.type = TYPE_MESSAGE, .file = 1, .request = 1, .readable = 1000},
	};
	struct stand *stand = *state;

	halfway_patience = 300 * MILLISECOND;
	send_part(stand, &part, FLAG_BEGIN, 0, (struct iovec){(char[]){"begun"}, 5}, 0);
	drain(stand);
	await_successor(stand);
}

/* A machine that comes again while a call of it runs */

/* The supervisor's end of a channel for which the worker has had a message. */
static int follow(struct stand *stand, struct machine **machines, int *ret)
{
	const struct ipc_message message = {.carrier = "vhost-user", .text = "vhost-user:///vm1"};
	int ends[2];

	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	*ret = machines_add(machines, &stand->bed.worker, &message, &stand->bed.listener, ends[1]);
	return ends[0];
}

static void expect_refusal(struct stand *stand, struct machine **machines, bool is_stuck)
{
	struct update update;
	int fds[UPDATE_FDS], ret;
	int channel = follow(stand, machines, &ret);

	assert_int_equal(ret, VACCEL_EBUSY);
	if (is_stuck) {
		assert_int_equal(update_receive(channel, &update, fds), VACCEL_OK);
		assert_int_equal(update.kind, UPDATE_STUCK);
	}
	assert_int_equal(update_receive(channel, &update, fds), VACCEL_EREMOTEIO);
	close(channel);
}

/* What it gives back it would give back twice. */
static void test_a_machine_that_comes_again(void **state)
{
	struct stand *stand = *state;
	struct machine *machines = NULL;
	struct program program;
	uint64_t request;
	struct gate gate;
	int ret;

	gate_init(&gate);
	stand_detach(stand);
	stand->channel = follow(stand, &machines, &ret);
	assert_int_equal(ret, VACCEL_OK);
	front_attach(&stand->front, stand->channel, true);
	stand_connect(&program, stand, 4096);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	close(stand->channel);
	succession_patience = INT64_MAX;
	expect_refusal(stand, &machines, false);
	succession_patience = 0;
	expect_refusal(stand, &machines, true);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	while (!machines_drop(&machines))
		usleep(1000);
	stand_attach(stand, false);
	program_close(&program);
	gate_release(&gate);
	stand_call_often(stand);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stop_and_go_on),
		TEST(test_a_machine_is_stopped),
		TEST(test_a_driver_that_is_not_seen_to_begin),
		TEST(test_a_queue_that_starts_twice),
		TEST(test_memory_that_cannot_be_mapped),
		TEST(test_a_lost_worker),
		TEST(test_a_lost_worker_and_a_stop),
		TEST(test_a_machine_that_comes_again),
		TEST(test_a_drain_in_mid_call),
		TEST(test_a_drain_of_a_guest_that_does_not_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
