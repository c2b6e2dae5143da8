/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs that are messages one after the other, as on a connection: how targets
 * walk them, and how they are changed so that most of what comes out still has the
 * outline of a message, and reaches what lies behind the frame.
 */
#ifndef FUZZ_MESSAGES_H
#define FUZZ_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One message of an input; it may be cut short by the input's end. */
struct piece {
	const uint8_t *frame; /* 64 bytes */
	const uint8_t *head;
	size_t head_size;
	const uint8_t *payload;
	size_t payload_size;
};

/* The message at *@offset, which moves behind it; false if there are no 64 bytes left. */
bool piece_next(const uint8_t *data, size_t size, size_t *offset, struct piece *ret_piece);

/* A copy of its exact size, so that a read beyond it is seen; to be freed. */
void *exact_copy(const uint8_t *from, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer's, or driver.c's where there is none. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* How many messages a target has taken so far; told at its end. */
extern uint64_t messages_taken;

#endif
