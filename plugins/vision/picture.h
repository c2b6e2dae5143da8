/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures: JPEG or PNG bytes in, RGB out, the right way up.
 *
 * Functions of this library return 0 or the code of vaccel_fail(), which has
 * said what is wrong. They keep no state between calls but what the caller
 * hands in, so threads that use different objects need no lock.
 */
#ifndef VISION_PICTURE_H
#define VISION_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/** The longest side of a picture, in pixels, whatever the limits say. */
#define PICTURE_SIDE_MAX 1000000

/**
 * struct picture - decoded pixels
 * @width: in pixels, 0 while there is no picture
 * @height: in pixels
 * @rgb: height rows of width * 3 bytes, no padding between them
 * @room: bytes that @rgb can hold; kept from picture to picture
 *
 * All zero is an empty picture.
 */
struct picture {
	uint32_t width;
	uint32_t height;
	uint8_t *rgb;
	size_t room;
};

/**
 * struct picture_limits - what a picture may cost
 * @pixels: width times height; the caller's knob VACCEL_IMAGE_MAX_PIXELS
 */
struct picture_limits {
	uint64_t pixels;
};

/**
 * picture_decode() - decode a JPEG or a PNG
 * @picture: takes the pixels, in the memory of an earlier picture if that is
 *           large enough; empty after a failure
 * @data: the file's bytes; nobody may change them meanwhile
 * @size: how many
 * @limits: checked against the header, before any memory is asked for
 *
 * Any kind of either format comes out as 8 bits RGB: grey is repeated, palettes
 * are looked up, alpha is dropped, of 16 bits the upper 8 stay, CMYK and YCCK
 * are taken to be stored inverted, as every known writer does. EXIF orientation
 * is applied; colour profiles and gamma are not.
 *
 * Return: 0; EINVAL for anything that is not an intact JPEG or PNG (one cut
 * short included) or is over the limits; ENOTSUP for a JPEG of colours that
 * have no RGB; ENOMEM.
 */
int picture_decode(struct picture *picture, const void *data, size_t size,
		   const struct picture_limits *limits);

/** picture_release() - free the pixels; the picture is empty then */
void picture_release(struct picture *picture);

#endif
