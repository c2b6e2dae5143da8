/* SPDX-License-Identifier: Apache-2.0 */
/* What a carrier is made of: one table each, and one line in carriers.c. */
#ifndef VACCEL_TRANSPORT_CARRIER_H
#define VACCEL_TRANSPORT_CARRIER_H

#include "transport/transport.h"

struct carrier {
	const char *scheme;	/* of its addresses */
	const char *form;	/* "tcp://HOST:PORT", for words */
	unsigned int abilities; /* of enum link_ability */

	/* What follows "scheme://". EINVAL in words. Any end. */
	int (*parse)(const char *rest, struct address *address);

	/* Client, a thread that makes a call; blocks until @until at most. */
	int (*connect)(const struct address *address, int64_t until, int *ret_fd);

	/* The agent's supervisor; must not block. The caller owns what they return. */
	int (*listen)(const struct address *address, mode_t mode, int *ret_fd);
	int (*accept)(const struct address *address, int listener, struct peer *ret_peer,
		      int *ret_fd);

	/*
	 * Bytes and descriptors of a link, either end. They read or write what is
	 * possible now, -1 and errno EAGAIN if nothing is, and never block. NULL in
	 * carriers that are plain sockets. @start runs once, before all others, and may
	 * set link->io; @end before the descriptor is closed.
	 */
	int (*start)(struct link *link, struct tls *tls, bool is_client,
		     const struct address *address);
	ssize_t (*read)(struct link *link, const struct iovec *to, int nr, int *ret_passed);
	ssize_t (*write)(struct link *link, const struct iovec *from, int nr, int passed);
	void (*end)(struct link *link);
};

extern const struct carrier carrier_unix, carrier_tcp, carrier_tls, carrier_vsock,
	carrier_vsock_uds;

#endif
