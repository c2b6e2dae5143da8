// SPDX-License-Identifier: Apache-2.0
/* Who does not get to speak to whom over tls://, and what either end is told to do about it. */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "bed.h"
#include "transport/carrier.h"
#include "transport/link.h"
#include "transport/tls_ssl.h"

#define PATIENCE_NS (10 * SECOND)

static void assert_outcome(const struct outcome *outcome, int code, const char *words)
{
	if (outcome->ret != code || !strstr(outcome->words, words))
		fail_msg("%d, '%s', instead of %d and '%s'", outcome->ret, outcome->words, code,
			 words);
}

/* What the client finds wrong with the agent's certificate; it hears of that by an alert. */
static void refuse_agent(const struct bed *bed, struct certificate_order order, const char *words,
			 const char *agents)
{
	struct certificate certificate;
	struct meeting meeting;
	struct tls *server;

	order.name = "agent";
	order.usage = order.usage ? order.usage : "serverAuth";
	order.also = order.also ? order.also : "IP:127.0.0.1";
	order.issuer = &bed->ca;
	certificate_make(&order, &certificate);
	server = server_of(&certificate, &bed->ca);
	bed_meet(bed, bed->tls, server, &meeting);
	assert_outcome(&meeting.client, VACCEL_EACCES, "the agent's certificate is refused: ");
	assert_outcome(&meeting.client, VACCEL_EACCES, words);
	assert_outcome(&meeting.agent, VACCEL_EACCES, agents);
	tls_delete(server);
	certificate_release(&certificate);
}

static void test_an_agent(void **state)
{
	const struct bed *bed = *state;

	refuse_agent(bed, (struct certificate_order){.has_expired = true},
		     "have it renewed, or set this machine's clock",
		     "the agent's certificate has expired; have it renewed");
	refuse_agent(bed, (struct certificate_order){.comes_later = true},
		     "set this machine's clock", "the client refuses the agent's certificate");
	refuse_agent(bed, (struct certificate_order){.also = "IP:127.0.0.2"},
		     "use an address or a name that the certificate has",
		     "it must have the name that the client connects to");
	refuse_agent(bed, (struct certificate_order){.usage = "clientAuth"},
		     "it is not made for servers",
		     "the agent's certificate is not made for servers");
}

/* The same the other way round. */
static void refuse_client(const struct bed *bed, struct certificate_order order, const char *words,
			  const char *clients)
{
	struct certificate certificate;
	struct meeting meeting;
	struct tls *client;

	order.name = order.name ? order.name : "alice";
	order.usage = order.usage ? order.usage : "clientAuth";
	order.issuer = &bed->ca;
	certificate_make(&order, &certificate);
	client = client_of(&certificate, &bed->ca);
	bed_meet(bed, client, bed->server, &meeting);
	assert_outcome(&meeting.agent, VACCEL_EACCES, "the client's certificate is refused: ");
	assert_outcome(&meeting.agent, VACCEL_EACCES, words);
	assert_outcome(&meeting.client, VACCEL_EACCES, clients);
	tls_delete(client);
	certificate_release(&certificate);
}

static void test_a_client(void **state)
{
	const struct bed *bed = *state;

	refuse_client(bed, (struct certificate_order){.has_expired = true},
		      "have it renewed, or set this machine's clock",
		      "the certificate in VACCEL_TLS_CERT has expired; have it renewed");
	refuse_client(bed, (struct certificate_order){.comes_later = true},
		      "set this machine's clock",
		      "the agent refuses the certificate in VACCEL_TLS_CERT");
	refuse_client(bed, (struct certificate_order){.usage = "serverAuth"},
		      "it is not made for clients",
		      "the certificate in VACCEL_TLS_CERT is not made for clients");
	refuse_client(bed, (struct certificate_order){.name = "uid-0"},
		      "its name is not fit for a tenant: ",
		      "its name must be fit for a tenant, and the agent's log says more");
	refuse_client(bed, (struct certificate_order){.name = "a/b"},
		      "its name is not fit for a tenant: ", "its name must be fit for a tenant");
	refuse_client(bed, (struct certificate_order){.second = "bob"},
		      "its name is not fit for a tenant: ", "its name must be fit for a tenant");
}

/* Each trusts somebody else than who has signed the other's. */
static void test_strangers(void **state)
{
	const struct bed *bed = *state;
	struct certificate other;
	struct meeting meeting;
	struct tls *tls;

	certificate_make(&(struct certificate_order){.name = "other CA", .is_ca = true}, &other);
	tls = client_of(&bed->client, &other);
	bed_meet(bed, tls, bed->server, &meeting);
	assert_outcome(&meeting.client, VACCEL_EACCES,
		       "VACCEL_TLS_CA must hold the CA that signed it");
	assert_outcome(&meeting.agent, VACCEL_EACCES,
		       "the client does not know the CA of the agent's certificate");
	tls_delete(tls);

	tls = server_of(&bed->agent, &other);
	bed_meet(bed, bed->tls, tls, &meeting);
	assert_outcome(&meeting.agent, VACCEL_EACCES,
		       "the listener's client_ca must be the CA that signed it");
	assert_outcome(&meeting.client, VACCEL_EACCES,
		       "the agent does not know the CA of the certificate in VACCEL_TLS_CERT");
	tls_delete(tls);
	certificate_release(&other);
}

static void test_a_client_without_certificate(void **state)
{
	const struct bed *bed = *state;
	struct tls *client = client_of(NULL, &bed->ca);
	struct meeting meeting;

	bed_meet(bed, client, bed->server, &meeting);
	assert_outcome(&meeting.client, VACCEL_EACCES,
		       "the agent asks for a certificate; set VACCEL_TLS_CERT and VACCEL_TLS_KEY");
	assert_outcome(&meeting.agent, VACCEL_EACCES, "the client has shown no certificate");
	tls_delete(client);
}

static void test_an_older_tls(void **state)
{
	const struct bed *bed = *state;
	struct tls *client = client_of(&bed->client, &bed->ca);
	struct meeting meeting;

	assert_int_equal(SSL_CTX_set_min_proto_version(client->ctx, TLS1_2_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(client->ctx, TLS1_2_VERSION), 1);
	bed_meet(bed, client, bed->server, &meeting);
	assert_outcome(&meeting.client, VACCEL_EREMOTEIO, "the agent speaks no TLS 1.3");
	assert_outcome(&meeting.agent, VACCEL_EREMOTEIO, "the client speaks no TLS 1.3");
	tls_delete(client);
}

/* What an agent says of a client that begins with @bytes. */
static void meet_plain_client(const struct bed *bed, const char *bytes, const char *words)
{
	struct agent agent = {.bed = bed, .tls = bed->server};
	int fd = bed_connect_plainly(bed);

	assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
	agent_serve(&agent);
	close(fd);
	assert_outcome(&agent.outcome, VACCEL_EREMOTEIO, words);
}

static void test_a_client_without_tls(void **state)
{
	const struct bed *bed = *state;

	meet_plain_client(bed, "VACC, and what else a frame has",
			  "its address must begin with tls://");
	meet_plain_client(bed, "GET / HTTP/1.1\r\n\r\n", "the client speaks HTTP");
}

static void *answer_plainly(void *context)
{
	const struct bed *bed = context;
	struct peer peer;
	char byte;
	int fd;

	assert_int_equal(socket_wait(bed->listener, POLLIN, time_now() + PATIENCE_NS), VACCEL_OK);
	assert_int_equal(address_accept(&bed->address, bed->listener, &peer, &fd), VACCEL_OK);
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	assert_int_equal(send(fd, "VACC, and more", 14, MSG_NOSIGNAL), 14);
	close(fd);
	return NULL;
}

static void test_an_agent_without_tls(void **state)
{
	struct bed *bed = *state;
	struct link *link = NULL;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, answer_plainly, bed), 0);
	assert_int_equal(link_connect(&bed->address, bed->tls, time_now() + PATIENCE_NS, &link),
			 VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "what answers there speaks no TLS"));
	assert_null(link);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_agent),
		cmocka_unit_test(test_a_client),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_a_client_without_certificate),
		cmocka_unit_test(test_an_older_tls),
		cmocka_unit_test(test_a_client_without_tls),
		cmocka_unit_test(test_an_agent_without_tls),
	};

	return cmocka_run_group_tests_name("refusals", tests, bed_make, bed_drop);
}
