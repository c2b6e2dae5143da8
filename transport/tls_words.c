// SPDX-License-Identifier: Apache-2.0
/*
 * OpenSSL's errors in words of what to do. It keeps a queue of them per thread, of
 * which the last one is TLS' own; what is in none of these tables is told in OpenSSL's words.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/tls_ssl.h"

/* What either end has found, or what the other has told by an alert. */
static const struct {
	int reason;
	int code;
	const char *client;
	const char *agent;
} reasons[] = {
	{SSL_R_WRONG_VERSION_NUMBER, VACCEL_EREMOTEIO,
	 "what answers there speaks no TLS; an agent's plain listener has an address with tcp://",
	 "the client speaks no TLS; its address must begin with tls://"},
	{SSL_R_HTTP_REQUEST, VACCEL_EREMOTEIO, NULL,
	 "the client speaks HTTP, which is not served here"},
	{SSL_R_UNSUPPORTED_PROTOCOL, VACCEL_EREMOTEIO, "the agent speaks no TLS 1.3",
	 "the client speaks no TLS 1.3"},
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, VACCEL_EREMOTEIO, "the agent speaks no TLS 1.3",
	 "the client speaks no TLS 1.3"},
	{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, VACCEL_EACCES, NULL,
	 "the client has shown no certificate; it must set VACCEL_TLS_CERT and VACCEL_TLS_KEY"},
	{SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, VACCEL_EACCES,
	 "the agent asks for a certificate; set VACCEL_TLS_CERT and VACCEL_TLS_KEY", NULL},
	{SSL_R_TLSV1_ALERT_UNKNOWN_CA, VACCEL_EACCES,
	 "the agent does not know the CA of the certificate in VACCEL_TLS_CERT; that, with those "
	 "between, is for the listener's client_ca",
	 "the client does not know the CA of the agent's certificate; that is for its VACCEL_TLS_CA"},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, VACCEL_EACCES,
	 "the certificate in VACCEL_TLS_CERT has expired; have it renewed",
	 "the agent's certificate has expired; have it renewed"},
	{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, VACCEL_EACCES,
	 "the agent refuses the certificate in VACCEL_TLS_CERT; its name must be fit for a tenant, "
	 "and the agent's log says more",
	 "the client refuses the agent's certificate; it must have the name that the client "
	 "connects to"},
	{SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, VACCEL_EACCES,
	 "the certificate in VACCEL_TLS_CERT is not made for clients",
	 "the agent's certificate is not made for servers"},
};

/* What is wrong with the other end's certificate. */
static const struct {
	int error;
	const char *client;
	const char *agent;
} refusals[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, "have it renewed, or set this machine's clock",
	 "have it renewed, or set this machine's clock"},
	{X509_V_ERR_CERT_NOT_YET_VALID, "set this machine's clock", "set this machine's clock"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "use a name in the address that the certificate has", NULL},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "use an address or a name that the certificate has", NULL},
	{X509_V_ERR_INVALID_PURPOSE, "it is not made for servers", "it is not made for clients"},
	{X509_V_ERR_CERT_REJECTED, NULL,
	 "its name is not fit for a tenant: letters, digits, '.', "
	 "'_' and '-', and not like a user's on a unix listener"},
};

#define WHOSE_CA_CLIENT "VACCEL_TLS_CA must hold the CA that signed it"
#define WHOSE_CA_AGENT	"the listener's client_ca must be the CA that signed it"

static int fail_verification(long error, bool is_client)
{
	const char *advice = is_client ? WHOSE_CA_CLIENT : WHOSE_CA_AGENT;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].error == error)
			advice = is_client ? refusals[i].client : refusals[i].agent;
	return vaccel_fail(VACCEL_EACCES, "the %s certificate is refused: %s; %s",
			   is_client ? "agent's" : "client's", X509_verify_cert_error_string(error),
			   advice ? advice : "have it made anew");
}

static int fail_reason(int reason, bool is_client)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		const char *words = is_client ? reasons[i].client : reasons[i].agent;

		if (reasons[i].reason == reason && words)
			return vaccel_fail(reasons[i].code, "TLS: %s", words);
	}
	return VACCEL_OK;
}

int tls_fail(SSL *ssl, bool is_client)
{
	unsigned long error = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(error);
	int ret;

	ERR_clear_error();
	if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
		if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
			return fail_verification(SSL_get_verify_result(ssl), is_client);
		ret = fail_reason(ERR_GET_REASON(error), is_client);
		if (ret)
			return ret;
	}
	return vaccel_fail(VACCEL_EREMOTEIO, "TLS: %s", text ? text : "failed");
}
