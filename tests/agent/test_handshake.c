// SPDX-License-Identifier: Apache-2.0
/* TLS in a tenant's worker: who does not get through the handshake is counted, and why. */
#include "bed.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/worker/connection/connection.h"
#include "base/util.h"
#include "certificates.h"
#include "transport/carrier.h"
#include "transport/tls.h"

#define PATIENCE_NS (30 * SECOND)

static struct certificate ca, agent;
static struct tls *tls;
static struct bed bed;
static struct connection *last;

static void *accept_one(void *context)
{
	int *listener = context;
	struct address any = {.carrier = &carrier_tls};
	struct link *link;
	struct peer peer;
	int fd = -1;

	assert_int_equal(socket_wait(*listener, POLLIN, time_now() + PATIENCE_NS), VACCEL_OK);
	assert_int_equal(address_accept(&any, *listener, &peer, &fd), VACCEL_OK);
	assert_int_equal(link_adopt(&carrier_tls, fd, tls, &link), VACCEL_OK);
	assert_int_equal(connection_new(&bed.worker, link, peer.text, &bed.listener, &last),
			 VACCEL_OK);
	server_add(bed.server, last);
	return NULL;
}

/* A connection by TCP, whose other end is the worker's. */
struct visit {
	struct address address;
	int listener;
	pthread_t thread;
};

static void begin(struct visit *visit)
{
	struct address any;
	char text[64];

	assert_int_equal(address_parse("tls://127.0.0.1:0", &any), VACCEL_OK);
	assert_int_equal(address_listen(&any, 0, &visit->listener), VACCEL_OK);
	assert_int_equal(listener_text(&any, visit->listener, text, sizeof(text)), VACCEL_OK);
	assert_int_equal(address_parse(text, &visit->address), VACCEL_OK);
	address_release(&any);
	assert_int_equal(pthread_create(&visit->thread, NULL, accept_one, &visit->listener), 0);
}

static void end(struct visit *visit)
{
	pthread_join(visit->thread, NULL);
	address_unlisten(&visit->address, visit->listener);
	address_release(&visit->address);
}

/* By a client that does no TLS. */
static int knock(void)
{
	struct visit visit;
	int fd;

	begin(&visit);
	assert_int_equal(tcp_connect(&visit.address, time_now() + PATIENCE_NS, &fd), VACCEL_OK);
	end(&visit);
	return fd;
}

static void expect_end(int fd)
{
	char bytes[64];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	close(fd);
}

static void wait_until_alone(void)
{
	while (atomic_load(&bed.worker.stats->connections))
		usleep(1000);
}

static void test_no_tls(void **state)
{
	int fd = knock();

	assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	expect_end(fd);
	wait_until_alone();
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 1);
	close(knock());
	wait_until_alone();
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 2);
	assert_int_equal(bed_refused(&bed, REFUSED_AUTH), 0);
}

/* Says nothing until it is time; that time is over at once here. */
static void test_too_slow(void **state)
{
	int fd = knock();

	atomic_store(&last->due, 0);
	server_wake(bed.server);
	expect_end(fd);
	wait_until_alone();
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 1);
}

/* Who goes since there are too many is counted as that alone. */
static void test_too_many(void **state)
{
	int first, second;

	bed.worker.setup.policy.connections = 2;
	first = knock();
	second = knock();
	expect_end(first);
	assert_int_equal(bed_refused(&bed, REFUSED_QUOTA), 1);
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 0);
	close(second);
	wait_until_alone();
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 1);
}

/* Without a certificate, where one is asked for; and one whom the agent pleases, who goes. */
static void test_certificates(void **state)
{
	const struct tls_pem strange = {.ca = ca.cert};
	const struct tls_pem known = {.cert = agent.cert, .key = agent.key, .ca = ca.cert};
	const struct tls_pem *const pems[] = {&strange, &known};

	for (size_t i = 0; i < ARRAY_SIZE(pems); i++) {
		struct visit visit;
		struct link *link = NULL;
		struct tls *client;
		char byte;

		assert_int_equal(tls_client_new(pems[i], &client), VACCEL_OK);
		begin(&visit);
		assert_int_equal(
			link_connect(&visit.address, client, time_now() + PATIENCE_NS, &link),
			VACCEL_OK);
		end(&visit);
		if (pems[i] == &strange)
			while (recv(link_fd(link), &byte, 1, 0) > 0)
				;
		link_delete(link);
		tls_delete(client);
		wait_until_alone();
	}
	assert_int_equal(bed_refused(&bed, REFUSED_AUTH), 1);
	assert_int_equal(bed_refused(&bed, REFUSED_MALFORMED), 0);
}

static int make_certificates(void **state)
{
	struct tls_pem pem;

	certificate_make(&(struct certificate_order){.name = "test CA", .is_ca = true}, &ca);
	certificate_make(
		&(struct certificate_order){.name = "agent", .also = "IP:127.0.0.1", .issuer = &ca},
		&agent);
	pem = (struct tls_pem){agent.cert, agent.key, ca.cert};
	return tls_server_new(&pem, false, &tls);
}

static int drop_certificates(void **state)
{
	tls_delete(tls);
	certificate_release(&agent);
	certificate_release(&ca);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BED(&bed, test_no_tls),
		IN_BED(&bed, test_too_slow),
		IN_BED(&bed, test_too_many),
		IN_BED(&bed, test_certificates),
	};

	return cmocka_run_group_tests_name("handshake", tests, make_certificates,
					   drop_certificates);
}
