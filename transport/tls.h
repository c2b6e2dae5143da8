/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tls:// needs to know: TLS 1.3, where both ends check each other by certificates. A client
 * checks the name that it connects to; an agent takes the name of its tenant from
 * the client's certificate. In a build without OpenSSL all of it fails and says so.
 */
#ifndef VACCEL_TRANSPORT_TLS_H
#define VACCEL_TRANSPORT_TLS_H

#include <stdbool.h>

#include "transport/transport.h"

/* A handshake that takes longer is given up. */
#define TLS_HANDSHAKE_NS (10 * SECOND)

/* Paths, any of which may be NULL, and what is in them: text in PEM form. */
struct tls_files {
	const char *cert;
	const char *key;
	const char *ca;

	/* For words: what set each. NULL: what it is will do. */
	const char *cert_setting;
	const char *key_setting;
	const char *ca_setting;
};

struct tls_pem {
	char *cert; /* one's own, then those between it and the CA; a client may have none */
	char *key;
	char *ca; /* who may sign the peer's. NULL: a client trusts the system's CAs; an agent asks
		     for no certificate */
};

/* A key that others can read or change is refused: EACCES, see text_file_read(). EINVAL, ENOENT. */
int tls_pem_read(const struct tls_files *files, struct tls_pem *ret_pem);
void tls_pem_release(struct tls_pem *pem);

/*
 * Has OpenSSL read its settings: before the files are out of reach. Else the first of those
 * below does it.
 */
void tls_prepare(void);

int tls_client_new(const struct tls_pem *pem, struct tls **ret_tls);

/* @names_tenant: a client whose certificate has no name fit for a tenant is refused. */
int tls_server_new(const struct tls_pem *pem, bool names_tenant, struct tls **ret_tls);

/* Whether one's own certificate has: peers will refuse it. */
bool tls_has_expired(const struct tls *tls);

/* Links that were made with it keep what they need. */
void tls_delete(struct tls *tls);

/*
 * Tells the peer of a link of carrier_tls that nothing more will be written. By who may send,
 * after the handshake.
 */
void tls_end_writing(struct link *link);

#endif
