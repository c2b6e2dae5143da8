/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of TLS share; only they know OpenSSL. */
#ifndef VACCEL_TRANSPORT_TLS_SSL_H
#define VACCEL_TRANSPORT_TLS_SSL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <openssl/ssl.h>

/* With its NUL. */
#define TLS_NAME_MAX 64

struct tls {
	_Atomic unsigned int refs; /* its maker's, and one of each link */
	SSL_CTX *ctx;
	BIO_METHOD *socket; /* how OpenSSL reads and writes; of tls_socket_new() */
	bool is_client;
};

BIO_METHOD *tls_socket_new(void);

/* The words for what OpenSSL has just failed with; EACCES or EREMOTEIO. Empties its queue. */
int tls_fail(SSL *ssl, bool is_client);

/*
 * The name of a tenant in a certificate: the subject's common name or, where it
 * has none, its first DNS name. False if there is none that is fit for a tenant.
 */
bool tls_certificate_name(const X509 *certificate, char ret_name[TLS_NAME_MAX]);

#endif
