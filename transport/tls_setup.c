// SPDX-License-Identifier: Apache-2.0
/*
 * Makes what all TLS connections of a kind share, from certificates and keys. Neither
 * end resumes sessions: a handshake costs a client once per connection of its
 * small pool, and without tickets an agent remembers nothing of who was there.
 */
#include <pthread.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/util.h"
#include "transport/secret.h"
#include "transport/tls.h"
#include "transport/tls_ssl.h"

/* All are thought safe; the first is the fastest where the processor has AES. */
static const char ciphers[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/*
 * What an agent agrees on keys with. Of OpenSSL's other ones some cost the agent a tenth of a
 * second, for a first message that costs nothing. The first is unknown to older ones.
 */
static const char groups[] = "X25519MLKEM768:X25519:P-256:P-384";
static const char old_groups[] = "X25519:P-256:P-384";

/* Bytes of a peer's certificates: each connection holds them, and what they say, to its end. */
#define CERTIFICATES_MAX 32768

static void init_openssl(void)
{
	/* Not torn down at exit, when other threads of the program may still be in a call. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
}

void tls_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init_openssl);
}

static int read_pem(const char *setting, const char *what, const char *path, bool secret,
		    char **ret_text)
{
	return path ? text_file_read(setting ? setting : what, path, secret, ret_text) : VACCEL_OK;
}

int tls_pem_read(const struct tls_files *files, struct tls_pem *ret_pem)
{
	_cleanup_(tls_pem_release) struct tls_pem pem = {0};
	int ret = read_pem(files->cert_setting, "certificate", files->cert, false, &pem.cert);

	if (!ret)
		ret = read_pem(files->key_setting, "private key", files->key, true, &pem.key);
	if (!ret)
		ret = read_pem(files->ca_setting, "CA", files->ca, false, &pem.ca);
	if (ret)
		return ret;
	*ret_pem = pem;
	memset(&pem, 0, sizeof(pem));
	return VACCEL_OK;
}

void tls_pem_release(struct tls_pem *pem)
{
	free(TAKE(pem->cert));
	secret_free(TAKE(pem->key));
	free(TAKE(pem->ca));
}

static void bio_freep(BIO **bio)
{
	BIO_free(*bio);
}

static void x509_freep(X509 **certificate)
{
	X509_free(*certificate);
}

static void pkey_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static int fail_with_openssl(const char *what)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return vaccel_fail(VACCEL_EINVAL, "TLS: %s: %s", what, text ? text : "failed");
}

/* Asking on the terminal is what OpenSSL would do. */
static int no_passphrase(char *passphrase, int size, int writing, void *context)
{
	return -1;
}

/* Calls @take for each certificate in the text; it is true if it has taken one. */
static int each_certificate(const char *pem, const char *what,
			    bool (*take)(SSL_CTX *ctx, X509 *certificate, bool first), SSL_CTX *ctx)
{
	_cleanup_(bio_freep) BIO *text = BIO_new_mem_buf(pem, -1);
	bool first = true;

	for (;; first = false) {
		_cleanup_(x509_freep) X509 *certificate =
			text ? PEM_read_bio_X509(text, NULL, no_passphrase, NULL) : NULL;

		if (!certificate)
			break;
		if (!take(ctx, certificate, first))
			return fail_with_openssl(what);
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return fail_with_openssl(what);
	ERR_clear_error();
	return first ? vaccel_fail(VACCEL_EINVAL,
				   "TLS: %s: there is no certificate in the file; PEM begins with "
				   "-----BEGIN CERTIFICATE-----",
				   what)
		     : VACCEL_OK;
}

static bool take_own(SSL_CTX *ctx, X509 *certificate, bool first)
{
	return first ? SSL_CTX_use_certificate(ctx, certificate)
		     : SSL_CTX_add1_chain_cert(ctx, certificate);
}

static bool take_ca(SSL_CTX *ctx, X509 *certificate, bool first)
{
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate);
}

static int take_key(SSL_CTX *ctx, const char *pem)
{
	_cleanup_(bio_freep) BIO *text = BIO_new_mem_buf(pem, -1);
	_cleanup_(pkey_freep) EVP_PKEY *key =
		text ? PEM_read_bio_PrivateKey(text, NULL, no_passphrase, NULL) : NULL;

	if (!key)
		return fail_with_openssl("the private key (which must have no passphrase)");
	if (!SSL_CTX_use_PrivateKey(ctx, key) || !SSL_CTX_check_private_key(ctx))
		return fail_with_openssl("the private key is not the certificate's");
	return VACCEL_OK;
}

static int take_identity(SSL_CTX *ctx, const struct tls_pem *pem)
{
	int ret;

	if (!pem->cert != !pem->key)
		return vaccel_fail(VACCEL_EINVAL, "TLS: there is a %s; both must be given",
				   pem->cert ? "certificate without its private key"
					     : "private key without its certificate");
	if (!pem->cert)
		return VACCEL_OK;
	ret = each_certificate(pem->cert, "the certificate", take_own, ctx);
	return ret ? ret : take_key(ctx, pem->key);
}

static bool limit_groups(SSL_CTX *ctx)
{
	return SSL_CTX_set1_groups_list(ctx, groups) || SSL_CTX_set1_groups_list(ctx, old_groups);
}

static struct tls *make_tls(const SSL_METHOD *method, bool is_client)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	tls_prepare();
	if (!tls)
		return NULL;
	tls->refs = 1;
	tls->is_client = is_client;
	tls->socket = tls_socket_new();
	tls->ctx = SSL_CTX_new(method);
	if (tls->socket && tls->ctx && SSL_CTX_set_min_proto_version(tls->ctx, TLS1_3_VERSION) &&
	    SSL_CTX_set_ciphersuites(tls->ctx, ciphers) && SSL_CTX_set_num_tickets(tls->ctx, 0) &&
	    (is_client || limit_groups(tls->ctx)))
		return tls;
	tls_delete(tls);
	return NULL;
}

static int new_tls(const struct tls_pem *pem, bool is_client, struct tls **ret_tls)
{
	struct tls *tls =
		make_tls(is_client ? TLS_client_method() : TLS_server_method(), is_client);
	int ret;

	if (!tls)
		return fail_with_openssl("no memory, or OpenSSL cannot do TLS 1.3");
	/* A connection that is cut off is told from one that ends by the messages in it. */
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(tls->ctx, CERTIFICATES_MAX);
	SSL_CTX_set_mode(tls->ctx,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* 32 KiB of buffers: few connections are a client's, but an agent has thousands at rest. */
	if (!is_client)
		SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS);
	ret = take_identity(tls->ctx, pem);
	if (!ret && pem->ca)
		ret = each_certificate(pem->ca, "the CA", take_ca, tls->ctx);
	if (ret) {
		tls_delete(tls);
		return ret;
	}
	*ret_tls = tls;
	return VACCEL_OK;
}

bool tls_has_expired(const struct tls *tls)
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls->ctx);

	return certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
}

int tls_client_new(const struct tls_pem *pem, struct tls **ret_tls)
{
	struct tls *tls = NULL;
	int ret = new_tls(pem, true, &tls);

	if (ret)
		return ret;
	if (!pem->ca && !SSL_CTX_set_default_verify_paths(tls->ctx)) {
		tls_delete(tls);
		return fail_with_openssl("the system's CAs");
	}
	if (tls_has_expired(tls))
		vaccel_warn("TLS: our own certificate has expired; peers will refuse it");
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	*ret_tls = tls;
	return VACCEL_OK;
}

/* In the course of the handshake, so that the client is told. */
static int check_name(int valid, X509_STORE_CTX *store)
{
	char name[TLS_NAME_MAX];

	if (!valid || X509_STORE_CTX_get_error_depth(store) ||
	    tls_certificate_name(X509_STORE_CTX_get_current_cert(store), name))
		return valid;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

int tls_server_new(const struct tls_pem *pem, bool names_tenant, struct tls **ret_tls)
{
	struct tls *tls = NULL;
	int ret = VACCEL_OK;

	if (!pem->cert)
		ret = vaccel_fail(VACCEL_EINVAL, "TLS: a listener needs a certificate and its key");
	else if (names_tenant && !pem->ca)
		ret = vaccel_fail(VACCEL_EINVAL, "TLS: without a client_ca, clients show no "
						 "certificate that could name their tenant");
	if (!ret)
		ret = new_tls(pem, false, &tls);
	if (ret)
		return ret;
	if (pem->ca)
		SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   names_tenant ? check_name : NULL);
	*ret_tls = tls;
	return VACCEL_OK;
}

void tls_delete(struct tls *tls)
{
	if (!tls || --tls->refs)
		return;
	SSL_CTX_free(tls->ctx);
	BIO_meth_free(tls->socket);
	free(tls);
}
