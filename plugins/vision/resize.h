/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VISION_RESIZE_H
#define VISION_RESIZE_H

#include "vision/picture.h"

/** The longest side that a picture can be resized to, in pixels. */
#define RESIZE_SIDE_MAX 8192

/**
 * struct resize_scratch - working memory of picture_resize(), kept between calls
 *
 * All zero at first; one call at a time may use it.
 */
struct resize_scratch {
	void *memory;
	size_t size;
};

/**
 * picture_resize() - stretch or shrink a whole picture, without cropping
 * @picture: the source
 * @width: of the result, 1 to RESIZE_SIDE_MAX pixels
 * @height: of the result, likewise
 * @scratch: working memory, grown as needed
 * @result: takes the pixels, like that of picture_decode(); not the source
 *
 * The filter is a triangle as wide as the pixels of the result, so that no pixel
 * of the source is passed over. It runs along the rows, then along the columns, or
 * the other way round where the height shrinks much more than the width, each rounded
 * to 8 bits: bit by bit what resize(BILINEAR) of Pillow from 13 on gives, by which
 * models are commonly judged.
 *
 * Return: 0; EINVAL for an empty picture or sizes out of range; ENOMEM.
 */
int picture_resize(const struct picture *picture, uint32_t width, uint32_t height,
		   struct resize_scratch *scratch, struct picture *result);

void resize_scratch_release(struct resize_scratch *scratch);

#endif
