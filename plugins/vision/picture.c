/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Picture memory, choice of format, and turning a picture upright. Room is kept
 * from picture to picture, since the pages of a fresh allocation of some
 * megabytes cost as much as a tenth of decoding into them. Relies on jpeg.c and
 * png.c to ask picture_admit() before they decode.
 */
#include "vision/picture.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <vaccel/error.h>

#include "vision/decode.h"

/* Columns turned together, so that both pictures are walked along cache lines. */
enum { TURN_STRIP = 32 };

int picture_reserve(struct picture *picture, uint32_t width, uint32_t height)
{
	uint64_t size = (uint64_t)width * height * 3;
	uint8_t *rgb;

	if (!picture->rgb || size > picture->room) {
		rgb = size > PTRDIFF_MAX ? NULL : malloc(size);
		if (!rgb)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a picture of %ux%u pixels",
					   width, height);
		free(picture->rgb);
		picture->rgb = rgb;
		picture->room = size;
	}
	picture->width = width;
	picture->height = height;
	return 0;
}

int picture_admit(struct picture *picture, uint32_t width, uint32_t height,
		  const struct picture_limits *limits)
{
	if (!width || !height || width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "a picture of %ux%u pixels: sides are 1 to %d pixels long",
				   width, height, PICTURE_SIDE_MAX);
	if ((uint64_t)width * height > limits->pixels)
		return vaccel_fail(
			VACCEL_EINVAL,
			"a picture of %ux%u pixels, where %" PRIu64
			" pixels are allowed: shrink it or raise VACCEL_IMAGE_MAX_PIXELS",
			width, height, limits->pixels);
	return picture_reserve(picture, width, height);
}

/*
 * An orientation says where the pixels of the upright picture are found in the
 * stored one: rows read as columns or not, then from either end.
 */
static const struct {
	bool swapped, from_right, from_bottom;
} turns[ORIENTATION_LAST + 1] = {
	[1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
	[4] = {false, false, true},  [5] = {true, false, false}, [6] = {true, false, true},
	[7] = {true, true, true},    [8] = {true, true, false},
};

static void copy_turned(const struct picture *stored, unsigned int orientation,
			struct picture *upright)
{
	bool swapped = turns[orientation].swapped;
	size_t width = upright->width;

	for (size_t strip = 0; strip < width; strip += TURN_STRIP) {
		size_t end = width - strip < TURN_STRIP ? width : strip + TURN_STRIP;

		for (size_t y = 0; y < upright->height; y++) {
			uint8_t *to = upright->rgb + (y * width + strip) * 3;

			for (size_t x = strip; x < end; x++, to += 3) {
				size_t from_x = swapped ? y : x;
				size_t from_y = swapped ? x : y;

				if (turns[orientation].from_right)
					from_x = stored->width - 1 - from_x;
				if (turns[orientation].from_bottom)
					from_y = stored->height - 1 - from_y;
				memcpy(to, stored->rgb + (from_y * stored->width + from_x) * 3, 3);
			}
		}
	}
}

static int turn(struct picture *picture, unsigned int orientation)
{
	bool swapped = turns[orientation].swapped;
	struct picture upright = {0};
	int err;

	err = picture_reserve(&upright, swapped ? picture->height : picture->width,
			      swapped ? picture->width : picture->height);
	if (err)
		return err;
	copy_turned(picture, orientation, &upright);
	picture_release(picture);
	*picture = upright;
	return 0;
}

static bool starts_with(const void *data, size_t size, const char *magic, size_t length)
{
	return size >= length && !memcmp(data, magic, length);
}

static int decode(struct picture *picture, const void *data, size_t size,
		  const struct picture_limits *limits)
{
	unsigned int orientation = ORIENTATION_UPRIGHT;
	int err;

	if (!data || !size)
		return vaccel_fail(VACCEL_EINVAL, "the picture is empty");
	if (starts_with(data, size, "\xff\xd8\xff", 3))
		err = picture_from_jpeg(picture, data, size, limits, &orientation);
	else if (starts_with(data, size, "\x89PNG\r\n\x1a\n", 8))
		err = picture_from_png(picture, data, size, limits, &orientation);
	else
		return vaccel_fail(VACCEL_EINVAL,
				   "the picture of %zu bytes is neither a JPEG nor a PNG", size);
	if (err || orientation == ORIENTATION_UPRIGHT)
		return err;
	return turn(picture, orientation);
}

int picture_decode(struct picture *picture, const void *data, size_t size,
		   const struct picture_limits *limits)
{
	int err = decode(picture, data, size, limits);

	if (err) {
		picture->width = 0;
		picture->height = 0;
	}
	return err;
}

void picture_release(struct picture *picture)
{
	free(picture->rgb);
	*picture = (struct picture){0};
}
