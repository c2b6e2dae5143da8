/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine can do at best between two processes: another process, a child
 * of this one, that answers by nothing but system calls, or by looking at shared
 * memory. It ends with this process.
 */
#ifndef BENCH_RPC_PARTNER_H
#define BENCH_RPC_PARTNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct partner {
	pid_t pid;
	char path[108];	     /* of its unix socket */
	unsigned short port; /* of its TCP socket, on 127.0.0.1 */
};

/* Before this process has threads. @directory: for the socket. */
int partner_start(struct partner *partner, const char *directory);
void partner_stop(struct partner *partner);

enum partner_service {
	PARTNER_ECHO = 'e', /* answers each byte with a byte */
	PARTNER_SINK = 's', /* reads as many bytes as a u64 before them says, and answers a byte */
	PARTNER_SPIN = 'm'  /* answers in a memfd that was passed along */
};

/* A connection to a service, by TCP or by the unix socket; -1 after vaccel_fail(). */
int partner_connect(const struct partner *partner, bool tcp, enum partner_service service);

/* One byte there and back; 0 or a VACCEL_E* code. */
int partner_ping(int connection);

/* @size bytes there, and a byte back. */
int partner_send(int connection, const void *bytes, size_t size);

/*
 * Two words in memory of their own that both ends look at: @times there and back.
 * In between the other end sleeps, so that it is not in the way of others.
 */
struct partner_spin;
int partner_spin_start(const struct partner *partner, struct partner_spin **ret_spin);
int partner_spin_ping(struct partner_spin *spin, size_t times);
void partner_spin_stop(struct partner_spin *spin);

#endif
