// SPDX-License-Identifier: Apache-2.0
/* Links and time, their ends, and what may come in between. */
#include "links.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/util.h"
#include "passing.h"

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
	int64_t until = time_now() + 30 * MILLISECOND;

	assert_int_equal(link_receive(ends.client, until, &message), VACCEL_EAGAIN);
	assert_true(time_now() >= until);
	assert_int_equal(link_receive(ends.client, 0, &message), VACCEL_EAGAIN);
	assert_int_equal(link_receive(ends.client, until, &message), VACCEL_EAGAIN);
	send_and_expect(ends.agent, ends.client, 8, 8, 1, 1);
	ends_close(&ends);
}

/* Who waits for a message, though its time is over, until its wait is ended. */
struct waiter {
	struct link *link;
	pthread_t thread;
	int64_t until;
};

static void do_nothing(int signal)
{
}

static void *wait_for_message(void *context)
{
	struct waiter *waiter = context;
	struct message message;

	return (void *)(intptr_t)link_receive(waiter->link, waiter->until, &message);
}

/* Until it should have come back, if it looked at the time. */
static void begin_wait(struct waiter *waiter)
{
	link_time_outside(waiter->link, true);
	waiter->until = time_now() + 20 * MILLISECOND;
	assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_message, waiter), 0);
	while (time_now() < waiter->until + 20 * MILLISECOND)
		;
}

/* Ends it, now and again. What it came to. */
static int end_wait(const struct waiter *waiter)
{
	struct timespec next;
	void *ret;

	do {
		link_end_wait(waiter->link);
		assert_int_equal(pthread_kill(waiter->thread, SIGURG), 0);
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_sec++;
	} while (pthread_timedjoin_np(waiter->thread, &ret, &next));
	return (int)(intptr_t)ret;
}

static void test_time_outside(void **state)
{
	const struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PONG};
	struct waiter waiter = {.link = ends.agent};
	struct message message;
	void *ret;

	if (is_socket()) {
		assert_int_equal(sigaction(SIGURG, &action, NULL), 0);
		begin_wait(&waiter);
		assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, soon()), VACCEL_OK);
		pthread_join(waiter.thread, &ret);
		assert_int_equal((intptr_t)ret, VACCEL_OK);
		begin_wait(&waiter);
		assert_int_equal(end_wait(&waiter), VACCEL_EAGAIN);
		/* The next timer is as long as it should be. */
		send_and_expect(ends.client, ends.agent, 8, 8, 1, 1);
		link_end_wait(ends.agent);
		waiter.until = time_now() + 20 * MILLISECOND;
		assert_int_equal(link_receive(ends.agent, waiter.until, &message), VACCEL_EAGAIN);
		assert_true(time_now() >= waiter.until);
	}
	ends_close(&ends);
}

static void test_heard(void **state)
{
	struct ends ends = open_generous(state);
	int64_t before = time_now() - 20 * MILLISECOND;
	struct message message;

	send_and_expect(ends.agent, ends.client, 8, 8, 1, 1);
	assert_true(link_last_heard(ends.client) >= before);
	assert_true(link_last_heard(ends.client) <= time_now());
	before = link_last_heard(ends.client);
	assert_int_equal(link_receive(ends.client, time_now() + MILLISECOND, &message),
			 VACCEL_EAGAIN);
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

	assert_int_equal(send_until_full(ends.client, 20 * MILLISECOND), VACCEL_ETIMEDOUT);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, soon()), VACCEL_EREMOTEIO);
	assert_true(link_is_stale(ends.client));
	expect_cut_short(ends.agent);
	ends_close(&ends);
}

/* A peer that takes a little now and then, which is no reason to go on beyond the deadline. */
struct sipper {
	int fd;
	int64_t until;
	atomic_bool enough;
};

static void *sip(void *context)
{
	struct sipper *sipper = context;
	char bytes[16384];

	while (!sipper->enough && time_now() < sipper->until) {
		recv(sipper->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		usleep(5000);
	}
	return NULL;
}

static void test_deadline_of_send_to_slow_reader(void **state)
{
	struct ends ends = open_generous(state);
	struct sipper sipper = {.fd = link_fd(ends.agent)};
	struct parcel parcel;
	pthread_t thread;
	int64_t until;

	parcel_make(&parcel, ends.client, 1, 8, 16 << 20, 1);
	if (is_socket()) {
		until = time_now() + 100 * MILLISECOND;
		sipper.until = until + 2 * SECOND;
		assert_int_equal(pthread_create(&thread, NULL, sip, &sipper), 0);
		assert_int_equal(link_send(ends.client, &parcel.frame, parcel.head, &parcel.pieces,
					   -1, until),
				 VACCEL_ETIMEDOUT);
		assert_true(time_now() < sipper.until);
		sipper.enough = true;
		pthread_join(thread, NULL);
	}
	parcel_release(&parcel);
	ends_close(&ends);
}

/* A socket for which the system has no memory, though poll() says that there is room. */
#define ALL -2
static int poor = -1;
static int poor_sends;

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	if (fd != poor && poor != ALL)
		return sendto(fd, bytes, size, flags, NULL, 0);
	poor_sends++;
	errno = EAGAIN;
	return -1;
}

/* Whether it has been tried again; a machine that does other things may leave no time for that. */
static bool was_tried_again(int64_t began)
{
	poor = -1;
	/* Once in each millisecond at most, and at first once without time. */
	assert_in_range(poor_sends, 1, (time_now() - began) / MILLISECOND + 3);
	return poor_sends > 2;
}

static void test_system_without_memory_for_sockets(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};
	int64_t began, until = soon();

	if (is_socket()) {
		do {
			began = time_now();
			assert_true(began < until);
			poor = link_fd(ends.client);
			poor_sends = 0;
			assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1,
						   began + 50 * MILLISECOND),
					 VACCEL_ETIMEDOUT);
		} while (!was_tried_again(began));
	}
	ends_close(&ends);
}

static void test_handshake_without_memory_for_sockets(void **state)
{
	const struct bed *bed = *state;
	struct link *link = NULL;
	int64_t began, until = soon();

	if (strcmp(scheme, "tls"))
		return;
	do {
		began = time_now();
		assert_true(began < until);
		poor = ALL;
		poor_sends = 0;
		assert_int_equal(link_connect(&bed->address, bed->tls.client,
					      began + 50 * MILLISECOND, &link),
				 VACCEL_ETIMEDOUT);
	} while (!was_tried_again(began));
}

static void test_no_time_to_send(void **state)
{
	const struct bed *bed = *state;
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};
	struct message message;

	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, 0), VACCEL_OK);
	assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	/* A drive may be at the last one still. */
	if (!bed->machine) {
		assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, 1), VACCEL_OK);
		assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_OK);
	}
	assert_int_equal(send_until_full(ends.client, -time_now()), VACCEL_ETIMEDOUT);
	ends_close(&ends);
}

static void test_peer_that_takes_nothing(void **state)
{
	struct ends ends = open_generous(state);

	assert_true(ends.client->patience_ns == LINK_PATIENCE_NS);
	ends.client->patience_ns = 20 * MILLISECOND;
	assert_int_equal(send_until_full(ends.client, FOREVER), VACCEL_EREMOTEIO);
	ends_close(&ends);
}

/* What an agent's kernel holds for it is little, and not for long. */
static void test_kernel_of_an_agent_that_nobody_reads(void **state)
{
	const struct bed *bed = *state;
	struct ends ends = open_generous(state);
	int held = 0, ms = 0;
	socklen_t size = sizeof(ms);

	if (bed->address.carrier->accept == tcp_accept) {
		assert_int_equal(send_until_full(ends.agent, 20 * MILLISECOND), VACCEL_ETIMEDOUT);
		assert_int_equal(ioctl(link_fd(ends.agent), SIOCOUTQ, &held), 0);
		assert_in_range(held, 1, 512 << 10);
		assert_int_equal(
			getsockopt(link_fd(ends.agent), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &size),
			0);
		assert_int_equal(ms, 30000);
	}
	ends_close(&ends);
}

static void test_time_over_while_others_send(void **state)
{
	struct ends ends = open_generous(state);
	struct frame frame = {.kind = FRAME_PING};
	int64_t until = time_now() + 10 * MILLISECOND;

	pthread_mutex_lock(&ends.client->sending);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, until), VACCEL_ETIMEDOUT);
	assert_true(time_now() >= until);
	pthread_mutex_unlock(&ends.client->sending);
	assert_int_equal(link_send(ends.client, &frame, NULL, NULL, -1, until), VACCEL_OK);
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
	int64_t until = soon();
	struct message message;

	assert_int_equal(link_send(ends.agent, &frame, NULL, NULL, -1, soon()), VACCEL_OK);
	assert_int_equal(link_send(ends.agent, &frame, NULL, NULL, -1, soon()), VACCEL_OK);
	if (is_socket())
		assert_int_equal(socket_wait(link_fd(ends.client), POLLIN, soon()), VACCEL_OK);
	while (!link_is_stale(ends.client))
		assert_true(time_now() < until);
	/* What makes it so can be read at once. */
	assert_int_equal(link_receive(ends.client, 0, &message), VACCEL_OK);
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
	send_and_expect(ends.client, ends.agent, HELLO_HEAD_MAX, HELLO_PAYLOAD_MAX, 1, 1);
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

/* A client takes no descriptors: it would have to close them, which may take long. */
static void test_nothing_is_passed_to_clients(void **state)
{
	struct frame frame = {.kind = FRAME_PING};
	struct ends ends;

	if (strcmp(scheme, "unix"))
		return;
	need_refusal_of_passed();
	ends = open_generous(state);
	assert_int_equal(link_send(ends.agent, &frame, NULL, NULL, 0, soon()), VACCEL_EREMOTEIO);
	ends_close(&ends);
}

static void test_peer(void **state)
{
	const struct bed *bed = *state;
	struct peer peer;
	char *path = NULL;
	int client, agent;

	if (!is_socket())
		return;
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

/* A machine that is gone sends no end: after 15 + 3 * 5 s without an answer the kernel makes one.
 */
static void test_who_vanishes_is_noticed(void **state)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 15},
		{IPPROTO_TCP, TCP_KEEPINTVL, 5},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
	};
	struct ends ends;

	if (strcmp(scheme, "tcp") && strcmp(scheme, "tls"))
		return;
	ends = open_generous(state);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(options); i++) {
		int fd = i % 2 ? ends.client->fd : ends.agent->fd, value = -1;
		socklen_t size = sizeof(value);

		assert_int_equal(
			getsockopt(fd, options[i / 2].level, options[i / 2].name, &value, &size),
			0);
		assert_int_equal(value, options[i / 2].value);
	}
	ends_close(&ends);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)

int links_ends(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_shut_down_wakes),
		TEST(test_deadline_of_receive),
		TEST(test_time_outside),
		TEST(test_heard),
		TEST(test_deadline_of_send),
		TEST(test_deadline_of_send_to_slow_reader),
		TEST(test_system_without_memory_for_sockets),
		TEST(test_handshake_without_memory_for_sockets),
		TEST(test_no_time_to_send),
		TEST(test_peer_that_takes_nothing),
		TEST(test_kernel_of_an_agent_that_nobody_reads),
		TEST(test_time_over_while_others_send),
		TEST(test_closed),
		TEST(test_closed_is_stale),
		TEST(test_unexpected_message_is_stale),
		TEST(test_closed_in_a_message),
		TEST(test_limits),
		TEST(test_abilities),
		TEST(test_nothing_is_passed_to_clients),
		TEST(test_peer),
		TEST(test_who_vanishes_is_noticed),
	};

	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
