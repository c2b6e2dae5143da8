// SPDX-License-Identifier: Apache-2.0
/*
 * test_links SCHEME: what every carrier must do, over connections of that one.
 * Each test has a listening agent of its own, and must leave no descriptor.
 */
#include "ends.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "files.h"

static const char *scheme;
static int descriptors_before;

static const struct frame_limits generous = {.head = 16 << 20, .payload = 256 << 20};

static int64_t soon(void)
{
	return time_now() + PATIENCE_NS;
}

/* Those over unix sockets; one is in docs/writing-a-transport.md. */
static bool is_unix_socket(void)
{
	return !strcmp(scheme, "unix") || !strcmp(scheme, "abstract");
}

static int make_bed(void **state)
{
	descriptors_before = descriptors();
	*state = bed_new(scheme);
	return 0;
}

static int drop_bed(void **state)
{
	bed_delete(*state);
	assert_int_equal(descriptors(), descriptors_before);
	return 0;
}

static struct ends open_generous(void **state)
{
	struct ends ends = ends_open(*state);

	link_set_limits(ends.client, &generous);
	link_set_limits(ends.agent, &generous);
	return ends;
}

/* One message to send, of patterns, and its way. */
struct parcel {
	struct link *from;
	struct frame frame;
	void *head;
	void *payload;
	struct pieces pieces;
	int ret;
};

static void parcel_make(struct parcel *parcel, struct link *from, uint64_t request,
			size_t head_size, size_t payload_size, size_t nr_pieces)
{
	*parcel = (struct parcel){
		.from = from,
		.frame = {.kind = FRAME_CALL, .request = request, .head_size = head_size},
		.head = malloc(head_size + 1),
		.payload = malloc(payload_size + 1),
	};
	assert_true(parcel->head && parcel->payload);
	pattern_fill(parcel->head, head_size, (unsigned int)request);
	pattern_fill(parcel->payload, payload_size, (unsigned int)request + 1);
	pieces_of(&parcel->pieces, parcel->payload, payload_size, nr_pieces);
}

static void parcel_release(struct parcel *parcel)
{
	free(parcel->head);
	free(parcel->payload);
	pieces_release(&parcel->pieces);
}

static void *parcel_send(void *context)
{
	struct parcel *parcel = context;

	parcel->ret =
		link_send(parcel->from, &parcel->frame, parcel->head, &parcel->pieces, -1, soon());
	return NULL;
}

/* Takes a whole message and looks at every byte; its payload goes to @nr_pieces pieces. */
static void expect(struct link *link, uint64_t request, size_t head_size, size_t payload_size,
		   size_t nr_pieces)
{
	void *payload = malloc(payload_size + 1);
	struct message message;
	struct pieces pieces;

	assert_non_null(payload);
	assert_int_equal(link_receive(link, soon(), &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_CALL);
	assert_true(message.frame.request == request);
	assert_true(message.frame.head_size == head_size);
	assert_true(message.frame.payload_size == payload_size);
	assert_true((uintptr_t)message.head % CODEC_ALIGN == 0);
	assert_int_equal(message.fd, -1);
	assert_pattern(message.head, head_size, (unsigned int)request);
	assert_true(link_payload_left(link) == payload_size);
	pieces_of(&pieces, payload, payload_size, nr_pieces);
	assert_int_equal(link_receive_payload(link, &pieces, soon()), VACCEL_OK);
	assert_true(link_payload_left(link) == 0);
	assert_pattern(payload, payload_size, (unsigned int)request + 1);
	pieces_release(&pieces);
	free(payload);
}

static void send_and_expect(struct link *from, struct link *to, size_t head_size,
			    size_t payload_size, size_t nr_out, size_t nr_in)
{
	static uint64_t request;
	struct parcel parcel;
	pthread_t thread;

	parcel_make(&parcel, from, ++request, head_size, payload_size, nr_out);
	assert_int_equal(pthread_create(&thread, NULL, parcel_send, &parcel), 0);
	expect(to, request, head_size, payload_size, nr_in);
	pthread_join(thread, NULL);
	assert_int_equal(parcel.ret, VACCEL_OK);
	parcel_release(&parcel);
}

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
		if (link_events(ends.agent) & EPOLLOUT)
			ahead++;
		link_rest(ends.agent);
	}
	assert_int_equal(socket_wait(link_fd(ends.agent), POLLIN, 1), VACCEL_EAGAIN);
	assert_int_equal(link_events(ends.agent), EPOLLIN);
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
		if (at + 8 == sizeof(bytes))
			break;
		assert_int_equal(link_receive(ends.agent, 0, &message), VACCEL_EAGAIN);
		assert_int_equal(link_events(ends.agent), EPOLLIN);
		assert_true(link_is_stale(ends.agent));
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

static void *receive_one(void *context)
{
	struct link *link = context;
	struct message message;

	return (void *)(intptr_t)link_receive(link, FOREVER, &message);
}

static void test_shut_down_wakes(void **state)
{
	struct ends ends = open_generous(state);
	pthread_t thread;
	void *ret;

	assert_int_equal(pthread_create(&thread, NULL, receive_one, ends.client), 0);
	link_shut_down(ends.client);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, VACCEL_EREMOTEIO);
	assert_true(ends.client->shut);
	ends_close(&ends);
}

/* Time */

static void test_deadline_of_receive(void **state)
{
	struct ends ends = open_generous(state);
	struct message message;
	int64_t until = time_now() + 30000000;

	assert_int_equal(link_receive(ends.client, until, &message), VACCEL_EAGAIN);
	assert_true(time_now() >= until);
	assert_int_equal(link_receive(ends.client, 0, &message), VACCEL_EAGAIN);
	assert_int_equal(link_receive(ends.client, until, &message), VACCEL_EAGAIN);
	send_and_expect(ends.agent, ends.client, 8, 8, 1, 1);
	ends_close(&ends);
}

static void test_heard(void **state)
{
	struct ends ends = open_generous(state);
	int64_t before = time_now() - 20000000;
	struct message message;

	send_and_expect(ends.agent, ends.client, 8, 8, 1, 1);
	assert_true(link_last_heard(ends.client) >= before);
	assert_true(link_last_heard(ends.client) <= time_now());
	before = link_last_heard(ends.client);
	assert_int_equal(link_receive(ends.client, time_now() + 1000000, &message), VACCEL_EAGAIN);
	assert_true(link_last_heard(ends.client) == before);
	ends_close(&ends);
}

/* Until the peer's and the system's buffers are full. */
static int send_until_full(struct link *link, int64_t wait_ns)
{
	static unsigned char bytes[1 << 20];
	struct iovec piece = {bytes, sizeof(bytes)};
	struct pieces payload = {.at = &piece, .count = 1, .size = sizeof(bytes)};
	int ret = VACCEL_OK;

	for (int i = 0; i < 200 && !ret; i++) {
		struct frame frame = {.kind = FRAME_CALL};

		ret = link_send(link, &frame, NULL, &payload, -1,
				wait_ns == FOREVER ? FOREVER : time_now() + wait_ns);
	}
	return ret;
}

static void expect_cut_short(struct link *link)
{
	struct message message;
	int ret;

	do {
		ret = link_receive(link, soon(), &message);
		if (!ret)
			ret = link_skip_payload(link, soon());
	} while (!ret);
	assert_int_equal(ret, VACCEL_EREMOTEIO);
}

static void test_deadline_of_send(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};

	assert_int_equal(send_until_full(ends.client, 20000000), VACCEL_ETIMEDOUT);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, soon()), VACCEL_EREMOTEIO);
	assert_true(link_is_stale(ends.client));
	expect_cut_short(ends.agent);
	ends_close(&ends);
}

static void test_no_time_to_send(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};
	struct message message;

	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, 0), VACCEL_OK);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, 1), VACCEL_OK);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	assert_int_equal(send_until_full(ends.client, -time_now()), VACCEL_ETIMEDOUT);
	ends_close(&ends);
}

static void test_peer_that_takes_nothing(void **state)
{
	struct ends ends = open_generous(state);

	assert_true(ends.client->patience_ns == LINK_PATIENCE_NS);
	ends.client->patience_ns = 20000000;
	assert_int_equal(send_until_full(ends.client, FOREVER), VACCEL_EREMOTEIO);
	ends_close(&ends);
}

static void test_time_over_while_others_send(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};
	int64_t until = time_now() + 10000000;

	pthread_mutex_lock(&ends.client->sending);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, until), VACCEL_ETIMEDOUT);
	assert_true(time_now() >= until);
	pthread_mutex_unlock(&ends.client->sending);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, until), VACCEL_OK);
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

/* Ends */

static void test_closed(void **state)
{
	struct ends ends = open_generous(state);
	struct message message = {.frame.kind = FRAME_CALL};

	assert_false(link_is_stale(ends.client));
	assert_false(link_is_stale(ends.agent));
	link_delete(ends.agent);
	assert_int_equal(link_receive(ends.client, soon(), &message), VACCEL_EREMOTEIO);
	assert_int_equal(message.frame.kind, 0);
	assert_string_equal(vaccel_error_text(), "the peer has closed the connection");
	assert_int_equal(link_receive(ends.client, soon(), &message), VACCEL_EREMOTEIO);
	assert_true(link_is_stale(ends.client));
	assert_int_equal(send_until_full(ends.client, PATIENCE_NS), VACCEL_EREMOTEIO);
	link_delete(ends.client);
}

static void test_closed_is_stale(void **state)
{
	struct ends ends = open_generous(state);

	link_delete(ends.client);
	assert_int_equal(socket_wait(link_fd(ends.agent), POLLIN, soon()), VACCEL_OK);
	assert_true(link_is_stale(ends.agent));
	link_delete(ends.agent);
}

static void test_unexpected_message_is_stale(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_GOAWAY};
	struct message message;

	assert_int_equal(link_send(ends.agent, &frame, NULL, NULL, -1, soon()), VACCEL_OK);
	assert_int_equal(link_send(ends.agent, &frame, NULL, NULL, -1, soon()), VACCEL_OK);
	assert_int_equal(socket_wait(link_fd(ends.client), POLLIN, soon()), VACCEL_OK);
	assert_true(link_is_stale(ends.client));
	assert_int_equal(link_receive(ends.client, soon(), &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_GOAWAY);
	assert_int_equal(link_receive(ends.client, soon(), &message), VACCEL_OK);
	assert_false(link_is_stale(ends.client));
	ends_close(&ends);
}

static void test_closed_in_a_message(void **state)
{
	enum { SIZE = 32 << 20 };
	struct ends ends = open_generous(state);
	struct message message;
	struct parcel parcel;
	struct pieces pieces;
	pthread_t thread;

	parcel_make(&parcel, ends.client, 1, 8, SIZE, 1);
	assert_int_equal(pthread_create(&thread, NULL, parcel_send, &parcel), 0);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	link_shut_down(ends.client);
	pthread_join(thread, NULL);
	assert_int_equal(parcel.ret, VACCEL_EREMOTEIO);
	pieces_of(&pieces, parcel.payload, SIZE, 1);
	assert_int_equal(link_receive_payload(ends.agent, &pieces, soon()), VACCEL_EREMOTEIO);
	assert_true(link_payload_left(ends.agent) > 0);
	assert_int_equal(link_receive_payload(ends.agent, &pieces, soon()), VACCEL_EREMOTEIO);
	assert_int_equal(link_skip_payload(ends.agent, soon()), VACCEL_EREMOTEIO);
	pieces_release(&pieces);
	parcel_release(&parcel);
	ends_close(&ends);
}

/* Limits */

static void test_limits(void **state)
{
	struct ends ends = ends_open(*state);
	const struct frame_limits none = {0};
	struct message message;
	struct parcel parcel;

	/* What a HELLO may be. */
	send_and_expect(ends.client, ends.agent, 65536, 65536, 1, 1);
	link_set_limits(ends.agent, &none);
	parcel_make(&parcel, ends.client, 77, 8, 8, 1);
	parcel_send(&parcel);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_EDQUOT);
	assert_true(message.frame.request == 77);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_EREMOTEIO);
	parcel_release(&parcel);
	/* It can still be told so. */
	send_and_expect(ends.agent, ends.client, 8, 0, 1, 1);
	ends_close(&ends);
}

static void test_abilities(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};
	bool regions = is_unix_socket();

	assert_int_equal(link_abilities(ends.client), regions ? LINK_REGIONS : 0);
	assert_int_equal(link_abilities(ends.agent), regions ? LINK_REGIONS : 0);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, 0, soon()),
			 regions ? VACCEL_OK : VACCEL_EINVAL);
	if (strcmp(scheme, "tls"))
		assert_null(link_peer_name(ends.agent));
	ends_close(&ends);
}

static void test_peer(void **state)
{
	const struct bed *bed = *state;
	struct peer peer;
	char *path = NULL;
	int client, agent;

	assert_int_equal(address_accept(&bed->address, bed->listener, &peer, &agent),
			 VACCEL_EAGAIN);
	if (!strcmp(scheme, "vsock-uds")) {
		/* As the monitor does. */
		assert_true(asprintf(&path, "%s_52", bed->address.path) > 0);
		assert_int_equal(unix_connect(path, soon(), &client), 0);
	} else {
		assert_int_equal(bed->address.carrier->connect(&bed->address, soon(), &client),
				 VACCEL_OK);
	}
	assert_int_equal(socket_wait(bed->listener, POLLIN, soon()), VACCEL_OK);
	assert_int_equal(address_accept(&bed->address, bed->listener, &peer, &agent), VACCEL_OK);
	assert_int_equal(peer.has_uid, is_unix_socket());
	if (peer.has_uid) {
		assert_int_equal(peer.uid, getuid());
		assert_int_equal(peer.pid, getpid());
	}
	assert_false(peer.has_cid);
	assert_true(strlen(peer.text) > 4);
	free(path);
	close(client);
	close(agent);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)
		TEST(test_sizes),
		TEST(test_pieces),
		TEST(test_large),
		TEST(test_read_ahead),
		TEST(test_part_of_a_message_wakes_nobody),
		TEST(test_idle_holds_nothing),
		TEST(test_several_senders),
		TEST(test_both_directions),
		TEST(test_shut_down_wakes),
		TEST(test_deadline_of_receive),
		TEST(test_heard),
		TEST(test_deadline_of_send),
		TEST(test_no_time_to_send),
		TEST(test_peer_that_takes_nothing),
		TEST(test_time_over_while_others_send),
		TEST(test_slow_reader),
		TEST(test_skip),
		TEST(test_wrong_place_for_payload),
		TEST(test_closed),
		TEST(test_closed_is_stale),
		TEST(test_unexpected_message_is_stale),
		TEST(test_closed_in_a_message),
		TEST(test_limits),
		TEST(test_abilities),
		TEST(test_peer),
#undef TEST
	};

	if (argc != 2)
		return 2;
	scheme = argv[1];
	return cmocka_run_group_tests_name(scheme, tests, NULL, NULL);
}
