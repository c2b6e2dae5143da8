/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a TLS connection, with certificates that a test chooses. */
#ifndef TESTS_TLS_BED_H
#define TESTS_TLS_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "certificates.h"
#include "transport/tls.h"
#include "transport/transport.h"

/* A listening agent. */
struct bed {
	struct certificate ca, agent, client;
	struct address address; /* with the port */
	int listener;
	struct tls *server; /* asks for a certificate that names a tenant */
	struct tls *tls;    /* the client's */
};

int bed_make(void **state);
int bed_drop(void **state);

/* Of these certificates, any of which may be NULL. */
struct tls *server_of(const struct certificate *own, const struct certificate *ca);
struct tls *client_of(const struct certificate *own, const struct certificate *ca);

/* How it went at one end: 0 once a message has gone there and back. */
struct outcome {
	int ret;
	char words[512];
	char name[64]; /* that the agent has read in the client's certificate */
};

/* A client says HELLO to an agent that answers it. */
struct meeting {
	struct outcome client, agent;
};
void bed_meet(const struct bed *bed, struct tls *client, struct tls *server,
	      struct meeting *ret_meeting);

/* The agent's part alone, in the way of a thread; its context is a struct agent. */
struct agent {
	const struct bed *bed;
	struct tls *tls;
	int64_t until;
	struct outcome outcome;
};
void *agent_serve(void *agent);

/* A connection to the agent's port, without TLS. */
int bed_connect_plainly(const struct bed *bed);

#endif
