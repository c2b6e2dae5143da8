// SPDX-License-Identifier: Apache-2.0
/* Messages of links: of all sizes, in pieces, by several threads, from slow readers and writers. */
#include "links.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void test_sizes(void **state)
{
	/* About where a buffer is full, a message is small, and a socket's buffer ends. */
	static const size_t sizes[] = {0,    8,	   16,	 64,	888,   952,    960,
				       968,  1024, 3960, 4024,	4032,  4040,   4096,
				       8128, 8192, 8200, 65528, 65536, 262144, 1048584};
	struct ends ends = open_generous(state);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			send_and_expect(ends.client, ends.agent, sizes[i], sizes[j], 1, 1);
			if ((i + j) % 5 == 0)
				send_and_expect(ends.agent, ends.client, sizes[i], sizes[j], 2, 3);
		}
	ends_close(&ends);
}

static void test_pieces(void **state)
{
	static const size_t counts[] = {1, 2, 3, 61, 62, 63, 64, 65, 200, 1500};
	struct ends ends = open_generous(state);

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		send_and_expect(ends.client, ends.agent, 64, 100000, counts[i], 1);
		send_and_expect(ends.agent, ends.client, 0, 100000, 1, counts[i]);
		send_and_expect(ends.agent, ends.client, 8, 800, counts[i], counts[i]);
	}
	ends_close(&ends);
}

static void test_large(void **state)
{
	struct ends ends = open_generous(state);

	send_and_expect(ends.client, ends.agent, 8 << 20, 40 << 20, 3, 2);
	send_and_expect(ends.agent, ends.client, 8, 40 << 20, 1, 1);
	ends_close(&ends);
}

/* Of many messages that have come, epoll knows only while the socket holds some. */
static void test_read_ahead(void **state)
{
	enum { COUNT = 20 };
	struct ends ends = open_generous(state);
	struct parcel parcel;
	int ahead = 0;

	for (uint64_t i = 1; i <= COUNT; i++) {
		parcel_make(&parcel, ends.client, i, 8 * (size_t)i, 16, 1);
		parcel_send(&parcel);
		assert_int_equal(parcel.ret, VACCEL_OK);
		parcel_release(&parcel);
	}
	for (uint64_t i = 1; i <= COUNT; i++) {
		expect(ends.agent, i, 8 * (size_t)i, 16, 1);
		if (link_events(ends.agent) & EPOLLOUT) {
			ahead++;
			assert_true(link_has_news(ends.agent));
		}
		link_rest(ends.agent);
	}
	assert_int_equal(socket_wait(link_fd(ends.agent), POLLIN, 1), VACCEL_EAGAIN);
	assert_int_equal(link_events(ends.agent), EPOLLIN);
	assert_false(link_has_news(ends.agent));
	if (is_unix_socket())
		assert_true(ahead > 0);
	ends_close(&ends);
}

/* Bytes as they come, which need not be whole messages. */
static void write_bytes(struct link *link, const unsigned char *bytes, size_t size)
{
	const struct iovec piece = {(void *)bytes, size};

	assert_int_equal(link->write(link, &piece, 1, soon(), -1), size);
}

/* A peer that stops in the middle of a message costs no processor. */
static void test_part_of_a_message_wakes_nobody(void **state)
{
	const struct frame frame = {.kind = FRAME_CALL, .request = 1, .head_size = 8};
	unsigned char bytes[FRAME_SIZE + 8] = {0};
	struct ends ends = open_generous(state);
	struct message message;

	frame_put(&frame, bytes);
	for (size_t at = 0; at < sizeof(bytes); at += 8) {
		write_bytes(ends.client, bytes + at, 8);
		assert_int_equal(socket_wait(link_fd(ends.agent), POLLIN, soon()), VACCEL_OK);
		assert_true(link_has_news(ends.agent));
		if (at + 8 == sizeof(bytes))
			break;
		assert_int_equal(link_receive(ends.agent, 0, &message), VACCEL_EAGAIN);
		assert_int_equal(link_events(ends.agent), EPOLLIN);
		assert_false(link_is_stale(ends.agent));
	}
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	assert_int_equal(message.frame.request, 1);
	ends_close(&ends);
}

static void test_idle_holds_nothing(void **state)
{
	struct ends ends = open_generous(state);
	struct message message;

	assert_true(sizeof(struct link) <= 448);
	send_and_expect(ends.client, ends.agent, 300000, 8, 1, 1);
	send_and_expect(ends.client, ends.agent, 8, 8, 1, 1);
	assert_true(ends.agent->room <= 16 * LINK_ROOM);
	assert_int_equal(link_receive(ends.agent, 0, &message), VACCEL_EAGAIN);
	assert_null(ends.agent->buffer);
	send_and_expect(ends.client, ends.agent, 8, 8, 1, 1);
	assert_non_null(ends.agent->buffer);
	link_rest(ends.agent);
	assert_null(ends.agent->buffer);
	send_and_expect(ends.client, ends.agent, 8, 8, 1, 1);
	ends_close(&ends);
}

/* Threads */

enum { SENDERS = 4, ROUNDS = 50 };

struct sender {
	struct link *link;
	unsigned int number;
	int ret;
};

static void *send_many(void *context)
{
	struct sender *sender = context;

	for (unsigned int i = 0; i < ROUNDS && !sender->ret; i++) {
		struct parcel parcel;

		parcel_make(&parcel, sender->link, sender->number, 24, i % 7 * 10000, 3);
		parcel_send(&parcel);
		sender->ret = parcel.ret;
		parcel_release(&parcel);
	}
	return NULL;
}

static void test_several_senders(void **state)
{
	struct ends ends = open_generous(state);
	struct sender senders[SENDERS];
	unsigned int rounds[SENDERS] = {0};
	pthread_t threads[SENDERS];
	struct message message;

	for (unsigned int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.link = ends.client, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
	}
	for (unsigned int i = 0; i < SENDERS * ROUNDS; i++) {
		static char payload[60000];
		struct pieces pieces;
		size_t size;

		assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
		assert_true(message.frame.request < SENDERS);
		size = rounds[message.frame.request]++ % 7 * 10000;
		assert_true(message.frame.payload_size == size);
		assert_pattern(message.head, 24, (unsigned int)message.frame.request);
		pieces_of(&pieces, payload, size, 1);
		assert_int_equal(link_receive_payload(ends.agent, &pieces, soon()), VACCEL_OK);
		pieces_release(&pieces);
		assert_pattern(payload, size, (unsigned int)message.frame.request + 1);
	}
	for (unsigned int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(senders[i].ret, VACCEL_OK);
	}
	ends_close(&ends);
}

/* Both ends of a call at once: one thread receives while another sends. */
static void test_both_directions(void **state)
{
	struct ends ends = open_generous(state);
	struct parcel there, back;
	pthread_t threads[2];

	parcel_make(&there, ends.client, 1, 8, 3 << 20, 1);
	parcel_make(&back, ends.agent, 2, 8, 3 << 20, 1);
	assert_int_equal(pthread_create(&threads[0], NULL, parcel_send, &there), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, parcel_send, &back), 0);
	expect(ends.agent, 1, 8, 3 << 20, 1);
	expect(ends.client, 2, 8, 3 << 20, 1);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(there.ret, VACCEL_OK);
	assert_int_equal(back.ret, VACCEL_OK);
	parcel_release(&there);
	parcel_release(&back);
	ends_close(&ends);
}

/* A receiver that looks now and then; what came in part stays. */
static void test_slow_reader(void **state)
{
	enum { SIZE = 6 << 20 };
	struct ends ends = open_generous(state);
	char *bytes = malloc(SIZE);
	struct message message;
	struct pieces pieces;
	struct parcel parcel;
	pthread_t thread;
	uint64_t left = SIZE;
	int ret;

	assert_non_null(bytes);
	parcel_make(&parcel, ends.client, 1, 100000, SIZE, 5);
	assert_int_equal(pthread_create(&thread, NULL, parcel_send, &parcel), 0);
	while ((ret = link_receive(ends.agent, 0, &message)) == VACCEL_EAGAIN)
		socket_wait(link_fd(ends.agent), POLLIN, soon());
	assert_int_equal(ret, VACCEL_OK);
	assert_pattern(message.head, 100000, 1);
	assert_int_equal(link_receive(ends.agent, 0, &message), VACCEL_EINVAL);
	pieces_of(&pieces, bytes, SIZE, 7);
	while ((ret = link_receive_payload(ends.agent, &pieces, 0)) == VACCEL_EAGAIN) {
		assert_true(link_payload_left(ends.agent) <= left);
		left = link_payload_left(ends.agent);
		socket_wait(link_fd(ends.agent), POLLIN, soon());
	}
	assert_int_equal(ret, VACCEL_OK);
	assert_pattern(bytes, SIZE, 2);
	pthread_join(thread, NULL);
	assert_int_equal(parcel.ret, VACCEL_OK);
	parcel_release(&parcel);
	pieces_release(&pieces);
	free(bytes);
	send_and_expect(ends.client, ends.agent, 8, 8, 1, 1);
	ends_close(&ends);
}

/* Payload that nobody wants */

static void test_skip(void **state)
{
	static const size_t sizes[] = {0, 8, 4000, 50000, 1 << 20};
	struct ends ends = open_generous(state);
	struct message message;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct parcel parcel;
		pthread_t thread;

		parcel_make(&parcel, ends.client, 1, 8, sizes[i], 1);
		assert_int_equal(pthread_create(&thread, NULL, parcel_send, &parcel), 0);
		assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
		assert_int_equal(link_skip_payload(ends.agent, soon()), VACCEL_OK);
		assert_true(link_payload_left(ends.agent) == 0);
		pthread_join(thread, NULL);
		parcel_release(&parcel);
		send_and_expect(ends.client, ends.agent, 8, 8, 1, 1);
	}
	ends_close(&ends);
}

static void test_wrong_place_for_payload(void **state)
{
	struct ends ends = open_generous(state);
	struct message message;
	struct parcel parcel;
	struct pieces pieces;
	char bytes[64];

	parcel_make(&parcel, ends.client, 1, 8, 48, 1);
	parcel_send(&parcel);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	pieces_of(&pieces, bytes, 40, 1);
	assert_int_equal(link_receive_payload(ends.agent, &pieces, 0), VACCEL_EINVAL);
	pieces_release(&pieces);
	pieces_of(&pieces, bytes, 56, 1);
	assert_int_equal(link_receive_payload(ends.agent, &pieces, 0), VACCEL_EINVAL);
	pieces_release(&pieces);
	pieces_of(&pieces, bytes, 48, 1);
	assert_int_equal(link_receive_payload(ends.agent, &pieces, soon()), VACCEL_OK);
	pieces_release(&pieces);
	parcel_release(&parcel);
	ends_close(&ends);
}

/* System calls of this thread by which bytes leave, or room for them is waited for. */
static _Thread_local int calls;

ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_poll(struct pollfd *fds, nfds_t nr, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int ms);

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	calls++;
	return __real_send(fd, bytes, size, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	calls++;
	return __real_sendmsg(fd, message, flags);
}

int __wrap_poll(struct pollfd *fds, nfds_t nr, int ms)
{
	calls++;
	return __real_poll(fds, nr, ms);
}

static void send_counted(struct link *from, struct link *to, size_t head_size, size_t payload_size,
			 size_t nr_pieces, size_t most)
{
	struct parcel parcel;

	parcel_make(&parcel, from, 1, head_size, payload_size, nr_pieces);
	calls = 0;
	parcel_send(&parcel);
	assert_in_range(calls, 1, most);
	assert_int_equal(parcel.ret, VACCEL_OK);
	expect(to, 1, head_size, payload_size, 1);
	parcel_release(&parcel);
}

/*
 * Small or in pieces: as long as the socket has room for it. An agent's worker may not use
 * sendmsg(), and sends a front and each piece by themselves.
 */
static void test_a_message_is_one_write(void **state)
{
	struct ends ends = open_generous(state);

	for (size_t nr_pieces = 1; is_socket() && nr_pieces < 4; nr_pieces++) {
		send_counted(ends.client, ends.agent, 0, 0, 1, 1);
		send_counted(ends.client, ends.agent, 64, 800, nr_pieces, 1);
		send_counted(ends.client, ends.agent, 64, 8000, nr_pieces, 1);
		send_counted(ends.client, ends.agent, 1000, 12000, nr_pieces, 1);
		send_counted(ends.agent, ends.client, 64, 800, nr_pieces, 1);
		send_counted(ends.agent, ends.client, 64, 8000, nr_pieces, 1 + nr_pieces);
	}
	ends_close(&ends);
}

static void test_nothing_is_held_back(void **state)
{
	struct ends ends = open_generous(state);
	int fds[] = {link_fd(ends.client), link_fd(ends.agent)};
	bool is_tcp = !strcmp(scheme, "tcp") || !strcmp(scheme, "tls");

	for (size_t i = 0; is_tcp && i < 2; i++) {
		int no_delay = 0;
		socklen_t size = sizeof(no_delay);

		assert_int_equal(getsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
		assert_int_equal(no_delay, 1);
	}
	ends_close(&ends);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)

int links_messages(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_sizes),
		TEST(test_pieces),
		TEST(test_large),
		TEST(test_read_ahead),
		TEST(test_part_of_a_message_wakes_nobody),
		TEST(test_idle_holds_nothing),
		TEST(test_several_senders),
		TEST(test_both_directions),
		TEST(test_slow_reader),
		TEST(test_skip),
		TEST(test_wrong_place_for_payload),
		TEST(test_a_message_is_one_write),
		TEST(test_nothing_is_held_back),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
