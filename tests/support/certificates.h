/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, made when they are needed. A failure ends the test. */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

#include <stdbool.h>

#include <openssl/x509.h>

struct certificate {
	X509 *x509;
	EVP_PKEY *pkey;
	char *cert, *key; /* PEM */
};

/* What is in one; all of it may be left out. */
struct certificate_order {
	const char *name;   /* the subject's common name */
	const char *second; /* another one */
	const char *also;   /* as in "DNS:localhost,IP:127.0.0.1" */
	const char *usage;  /* "serverAuth" or "clientAuth" */
	bool is_ca;
	bool has_expired, comes_later;
	const struct certificate *issuer; /* none: itself */
};

void certificate_make(const struct certificate_order *order, struct certificate *ret_certificate);
void certificate_release(struct certificate *certificate);

#endif
