/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a connection of any carrier, in one process. */
#ifndef TESTS_TRANSPORT_ENDS_H
#define TESTS_TRANSPORT_ENDS_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "transport/link.h"

/* No test waits longer for what must come. */
#define PATIENCE_NS (20 * SECOND)

struct tls_pair {
	struct tls *client, *agent;
};

/* A listening agent of a carrier. */
struct bed {
	char *directory;
	struct address address; /* where clients connect */
	int listener;
	struct tls_pair tls;
	struct monitor *monitor; /* vsock-uds: that of a virtual machine */
	struct machine *machine; /* blk: one with a drive */
};

struct bed *bed_new(const char *scheme);
void bed_delete(struct bed *bed);

struct ends {
	struct link *client, *agent;
};

/* A connection on which nothing is under way. */
struct ends ends_open(const struct bed *bed);
void ends_close(struct ends *ends);

/* Two ends of a unix socket: an agent's link, and what a client of any kind writes to. */
struct link *agent_of_pair(int *ret_peer);

/* For carriers with TLS: what both ends need. Empty ones in a build without it. */
struct tls_pair tls_pair_make(void);
void tls_pair_release(struct tls_pair *pair);

/*
 * Stands in for a virtual machine's monitor with a vsock-uds: listens on the
 * socket file @path; who asks for a port there is connected to @path_port, as if the machine
 * connected its two ends, and bytes travel in small parts.
 */
struct monitor *monitor_new(const char *path);
void monitor_delete(struct monitor *monitor);

/* Content that shows if a byte is at another place. */
void pattern_fill(void *bytes, size_t size, unsigned int seed);
void assert_pattern(const void *bytes, size_t size, unsigned int seed);

/* @size bytes as pieces of uneven sizes, up to @count. */
void pieces_of(struct pieces *pieces, void *bytes, size_t size, size_t count);

#endif
