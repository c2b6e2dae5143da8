/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.3 over a connected socket, for the carrier and for the agent's front. Both
 * ends check each other by certificates: a client checks the name that it connected
 * to, an agent takes its tenant's name from the client's certificate. Without
 * OpenSSL all that makes a struct tls fails and says so.
 */
#ifndef VACCEL_TRANSPORT_TLS_H
#define VACCEL_TRANSPORT_TLS_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "transport/transport.h"

/* A handshake that takes longer is given up. */
#define TLS_HANDSHAKE_NS INT64_C(10000000000)

/* Paths, any of which may be NULL, and what is in them: text in PEM form. */
struct tls_files {
	const char *cert;
	const char *key;
	const char *ca;
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

int tls_client_new(const struct tls_pem *pem, struct tls **ret_tls);

/* @names_tenant: a client whose certificate has no name fit for a tenant is refused. */
int tls_server_new(const struct tls_pem *pem, bool names_tenant, struct tls **ret_tls);

/* Links that were made with it live on. */
void tls_delete(struct tls *tls);

/* One connection. Any thread may use it at any time. */
struct tls_io;

/*
 * TLS over the socket @fd, which stays the caller's and is never waited for. @host: a
 * client's, whose name or address the agent's certificate must bear.
 */
int tls_io_new(const struct tls *tls, int fd, const char *host, struct tls_io **ret_io);
void tls_io_delete(struct tls_io *io);

/*
 * Goes on with the handshake. VACCEL_OK: it is done. VACCEL_EAGAIN: not yet; poll the
 * socket for tls_io_wants(). VACCEL_EACCES: one end refuses the other's certificate.
 * VACCEL_EREMOTEIO: closed, or no TLS 1.3.
 */
int tls_io_handshake(struct tls_io *io);
short tls_io_wants(const struct tls_io *io);

/*
 * As readv() and writev() of a socket that does not block; before they do either they do the
 * handshake. -1 with errno EACCES or EPROTO: what tls_io_handshake() would have
 * returned, EACCES or EREMOTEIO, and vaccel_fail() has said why. The connection is
 * of no more use then. What tls_io_write() has not taken must come again in the next one.
 */
ssize_t tls_io_read(struct tls_io *io, const struct iovec *to, int nr);
ssize_t tls_io_write(struct tls_io *io, const struct iovec *from, int nr);

/* Whether tls_io_read() may have something though the socket has not. */
bool tls_io_has_read_ahead(struct tls_io *io);

/* Tells the peer that nothing more will be written. */
void tls_io_end_writing(struct tls_io *io);

/* The tenant's name in the peer's certificate; NULL if there is none. After the handshake. */
const char *tls_io_peer_name(const struct tls_io *io);

#endif
