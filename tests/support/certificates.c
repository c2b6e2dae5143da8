// SPDX-License-Identifier: Apache-2.0
#include "certificates.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY 86400L

static void need(bool right)
{
	if (!right)
		abort();
}

static void add_name(X509_NAME *subject, const char *name)
{
	if (name)
		need(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
						(const unsigned char *)name, -1, -1, 0));
}

static void add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension;

	if (!value)
		return;
	extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	need(extension && X509_add_ext(x509, extension, -1));
	X509_EXTENSION_free(extension);
}

static char *text_of(BIO *bio)
{
	char *bytes, *text;
	long size = BIO_get_mem_data(bio, &bytes);

	text = strndup(bytes, (size_t)size);
	need(text);
	BIO_free(bio);
	return text;
}

static void write_pem(struct certificate *certificate)
{
	BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());

	need(PEM_write_bio_X509(cert, certificate->x509));
	need(PEM_write_bio_PrivateKey(key, certificate->pkey, NULL, NULL, 0, NULL, NULL));
	certificate->cert = text_of(cert);
	certificate->key = text_of(key);
}

void certificate_make(const struct certificate_order *order, struct certificate *ret_certificate)
{
	static long serial;
	const struct certificate *issuer = order->issuer;
	X509 *x509 = X509_new();
	EVP_PKEY *pkey = EVP_EC_gen("P-256");

	need(x509 && pkey);
	need(X509_set_version(x509, 2));
	need(ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial));
	need(X509_gmtime_adj(X509_getm_notBefore(x509), order->comes_later ? DAY : -2 * DAY));
	need(X509_gmtime_adj(X509_getm_notAfter(x509), order->has_expired ? -DAY : 2 * DAY));
	add_name(X509_get_subject_name(x509), order->name);
	add_name(X509_get_subject_name(x509), order->second);
	need(X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509 : x509)));
	need(X509_set_pubkey(x509, pkey));
	add_extension(x509, NID_basic_constraints, order->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(x509, NID_subject_alt_name, order->also);
	add_extension(x509, NID_ext_key_usage, order->usage);
	need(X509_sign(x509, issuer ? issuer->pkey : pkey, EVP_sha256()));
	*ret_certificate = (struct certificate){.x509 = x509, .pkey = pkey};
	write_pem(ret_certificate);
}

void certificate_release(struct certificate *certificate)
{
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->pkey);
	free(certificate->cert);
	free(certificate->key);
	memset(certificate, 0, sizeof(*certificate));
}
