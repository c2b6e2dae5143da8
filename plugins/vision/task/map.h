/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs that have numbers for each pixel, whatever the order of their dimensions. */
#ifndef VISION_TASK_MAP_H
#define VISION_TASK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vision/card.h"

/**
 * struct map - how such an output is walked; a size below 0 is open
 * @height: rows
 * @width: pixels in a row
 * @channels: numbers of each pixel
 * @pixel_step: from a pixel's number to the next pixel's
 * @channel_step: from a pixel's number to its next one
 */
struct map {
	int64_t height;
	int64_t width;
	int64_t channels;
	size_t pixel_step;
	size_t channel_step;
};

/**
 * map_of() - read a shape as a map of one picture
 * @nr_dims: [1, height, width], [1, height, width, channels] or, by @layout,
 *	[1, channels, height, width]; the 1 may be missing
 * @layout: which of the last two it is
 *
 * Return: false if it is none.
 */
bool map_of(size_t nr_dims, const int64_t *dims, enum card_layout layout, struct map *ret_map);

#endif
