// SPDX-License-Identifier: Apache-2.0
/* Who may speak to whom over tls://, and how little a peer can make an agent do for it. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "bed.h"
#include "transport/link.h"
#include "transport/tls_ssl.h"

#define PATIENCE_NS (10 * SECOND)

static void test_both_ends(void **state)
{
	const struct bed *bed = *state;
	struct meeting meeting;

	bed_meet(bed, bed->tls, bed->server, &meeting);
	print_message("%s | %s\n", meeting.client.words, meeting.agent.words);
	assert_int_equal(meeting.client.ret, VACCEL_OK);
	assert_int_equal(meeting.agent.ret, VACCEL_OK);
	assert_string_equal(meeting.agent.name, "alice");
}

static int meet_by(const struct bed *bed, const char *group)
{
	struct tls *client = client_of(&bed->client, &bed->ca);
	struct meeting meeting;

	assert_int_equal(SSL_CTX_set1_groups_list(client->ctx, group), 1);
	bed_meet(bed, client, bed->server, &meeting);
	tls_delete(client);
	return meeting.client.ret ? meeting.client.ret : meeting.agent.ret;
}

/* Those that are quick to reckon with. */
static void test_groups(void **state)
{
	const struct bed *bed = *state;

	assert_int_equal(meet_by(bed, "X25519"), VACCEL_OK);
	assert_int_equal(meet_by(bed, "P-256"), VACCEL_OK);
	assert_int_equal(meet_by(bed, "P-384"), VACCEL_OK);
	assert_int_equal(meet_by(bed, "ffdhe2048"), VACCEL_EREMOTEIO);
	assert_int_equal(meet_by(bed, "ffdhe8192"), VACCEL_EREMOTEIO);
	assert_int_equal(meet_by(bed, "X448"), VACCEL_EREMOTEIO);
}

/* One that says much more than who its owner is. */
static void test_large_certificate(void **state)
{
	const struct bed *bed = *state;
	char names[40000] = "DNS:alice";
	struct certificate certificate;
	struct meeting meeting;
	struct tls *client;

	for (size_t at = strlen(names); at + 32 < sizeof(names); at += 32)
		snprintf(names + at, 33, ",DNS:%019zu.example", at);
	certificate_make(
		&(struct certificate_order){
			.name = "alice", .also = names, .usage = "clientAuth", .issuer = &bed->ca},
		&certificate);
	client = client_of(&certificate, &bed->ca);
	bed_meet(bed, client, bed->server, &meeting);
	assert_int_equal(meeting.agent.ret, VACCEL_EREMOTEIO);
	assert_int_not_equal(meeting.client.ret, VACCEL_OK);
	tls_delete(client);
	certificate_release(&certificate);
}

/* A first message of 64 KiB, a byte in each record. */
static void send_in_bytes(int fd)
{
	static unsigned char records[65536][6];

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		memcpy(records[i], (unsigned char[]){0x16, 3, 1, 0, 1, !i || i == 1}, 6);
	assert_true(send(fd, records, sizeof(records), MSG_DONTWAIT) > 60000);
}

/* Who does not wait for a peer is not kept by one that says much either. */
static void test_long_handshake(void **state)
{
	const struct bed *bed = *state;
	int fd = bed_connect_plainly(bed), theirs = -1, passed = -1, left = 0;
	char byte;
	struct iovec to = {&byte, 1};
	struct link *link;
	struct peer peer;

	assert_int_equal(socket_wait(bed->listener, POLLIN, time_now() + PATIENCE_NS), VACCEL_OK);
	assert_int_equal(address_accept(&bed->address, bed->listener, &peer, &theirs), VACCEL_OK);
	assert_int_equal(link_adopt(bed->address.carrier, theirs, bed->server, &link), VACCEL_OK);
	send_in_bytes(fd);
	assert_int_equal(socket_wait(theirs, POLLIN, time_now() + PATIENCE_NS), VACCEL_OK);
	assert_int_equal(link->read(link, &to, 1, 0, &passed), -VACCEL_EAGAIN);
	assert_int_equal(ioctl(theirs, FIONREAD, &left), 0);
	assert_true(left > 0);
	link_delete(link);
	close(fd);
}

/* An agent that finds no room for TLS' own messages, and has some as soon as it has seen so. */
static struct {
	int theirs, ours; /* 0: there is to be no room yet */
	unsigned int times;
} full;

static void make_room(const SSL *ssl, int where, int ret)
{
	char bytes[4096];

	if (!(where & SSL_CB_EXIT) || ret > 0 || !full.theirs)
		return;
	full.times++;
	while (socket_wait(full.theirs, POLLOUT, 1))
		recv(full.ours, bytes, sizeof(bytes), MSG_DONTWAIT);
}

static SSL *shake_hands(const struct bed *bed, int fd, struct link *link)
{
	int64_t until = time_now() + PATIENCE_NS;
	SSL *ssl = SSL_new(bed->tls->ctx);
	char byte;
	struct iovec to = {&byte, 1};
	int passed = -1;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	SSL_set_connect_state(ssl);
	while (SSL_do_handshake(ssl) <= 0 || !link_is_open(link)) {
		assert_true(time_now() < until);
		assert_int_equal(link->read(link, &to, 1, 0, &passed), -VACCEL_EAGAIN);
	}
	return ssl;
}

static void send_over_tls(SSL *ssl, const unsigned char *bytes, size_t size)
{
	size_t part;

	for (size_t done = 0; done < size; done += part)
		assert_int_equal(SSL_write_ex(ssl, bytes + done, size - done, &part), 1);
}

static void expect_bytes(struct link *link, const unsigned char *bytes, size_t size)
{
	static unsigned char got[65536];
	int passed = -1;

	for (size_t done = 0; done < size;) {
		struct iovec to = {got + done, size - done};
		ssize_t part = link->read(link, &to, 1, time_now() + PATIENCE_NS, &passed);

		assert_true(part > 0);
		done += (size_t)part;
	}
	assert_memory_equal(got, bytes, size);
}

/* The agent owes the client new keys and has no room to write them, so OpenSSL does not read. */
static void test_new_keys_without_room_to_write(void **state)
{
	static unsigned char bytes[40000];
	struct iovec from = {bytes, 8};
	const struct bed *bed = *state;
	struct tls *server = server_of(&bed->agent, &bed->ca);
	struct link *link;
	int fds[2];
	SSL *ssl;

	/* One that is full stays full, as TCP is not. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(link_adopt(bed->address.carrier, fds[1], server, &link), VACCEL_OK);
	ssl = shake_hands(bed, fds[0], link);
	SSL_CTX_set_info_callback(server->ctx, make_room);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 >> 3);
	assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	send_over_tls(ssl, bytes, 8);
	expect_bytes(link, bytes, 8);
	send_over_tls(ssl, bytes, sizeof(bytes));
	while (send(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(link->write(link, &from, 1, 0, -1), -VACCEL_EAGAIN);
	full.ours = fds[0];
	full.theirs = fds[1];
	expect_bytes(link, bytes, sizeof(bytes));
	assert_true(full.times > 0);
	full.theirs = 0;
	SSL_free(ssl);
	close(fds[0]);
	link_delete(link);
	tls_delete(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_large_certificate),
		cmocka_unit_test(test_long_handshake),
		cmocka_unit_test(test_new_keys_without_room_to_write),
	};

	return cmocka_run_group_tests_name("tls", tests, bed_make, bed_drop);
}
