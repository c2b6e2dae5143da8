// SPDX-License-Identifier: Apache-2.0
/* Who may speak to whom over tls://, and how little a peer can make an agent do for it. */
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

#define PATIENCE_NS INT64_C(10000000000)

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_large_certificate),
		cmocka_unit_test(test_long_handshake),
	};

	return cmocka_run_group_tests_name("tls", tests, bed_make, bed_drop);
}
