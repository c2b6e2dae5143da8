// SPDX-License-Identifier: Apache-2.0
/*
 * Who a certificate says its owner is. The name becomes a tenant's: it stands in
 * logs and in the path of a directory, and must not be another tenant's. So it is of
 * few characters, the only one, and never like that of a user on a unix socket, "uid-1000".
 */
#include <ctype.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/util.h"
#include "transport/tls_ssl.h"

static const char uid_prefix[] = "uid-";

static bool is_fit(const unsigned char *name, size_t length)
{
	if (!length || length >= TLS_NAME_MAX || !isalnum(name[0]))
		return false;
	if (length >= strlen(uid_prefix) &&
	    !strncmp((const char *)name, uid_prefix, strlen(uid_prefix)))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isascii(name[i]) || !name[i] || (!isalnum(name[i]) && !strchr("._-", name[i])))
			return false;
	return true;
}

static bool take_name(const ASN1_STRING *text, char ret_name[TLS_NAME_MAX])
{
	size_t length = (size_t)ASN1_STRING_length(text);
	const unsigned char *name = ASN1_STRING_get0_data(text);

	if (!is_fit(name, length))
		return false;
	memcpy(ret_name, name, length);
	ret_name[length] = '\0';
	return true;
}

static void freenames(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

static bool take_dns_name(const X509 *certificate, char ret_name[TLS_NAME_MAX])
{
	_cleanup_(freenames) GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			return take_name(name->d.dNSName, ret_name);
	}
	return false;
}

bool tls_certificate_name(const X509 *certificate, char ret_name[TLS_NAME_MAX])
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (first < 0)
		return take_dns_name(certificate, ret_name);
	if (X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0)
		return false;
	return take_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)), ret_name);
}
