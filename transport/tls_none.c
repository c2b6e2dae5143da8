// SPDX-License-Identifier: Apache-2.0
/* What tls:// is in a build without OpenSSL: an address that says what is missing. */
#include <string.h>

#include <vaccel/error.h>

#include "transport/carrier.h"
#include "transport/tls.h"

static int fail(void)
{
	return vaccel_fail(VACCEL_ENOTSUP, "this build has no TLS, since OpenSSL 3 was missing; "
					   "install libssl-dev and build again, or use tcp://");
}

int tls_pem_read(const struct tls_files *files, struct tls_pem *ret_pem)
{
	return fail();
}

void tls_pem_release(struct tls_pem *pem)
{
}

void tls_prepare(void)
{
}

int tls_client_new(const struct tls_pem *pem, struct tls **ret_tls)
{
	return fail();
}

int tls_server_new(const struct tls_pem *pem, bool names_tenant, struct tls **ret_tls)
{
	return fail();
}

bool tls_has_expired(const struct tls *tls)
{
	return false;
}

void tls_delete(struct tls *tls)
{
}

void tls_end_writing(struct link *link)
{
}

static int parse(const char *rest, struct address *address)
{
	return fail();
}

const struct carrier carrier_tls = {
	.scheme = "tls",
	.form = "tls://HOST:PORT",
	.parse = parse,
};
