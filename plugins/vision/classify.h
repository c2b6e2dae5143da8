/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a classifier's output means.
 */
#ifndef VISION_CLASSIFY_H
#define VISION_CLASSIFY_H

#include <stddef.h>

/** struct rank - a class and how probable it is */
struct rank {
	size_t index;
	float probability;
};

/** softmax() - turn scores into probabilities that sum to 1, in place */
void softmax(float *scores, size_t count);

/**
 * rank_classes() - find the most probable classes
 * @probabilities: one per class
 * @count: how many
 * @ret_top: takes the best, best first; of equals the lower index comes first,
 *           and numbers that are none (NaN) come last
 * @room: how many of them are wanted
 *
 * Return: how many there are: @room, or @count if that is less.
 */
size_t rank_classes(const float *probabilities, size_t count, struct rank *ret_top, size_t room);

/**
 * rank_text() - a class in words, "99.812% seven"
 * @text: takes as much as fits, and a NUL; may be NULL if @size is 0
 * @size: its bytes
 * @probability: 0 to 1
 * @label: the whole label
 *
 * Return: bytes of the whole text, without the NUL, as snprintf() does.
 */
size_t rank_text(char *text, size_t size, float probability, const char *label);

#endif
