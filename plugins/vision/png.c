/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG through libpng, any kind of it as 8-bit RGB. libpng leaves by longjmp() on
 * errors; nothing between setjmp() and longjmp() owns memory but libpng's own
 * structures and the picture. Chunks that do not bear on the pixels are skipped
 * unread, since libpng allocates what their lengths claim; the one that holds the
 * orientation is found here.
 */
#include <png.h>
#include <string.h>
#include <vaccel/error.h>

#include "vision/decode.h"

enum { SIGNATURE_SIZE = 8, CHUNK_OVERHEAD = 12 };

struct png_reader {
	png_structp png;
	png_infop info;
	const uint8_t *data;
	size_t left;
	int code;
};

static PNG_NORETURN void on_error(png_structp png, png_const_charp words)
{
	struct png_reader *reader = png_get_error_ptr(png);

	reader->code = vaccel_fail(VACCEL_EINVAL, "the PNG picture is damaged: %s", words);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp words)
{
	(void)png;
	(void)words;
}

static void on_read(png_structp png, png_bytep to, size_t size)
{
	struct png_reader *reader = png_get_io_ptr(png);

	if (size > reader->left)
		png_error(png, "it is cut short");
	memcpy(to, reader->data, size);
	reader->data += size;
	reader->left -= size;
}

static void ask_for_rgb(png_structp png, png_infop info)
{
	if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(png);
	png_set_gray_to_rgb(png);
	png_set_strip_16(png);
	png_set_strip_alpha(png);
}

static void read_rows(png_structp png, const struct picture *picture)
{
	size_t stride = (size_t)picture->width * 3;

	for (int passes = png_set_interlace_handling(png); passes > 0; passes--)
		for (size_t y = 0; y < picture->height; y++)
			png_read_row(png, picture->rgb + y * stride, NULL);
}

/* Does its work below a setjmp() in a frame whose own variables never change. */
static int decode(struct png_reader *reader, struct picture *picture,
		  const struct picture_limits *limits)
{
	png_structp png = reader->png;
	png_infop info = reader->info;
	int err;

	if (setjmp(png_jmpbuf(png)))
		return reader->code;
	png_set_read_fn(png, reader, on_read);
	png_set_user_limits(png, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_read_info(png, info);
	err = picture_admit(picture, png_get_image_width(png, info),
			    png_get_image_height(png, info), limits);
	if (err)
		return err;
	ask_for_rgb(png, info);
	read_rows(png, picture);
	png_read_end(png, info);
	return 0;
}

/* Walks the chunks: length, name, data, checksum. */
static unsigned int find_orientation(const uint8_t *data, size_t size)
{
	size_t at = SIGNATURE_SIZE;

	while (size - at >= CHUNK_OVERHEAD) {
		size_t length = png_get_uint_32(data + at);

		if (length > size - at - CHUNK_OVERHEAD)
			break;
		if (!memcmp(data + at + 4, "eXIf", 4))
			return exif_orientation(data + at + 8, length);
		at += length + CHUNK_OVERHEAD;
	}
	return ORIENTATION_UPRIGHT;
}

int picture_from_png(struct picture *picture, const void *data, size_t size,
		     const struct picture_limits *limits, unsigned int *ret_orientation)
{
	struct png_reader reader = {.data = data, .left = size};
	int err;

	reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
	reader.info = reader.png ? png_create_info_struct(reader.png) : NULL;
	if (reader.info) {
		err = decode(&reader, picture, limits);
		if (!err)
			*ret_orientation = find_orientation(data, size);
	} else {
		err = vaccel_fail(VACCEL_ENOMEM, "no memory to decode a PNG picture");
	}
	png_destroy_read_struct(&reader.png, &reader.info, NULL);
	return err;
}
