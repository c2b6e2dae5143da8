/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing what peers and children have a hand in. Into a socket they can put
 * descriptors that nobody wants, and the last close of one may take long: of a socket
 * that lingers as long as its owner likes, of a large file without a name until its
 * space is free, of a file of FUSE until its owner says so. The supervisor must not
 * wait for any of them.
 */
#ifndef VACCEL_AGENT_BASE_CLOSER_H
#define VACCEL_AGENT_BASE_CLOSER_H

#define CLOSERS	      8 /* of what was passed */
#define LOCAL_CLOSERS 4 /* of own sockets of AF_UNIX */

/* Starts the threads that close, once, after signals were blocked. Without, they who ask do. */
int closer_start(void);

/*
 * Takes the descriptor; soon it is closed. Never waits: when that many closes take no end
 * it stays open. Nothing is done of -1.
 */
void close_elsewhere(int fd);

/*
 * As close_elsewhere(), for what this process has accepted or made itself: not held up by what
 * was passed to it. A socket of AF_UNIX can be made to stick only by descriptors
 * in it that nobody has taken; others not at all, and they have a thread of their own.
 */
void close_own_elsewhere(int fd);

/* For _cleanup_ */
void close_elsewherep(const int *fd);

#endif
