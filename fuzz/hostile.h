/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent whose answers are the bytes of an input: a message each time the client
 * waits for one. All is done in the client's thread, and by a clock of its own, so that
 * nothing waits and the same input does the same.
 *
 * Answers get the number of the request that came last. Two kinds of frame that no agent
 * sends stand for what is no message: with HELLO the connection ends, and with
 * CANCEL there is silence until the client gives up waiting. What has nothing to say
 * in its answer is answered without the input's doing, unless that goes on with it.
 */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include "codec/frame.h"
#include "messages.h"
#include "transport/carrier.h"

/* By which clients reach it. */
extern struct carrier hostile_carrier;

/* A new input; nothing is connected. */
void hostile_begin(const uint8_t *data, size_t size);

/* The message that is next; false: there is no more. */
bool hostile_next(struct frame *ret_frame);

/* How many have been taken. */
size_t hostile_taken(void);

/* All connections have been closed. */
bool hostile_is_alone(void);

#endif
