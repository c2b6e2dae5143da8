/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a carrier is made of: one table each, and one line in carriers.c.
 * docs/writing-a-transport.md makes one. Functions that return a code say with
 * vaccel_fail() what is wrong.
 */
#ifndef VACCEL_TRANSPORT_CARRIER_H
#define VACCEL_TRANSPORT_CARRIER_H

#include <sys/socket.h>

#include "transport/transport.h"

struct carrier {
	const char *scheme;	/* of its addresses */
	const char *form;	/* "tcp://HOST:PORT", for words */
	unsigned int abilities; /* of enum link_ability */

	/* What follows "scheme:", for instance "//host:7"; sets members of @address. Any end. */
	int (*parse)(const char *rest, struct address *address);

	/* Client, a thread that makes a call: waits until @until at most. The descriptor is the
	 * caller's, blocks, and is closed on exec. */
	int (*connect)(const struct address *address, int64_t until, int *ret_fd);

	/* The agent's supervisor; these never wait. The caller owns what they return. */
	int (*listen)(const struct address *address, mode_t mode, int *ret_fd);
	int (*accept)(const struct address *address, int listener, struct peer *ret_peer,
		      int *ret_fd);

	/* NULL, or removes what listen() left in the file system. */
	void (*unlisten)(const struct address *address);

	/*
	 * The members below are NULL in carriers that are plain sockets.
	 *
	 * Once before all others; may set link->io. A client's end has @address, and may
	 * wait until @until; the agent's has NULL and must not wait.
	 */
	int (*start)(struct link *link, struct tls *tls, const struct address *address,
		     int64_t until);

	/* Instead of socket_read() and socket_write(), as which they are; see link.h. */
	ssize_t (*read)(struct link *link, const struct iovec *to, int nr, int64_t until,
			int *ret_passed);
	ssize_t (*write)(struct link *link, const struct iovec *from, int nr, int64_t until,
			 int passed);

	/* Whether read() may have something though the socket has not. */
	bool (*has_read_ahead)(const struct link *link);
	const char *(*peer_name)(const struct link *link);

	/* Before the descriptor is closed. Also after a start() that failed. */
	void (*end)(struct link *link);
};

extern const struct carrier carrier_unix, carrier_tcp, carrier_tls, carrier_vsock,
	carrier_vsock_uds;

/* The carrier of that name; NULL if there is none. */
const struct carrier *carrier_by_scheme(const char *scheme);

/* For parse(): a port number; HOST:PORT or [HOST]:PORT. EINVAL in words, with the carrier's form.
 */
int parse_port(const char *text, struct address *address);
int parse_host_and_port(const char *rest, struct address *address);

/* For carriers over TCP. */
int tcp_connect(const struct address *address, int64_t until, int *ret_fd);
int tcp_listen(const struct address *address, mode_t mode, int *ret_fd);
int tcp_accept(const struct address *address, int listener, struct peer *ret_peer, int *ret_fd);

/* For carriers over socket files. */
int unix_connect_to(const char *path, int64_t until, int *ret_fd);
int unix_listen_at(const char *path, mode_t mode, int *ret_fd);

/* Any socket: the next connection, closed on exec, and its kind of peer not yet asked. */
int socket_accept(int listener, struct sockaddr_storage *ret_from, int *ret_fd);

#endif
