/* SPDX-License-Identifier: Apache-2.0 */
/* Working memory for pictures, kept from call to call. */
#ifndef VISION_SCRATCH_H
#define VISION_SCRATCH_H

#include "vision/network.h"
#include "vision/preprocess.h"

/** What the rooms are for: the model's input, a task's numbers and findings, the outputs' floats.
 */
enum {
	ROOM_INPUT,
	ROOM_WORK,
	ROOM_FOUND,
	ROOM_OUTPUT,
	NR_ROOMS = ROOM_OUTPUT + NETWORK_OUTPUTS_MAX
};

/**
 * struct scratch - what one call works with
 * @pictures: decoding and resizing
 * @rooms: memory by what it is for, with its size in bytes
 */
struct scratch {
	struct preprocess_scratch pictures;
	struct {
		void *data;
		size_t size;
	} rooms[NR_ROOMS];
};

/**
 * bytes_of() - @nr times @each and @more bytes
 *
 * What comes out of a model has no bound but memory, and what is told of it is larger. More than
 * can be counted is SIZE_MAX, for which there never is memory.
 */
static inline size_t bytes_of(size_t nr, size_t each, size_t more)
{
	size_t bytes;

	return __builtin_mul_overflow(nr, each, &bytes) ||
			       __builtin_add_overflow(bytes, more, &bytes)
		       ? SIZE_MAX
		       : bytes;
}

/** scratch_take() - working memory for this call alone; NULL after vaccel_fail() */
struct scratch *scratch_take(void);

/** scratch_give() - keep it for a later call, if it is of a common size. NULL is fine. */
void scratch_give(struct scratch *scratch);

/** scratch_room() - @size bytes of a room, for any type; NULL after vaccel_fail() */
void *scratch_room(struct scratch *scratch, unsigned int room, size_t size);

/** scratch_drop_all() - free what is kept. No call may be running. */
void scratch_drop_all(void);

#endif
