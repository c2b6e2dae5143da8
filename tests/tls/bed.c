// SPDX-License-Identifier: Apache-2.0
#include "bed.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "transport/carrier.h"

#define PATIENCE_NS (5 * SECOND)

struct tls *server_of(const struct certificate *own, const struct certificate *ca)
{
	const struct tls_pem pem = {own->cert, own->key, ca ? ca->cert : NULL};
	struct tls *tls;

	assert_int_equal(tls_server_new(&pem, ca, &tls), VACCEL_OK);
	return tls;
}

struct tls *client_of(const struct certificate *own, const struct certificate *ca)
{
	const struct tls_pem pem = {
		.cert = own ? own->cert : NULL,
		.key = own ? own->key : NULL,
		.ca = ca ? ca->cert : NULL,
	};
	struct tls *tls;

	assert_int_equal(tls_client_new(&pem, &tls), VACCEL_OK);
	return tls;
}

int bed_make(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct address any;
	char text[64];

	assert_non_null(bed);
	certificate_make(&(struct certificate_order){.name = "test CA", .is_ca = true}, &bed->ca);
	certificate_make(&(struct certificate_order){.name = "agent",
						     .also = "DNS:localhost,IP:127.0.0.1",
						     .usage = "serverAuth",
						     .issuer = &bed->ca},
			 &bed->agent);
	certificate_make(&(struct certificate_order){.name = "alice",
						     .usage = "clientAuth",
						     .issuer = &bed->ca},
			 &bed->client);
	assert_int_equal(address_parse("tls://127.0.0.1:0", &any), VACCEL_OK);
	assert_int_equal(address_listen(&any, 0, &bed->listener), VACCEL_OK);
	assert_int_equal(listener_text(&any, bed->listener, text, sizeof(text)), VACCEL_OK);
	assert_int_equal(address_parse(text, &bed->address), VACCEL_OK);
	address_release(&any);
	bed->server = server_of(&bed->agent, &bed->ca);
	bed->tls = client_of(&bed->client, &bed->ca);
	*state = bed;
	return 0;
}

int bed_drop(void **state)
{
	struct bed *bed = *state;

	tls_delete(bed->server);
	tls_delete(bed->tls);
	address_unlisten(&bed->address, bed->listener);
	address_release(&bed->address);
	certificate_release(&bed->ca);
	certificate_release(&bed->agent);
	certificate_release(&bed->client);
	free(bed);
	return 0;
}

static void note(struct outcome *outcome, int ret)
{
	outcome->ret = ret;
	snprintf(outcome->words, sizeof(outcome->words), "%s", ret ? vaccel_error_text() : "");
}

/* Receives what @greeting says, if nothing is @sent before it. */
static int pass(struct link *link, enum frame_kind sent, enum frame_kind expected, int64_t until)
{
	struct frame frame = {.kind = sent, .request = 1};
	struct message message;
	int ret = VACCEL_OK;

	if (sent == FRAME_HELLO)
		ret = link_send(link, &frame, NULL, NULL, -1, until);
	if (!ret)
		ret = link_receive(link, until, &message);
	if (!ret && message.frame.kind != expected)
		ret = VACCEL_EINVAL;
	if (!ret && sent != FRAME_HELLO)
		ret = link_send(link, &frame, NULL, NULL, -1, until);
	return ret;
}

void *agent_serve(void *context)
{
	struct agent *agent = context;
	struct peer peer;
	struct link *link;
	int fd = -1;

	assert_int_equal(socket_wait(agent->bed->listener, POLLIN, time_now() + PATIENCE_NS), 0);
	assert_int_equal(address_accept(&agent->bed->address, agent->bed->listener, &peer, &fd), 0);
	assert_int_equal(link_adopt(agent->bed->address.carrier, fd, agent->tls, &link), VACCEL_OK);
	note(&agent->outcome,
	     pass(link, FRAME_WELCOME, FRAME_HELLO, agent->until ? agent->until : FOREVER));
	if (link_peer_name(link))
		snprintf(agent->outcome.name, sizeof(agent->outcome.name), "%s",
			 link_peer_name(link));
	link_delete(link);
	return NULL;
}

void bed_meet(const struct bed *bed, struct tls *client, struct tls *server,
	      struct meeting *ret_meeting)
{
	struct agent agent = {.bed = bed, .tls = server};
	int64_t until = time_now() + PATIENCE_NS;
	struct link *link = NULL;
	pthread_t thread;
	int ret;

	memset(ret_meeting, 0, sizeof(*ret_meeting));
	assert_int_equal(pthread_create(&thread, NULL, agent_serve, &agent), 0);
	ret = link_connect(&bed->address, client, until, &link);
	if (!ret)
		ret = pass(link, FRAME_HELLO, FRAME_WELCOME, until);
	note(&ret_meeting->client, ret);
	link_delete(link);
	pthread_join(thread, NULL);
	ret_meeting->agent = agent.outcome;
}

int bed_connect_plainly(const struct bed *bed)
{
	int fd;

	assert_int_equal(tcp_connect(&bed->address, time_now() + PATIENCE_NS, &fd), VACCEL_OK);
	return fd;
}
