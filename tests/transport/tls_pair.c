// SPDX-License-Identifier: Apache-2.0
/* Certificates of one's own making for both ends. */
#include "certificates.h"
#include "ends.h"
#include "transport/tls.h"

struct tls_pair tls_pair_make(void)
{
	struct certificate ca, agent, client;
	struct tls_pair pair;

	certificate_make(&(struct certificate_order){.name = "test CA", .is_ca = true}, &ca);
	certificate_make(&(struct certificate_order){.name = "agent",
						     .also = "IP:127.0.0.1",
						     .usage = "serverAuth",
						     .issuer = &ca},
			 &agent);
	certificate_make(
		&(struct certificate_order){.name = "alice", .usage = "clientAuth", .issuer = &ca},
		&client);
	assert_int_equal(
		tls_client_new(&(struct tls_pem){client.cert, client.key, ca.cert}, &pair.client),
		VACCEL_OK);
	assert_int_equal(tls_server_new(&(struct tls_pem){agent.cert, agent.key, ca.cert}, true,
					&pair.agent),
			 VACCEL_OK);
	certificate_release(&ca);
	certificate_release(&agent);
	certificate_release(&client);
	return pair;
}

void tls_pair_release(struct tls_pair *pair)
{
	tls_delete(pair->client);
	tls_delete(pair->agent);
}
