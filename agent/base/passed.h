/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that come with a message. Those that find no room are closed by the kernel before
 * recvmsg() returns, however long that takes; so there is room for all that can come, and what
 * nobody wants is closed elsewhere.
 */
#ifndef VACCEL_AGENT_BASE_PASSED_H
#define VACCEL_AGENT_BASE_PASSED_H

#include <sys/uio.h>

#define PASSED_SENT_MAX 8   /* with one message of ours */
#define PASSED_MAX	253 /* with one message: Linux's SCM_MAX_FD */

struct passed {
	unsigned int nr;
	int fds[PASSED_MAX]; /* closed on exec */
	int flags;	     /* of the message: MSG_TRUNC, MSG_CTRUNC */
};

/*
 * As sendmsg(), with @nr_fds descriptors; an interrupted one is begun again. One piece without any
 * is sent by send(), as workers may use no more.
 */
ssize_t passed_send(int socket, struct iovec *from, size_t nr, int flags, const int *fds,
		    size_t nr_fds);

/* As recvmsg(); an interrupted one is begun again. What came is the caller's to release. */
ssize_t passed_receive(int socket, struct iovec *to, int flags, struct passed *ret_passed);

/* The first of them, which is the caller's, or -1. */
int passed_take(struct passed *passed);

/* Closes those that are left, without waiting for it; for _cleanup_ */
void passed_release(struct passed *passed);

#endif
