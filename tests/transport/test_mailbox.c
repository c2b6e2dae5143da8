// SPDX-License-Identifier: Apache-2.0
/*
 * The mailbox: two honest ends in two threads, whose messages must arrive whole and in
 * order whichever way each goes, and which must never sleep over one.
 */
#include "pair.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/*
 * Who falls asleep says so and looks once more; who puts a message there looks who sleeps. A
 * processor keeps either one's store before its load. qemu-user does not keep arm64's stlr before
 * its ldar, so that bells get lost.
 */
static void need_stores_before_loads(void)
{
#if defined(EMULATED) && defined(__aarch64__)
	print_message("an emulator does not keep a store before a later load: bells get lost\n");
	skip();
#endif
}

static void test_small_ones_never_touch_the_socket(void **state)
{
	struct pair *pair = *state;

	open_both(pair, 50);
	for (uint64_t i = 1; i < 100; i++) {
		assert_int_equal(send_kind(pair->ends.client, FRAME_PING, i), VACCEL_OK);
		assert_false(has_bytes(pair->ends.agent));
		expect(pair->ends.agent, i);
		assert_int_equal(send_kind(pair->ends.agent, FRAME_PONG, i), VACCEL_OK);
		expect(pair->ends.client, i);
	}
	assert_true(pair->to_agent->sent == 0 && pair->to_client->sent == 0);
	assert_false(is_full(pair->to_agent));
}

static void test_layout(void **state)
{
	struct pair *pair = *state;
	unsigned char frame[FRAME_SIZE];
	struct message message;

	assert_int_equal(link_use_mailbox(pair->ends.client, pair->memory, true, 1), VACCEL_OK);
	frame_put(&(struct frame){.kind = FRAME_PING, .request = 77}, frame);
	/* Nothing has come: from now on it wants to be woken. */
	assert_int_equal(link_receive(pair->ends.client, time_now() + MILLISECOND, &message),
			 VACCEL_EAGAIN);
	assert_int_equal(pair->memory[8192], 0);
	link_events(pair->ends.client);
	assert_int_equal(pair->memory[8192], 1);
	/* The client reads from the second half, and writes to the first. */
	memcpy(pair->memory + 8192 + 64, frame, sizeof(frame));
	expect(pair->ends.client, 77);
	assert_memory_equal(pair->memory + 8192 + 64, "\0\0\0\0", 4);
	assert_memory_equal(pair->memory + 8192 + 68, frame + 4, sizeof(frame) - 4);
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 77), VACCEL_OK);
	assert_memory_equal(pair->memory + 64, frame, sizeof(frame));
}

/* Messages of all sizes, of which some pass a descriptor; the other end follows the same numbers.
 */

struct stream {
	struct link *from;
	unsigned int count, seed;
	bool passes;
	int ret;
};

static uint32_t number_at(uint64_t place, unsigned int seed)
{
	uint64_t x = (place + 1) * UINT64_C(0x9e3779b97f4a7c15) + seed;

	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(x >> 32);
}

/* Sizes small and large, and about that of the slot. */
static size_t size_at(uint64_t place, unsigned int seed)
{
	uint32_t number = number_at(place, seed);

	switch (number % 8) {
	case 0:
		return number / 8 % 4096 & ~7u;
	case 1:
		return 3960 + (number / 8 % 20 & ~1u) * 4;
	case 2:
		return number / 8 % 70000 & ~7u;
	default:
		return number / 8 % 200 & ~7u;
	}
}

static bool passes_at(uint64_t place, unsigned int seed)
{
	return number_at(place, seed + 1) % 16 == 0;
}

static void *send_stream(void *context)
{
	static unsigned char bytes[70000];
	struct stream *stream = context;

	for (uint64_t i = 0; !stream->ret && i < stream->count; i++) {
		size_t size = size_at(i, stream->seed);
		struct frame frame = {.kind = FRAME_CALL, .request = i, .head_size = size / 16 * 8};
		bool passes = stream->passes && passes_at(i, stream->seed);
		struct pieces pieces = {0};

		stream->ret = pieces_add(&pieces, bytes, size - frame.head_size);
		if (!stream->ret)
			stream->ret = link_send(stream->from, &frame, bytes, &pieces,
						passes ? STDERR_FILENO : -1, soon());
		pieces_release(&pieces);
	}
	return NULL;
}

static void receive_stream(struct link *link, const struct stream *stream)
{
	for (uint64_t i = 0; i < stream->count; i++) {
		size_t size = size_at(i, stream->seed);
		struct message message = next(link);

		assert_true(message.frame.request == i);
		assert_true(message.frame.head_size + message.frame.payload_size == size);
		assert_int_equal(message.fd >= 0, stream->passes && passes_at(i, stream->seed));
		if (message.fd >= 0)
			close(message.fd);
		assert_int_equal(link_skip_payload(link, soon()), VACCEL_OK);
	}
}

static void stream_through(struct link *from, struct link *to, unsigned int count,
			   unsigned int seed, bool passes)
{
	struct stream stream = {.from = from, .count = count, .seed = seed, .passes = passes};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, send_stream, &stream), 0);
	receive_stream(to, &stream);
	pthread_join(thread, NULL);
	assert_int_equal(stream.ret, VACCEL_OK);
}

static void test_order(void **state)
{
	struct pair *pair = *state;

	need_stores_before_loads();
	open_both(pair, 20);
	stream_through(pair->ends.client, pair->ends.agent, 20000, 1, true);
	stream_through(pair->ends.agent, pair->ends.client, 20000, 2, false);
}

static void test_order_of_those_who_sleep(void **state)
{
	struct pair *pair = *state;

	need_stores_before_loads();
	open_both(pair, 0);
	stream_through(pair->ends.client, pair->ends.agent, 10000, 3, true);
	stream_through(pair->ends.agent, pair->ends.client, 10000, 4, false);
}

#define LIES 65536

static void *send_lies(void *context)
{
	struct stream *stream = context;
	struct frame frame = {.kind = FRAME_CALL};
	unsigned char *lies = malloc((size_t)LIES * FRAME_SIZE);
	struct pieces pieces = {0};

	for (size_t i = 0; i < LIES; i++)
		frame_put(&(struct frame){.kind = FRAME_PING}, lies + i * FRAME_SIZE);
	stream->ret = pieces_add(&pieces, lies, (size_t)LIES * FRAME_SIZE);
	if (!stream->ret)
		stream->ret = link_send(stream->from, &frame, NULL, &pieces, -1, soon());
	if (!stream->ret)
		stream->ret = send_kind(stream->from, FRAME_PING, 7);
	pieces_release(&pieces);
	free(lies);
	return NULL;
}

/* A message that is written in parts is counted once, whatever the parts look like. */
static void test_payload_like_frames(void **state)
{
	struct pair *pair = *state;
	struct stream stream = {.from = pair->ends.client};
	pthread_t thread;

	need_stores_before_loads();
	open_both(pair, 20);
	assert_int_equal(pthread_create(&thread, NULL, send_lies, &stream), 0);
	assert_int_equal(next(pair->ends.agent).frame.kind, FRAME_CALL);
	assert_int_equal(link_skip_payload(pair->ends.agent, soon()), VACCEL_OK);
	expect(pair->ends.agent, 7);
	pthread_join(thread, NULL);
	assert_int_equal(stream.ret, VACCEL_OK);
}

/* Sleeping. Who misses a message here waits for soon(). */

struct echo {
	struct link *link;
	int count, ret;
	bool by_epoll;
};

/* As an agent waits. VACCEL_OK: a message may be there. */
static int wait_by_epoll(int epoll, struct link *link)
{
	struct epoll_event event = {.events = link_events(link) | EPOLLONESHOT};

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, link_fd(link), &event))
		return VACCEL_EIO;
	return epoll_wait(epoll, &event, 1, (int)(PATIENCE_NS / MILLISECOND)) == 1
		       ? VACCEL_OK
		       : VACCEL_ETIMEDOUT;
}

static int echo_one(struct echo *echo, int epoll)
{
	struct message message;
	int ret = VACCEL_EAGAIN;

	while (ret == VACCEL_EAGAIN) {
		ret = link_receive(echo->link, echo->by_epoll ? 0 : soon(), &message);
		if (!ret && message.frame.kind == FRAME_DOORBELL)
			ret = VACCEL_EAGAIN;
		else if (ret == VACCEL_EAGAIN && echo->by_epoll &&
			 !wait_by_epoll(epoll, echo->link))
			continue;
		else if (ret == VACCEL_EAGAIN)
			ret = VACCEL_ETIMEDOUT;
	}
	return ret ? ret : send_kind(echo->link, FRAME_PONG, message.frame.request);
}

static void *echo_main(void *context)
{
	struct echo *echo = context;
	struct epoll_event none = {0};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(epoll, EPOLL_CTL_ADD, link_fd(echo->link), &none);
	for (int i = 0; !echo->ret && i < echo->count; i++)
		echo->ret = echo_one(echo, epoll);
	close(epoll);
	return NULL;
}

static void round_trips(struct pair *pair, int count, bool by_epoll)
{
	struct echo echo = {.link = pair->ends.agent, .count = count, .by_epoll = by_epoll};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, echo_main, &echo), 0);
	for (int i = 0; i < count; i++) {
		/* Bells that nobody needed any more may come at any time, and are nothing stale. */
		assert_false(link_is_stale(pair->ends.client));
		assert_int_equal(send_kind(pair->ends.client, FRAME_PING, (uint64_t)i), VACCEL_OK);
		expect(pair->ends.client, (uint64_t)i);
	}
	pthread_join(thread, NULL);
	assert_int_equal(echo.ret, VACCEL_OK);
}

static void test_nobody_sleeps_over_a_message(void **state)
{
	struct pair *pair = *state;

	need_stores_before_loads();
	open_both(pair, 3); /* so that both often fall asleep just when something comes */
	round_trips(pair, 100000, false);
}

static void test_nor_who_waits_by_epoll(void **state)
{
	struct pair *pair = *state;

	need_stores_before_loads();
	open_both(pair, 3);
	round_trips(pair, 50000, true);
}

static void test_a_late_bell_is_nothing_stale(void **state)
{
	struct pair *pair = *state;
	struct message message;

	open_both(pair, 1);
	link_events(pair->ends.client); /* asleep */
	assert_int_equal(send_kind(pair->ends.agent, FRAME_PING, 1), VACCEL_OK);
	/* It finds the message by looking, just before the bell is counted. */
	pair->to_client->sent -= FRAME_SIZE;
	assert_int_equal(link_receive(pair->ends.client, soon(), &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_PING);
	pair->to_client->sent += FRAME_SIZE;
	assert_true(has_bytes(pair->ends.client));
	assert_false(link_is_stale(pair->ends.client));
	assert_false(has_bytes(pair->ends.client));
	/* What comes after is found all the same, and is stale as long as nobody asks for it. */
	link_events(pair->ends.client);
	assert_int_equal(send_kind(pair->ends.agent, FRAME_PING, 9), VACCEL_OK);
	assert_true(link_is_stale(pair->ends.client));
	expect(pair->ends.client, 9);
	assert_false(link_is_stale(pair->ends.client));
}

static void test_bells_without_end_are_stale(void **state)
{
	struct pair *pair = *state;
	unsigned char bell[FRAME_SIZE];

	assert_int_equal(link_use_mailbox(pair->ends.client, pair->memory, true, 1), VACCEL_OK);
	frame_put(&(struct frame){.kind = FRAME_DOORBELL}, bell);
	for (int i = 0; i < 100; i++)
		assert_int_equal(send(link_fd(pair->ends.agent), bell, sizeof(bell), 0),
				 FRAME_SIZE);
	assert_true(link_is_stale(pair->ends.client));
}

static void test_events(void **state)
{
	struct pair *pair = *state;

	open_both(pair, 1);
	assert_int_equal(link_events(pair->ends.agent), EPOLLIN);
	assert_int_equal(pair->to_agent->asleep, 1);
	/* A sleeper's writer rings once. */
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 1), VACCEL_OK);
	assert_int_equal(pair->to_agent->asleep, 0);
	assert_true(has_bytes(pair->ends.agent));
	assert_true(pair->to_agent->sent == FRAME_SIZE);
	expect(pair->ends.agent, 1);
	assert_false(has_bytes(pair->ends.agent));
	/* What came while nobody slept wakes at once. */
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 2), VACCEL_OK);
	assert_false(has_bytes(pair->ends.agent));
	assert_int_equal(link_events(pair->ends.agent), EPOLLIN | EPOLLOUT);
	expect(pair->ends.agent, 2);
	/* But not if other bytes are to come first: they will wake. */
	pair->to_agent->sent += 8;
	pair->to_agent->slot[0] = 1;
	assert_int_equal(link_events(pair->ends.agent), EPOLLIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_small_ones_never_touch_the_socket),
		TEST(test_layout),
		TEST(test_order),
		TEST(test_order_of_those_who_sleep),
		TEST(test_payload_like_frames),
		TEST(test_nobody_sleeps_over_a_message),
		TEST(test_nor_who_waits_by_epoll),
		TEST(test_a_late_bell_is_nothing_stale),
		TEST(test_bells_without_end_are_stale),
		TEST(test_events),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
