/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing what peers and children have a hand in. Into a socket they can put
 * descriptors that nobody wants, and the last close of one may take long: of a socket
 * that lingers as long as its owner likes, of a large file without a name until its
 * space is free. The supervisor must not wait for either.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_ASIDE_CLOSER_H
#define VACCEL_AGENT_SUPERVISOR_ASIDE_CLOSER_H

/* Starts the thread that closes, once, after signals were blocked. Without it, they who ask do. */
int closer_start(void);

/* Takes the descriptor; soon it is closed. Nothing is done of -1. */
void close_elsewhere(int fd);

/* For _cleanup_ */
void close_elsewherep(const int *fd);

#endif
