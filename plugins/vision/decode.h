/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between picture.c and the formats. A format's function reads the header, asks
 * picture_admit() for room, fills the rows in the order of the file and
 * says how the picture is turned.
 */
#ifndef VISION_DECODE_H
#define VISION_DECODE_H

#include "vision/picture.h"

/** Which way up a picture is, by EXIF's numbers; 1 is upright. */
enum { ORIENTATION_UPRIGHT = 1, ORIENTATION_LAST = 8 };

/**
 * picture_admit() - check a picture's sizes, then make room for it
 *
 * Return: 0; EINVAL if it has no pixels or is over the limits; ENOMEM.
 */
int picture_admit(struct picture *picture, uint32_t width, uint32_t height,
		  const struct picture_limits *limits);

/** picture_reserve() - set the sizes and see that the rows have room: 0 or ENOMEM */
int picture_reserve(struct picture *picture, uint32_t width, uint32_t height);

int picture_from_jpeg(struct picture *picture, const void *data, size_t size,
		      const struct picture_limits *limits, unsigned int *ret_orientation);
int picture_from_png(struct picture *picture, const void *data, size_t size,
		     const struct picture_limits *limits, unsigned int *ret_orientation);

/**
 * exif_orientation() - the orientation that an EXIF block states
 * @tiff: the block, from its TIFF header on
 * @size: its bytes
 *
 * Return: 1 to 8; 1 too if the block is damaged or does not say.
 */
unsigned int exif_orientation(const uint8_t *tiff, size_t size);

#endif
