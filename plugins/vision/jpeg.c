/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG through libjpeg-turbo: full size, accurate DCT, smooth upsampling, which
 * are the settings that reference results of models were made with. libjpeg
 * leaves by longjmp() on errors and only warns of damaged data; here damage that
 * costs pixels is an error too. Nothing between setjmp() and longjmp() owns
 * memory but libjpeg's own pools and the picture.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <string.h>

/* jpeglib.h wants stdio.h before it. */
#include <jpeglib.h>

#include <jerror.h>
#include <vaccel/error.h>

#include "vision/decode.h"

/* A progressive file may ask for a pass over all pixels with each few bytes. */
enum { SCANS_MAX = 100 };

struct jpeg_reader {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf failed;
	int code;
	unsigned int orientation;
};

static noreturn void leave(struct jpeg_reader *reader, int code)
{
	reader->code = code;
	longjmp(reader->failed, 1);
}

static void on_error(j_common_ptr jpeg)
{
	struct jpeg_reader *reader = jpeg->client_data;
	char words[JMSG_LENGTH_MAX];

	jpeg->err->format_message(jpeg, words);
	if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
		leave(reader, vaccel_fail(VACCEL_ENOMEM, "no memory to decode a JPEG picture"));
	leave(reader, vaccel_fail(VACCEL_EINVAL, "the JPEG picture is damaged: %s", words));
}

static void on_message(j_common_ptr jpeg, int level)
{
	if (level >= 0)
		return;
	switch (jpeg->err->msg_code) {
	case JWRN_HIT_MARKER:
	case JWRN_HUFF_BAD_CODE:
	case JWRN_ARITH_BAD_CODE:
	case JWRN_MUST_RESYNC:
		on_error(jpeg);
		break;
	default:
		break;
	}
}

static void on_progress(j_common_ptr jpeg)
{
	struct jpeg_reader *reader = jpeg->client_data;

	if (reader->jpeg.input_scan_number > SCANS_MAX)
		leave(reader, vaccel_fail(VACCEL_EINVAL,
					  "the JPEG picture has more than %d scans: save it again",
					  SCANS_MAX));
}

static boolean on_end_of_data(j_decompress_ptr jpeg)
{
	leave(jpeg->client_data, vaccel_fail(VACCEL_EINVAL, "the JPEG picture is cut short"));
}

static void start(struct jpeg_reader *reader, const void *data, size_t size)
{
	j_decompress_ptr jpeg = &reader->jpeg;

	jpeg_create_decompress(jpeg);
	reader->progress.progress_monitor = on_progress;
	jpeg->progress = &reader->progress;
	jpeg_mem_src(jpeg, data, size);
	jpeg->src->fill_input_buffer = on_end_of_data;
	jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
	jpeg_read_header(jpeg, TRUE);
	jpeg->dct_method = JDCT_ISLOW;
	jpeg->do_fancy_upsampling = TRUE;
}

static void read_rgb(struct jpeg_reader *reader, const struct picture *picture)
{
	size_t stride = (size_t)picture->width * 3;

	while (reader->jpeg.output_scanline < picture->height) {
		JSAMPROW row = picture->rgb + reader->jpeg.output_scanline * stride;

		jpeg_read_scanlines(&reader->jpeg, &row, 1);
	}
}

/* Light is what one ink lets through times what black does; exact rounding. */
static uint8_t mix(unsigned int ink, unsigned int black)
{
	return (uint8_t)((ink * black + 127) / 255);
}

static void read_cmyk(struct jpeg_reader *reader, const struct picture *picture)
{
	j_decompress_ptr jpeg = &reader->jpeg;
	JSAMPARRAY row =
		jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, picture->width * 4, 1);
	uint8_t *rgb = picture->rgb;

	while (jpeg->output_scanline < picture->height) {
		const uint8_t *cmyk = row[0];

		jpeg_read_scanlines(jpeg, row, 1);
		for (uint32_t x = 0; x < picture->width; x++, cmyk += 4, rgb += 3) {
			rgb[0] = mix(cmyk[0], cmyk[3]);
			rgb[1] = mix(cmyk[1], cmyk[3]);
			rgb[2] = mix(cmyk[2], cmyk[3]);
		}
	}
}

static unsigned int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
	static const char magic[6] = "Exif\0";
	const struct jpeg_marker_struct *marker;

	for (marker = jpeg->marker_list; marker; marker = marker->next)
		if (marker->data_length > sizeof(magic) &&
		    !memcmp(marker->data, magic, sizeof(magic)))
			return exif_orientation(marker->data + sizeof(magic),
						marker->data_length - sizeof(magic));
	return ORIENTATION_UPRIGHT;
}

static int choose_colours(j_decompress_ptr jpeg)
{
	switch (jpeg->jpeg_color_space) {
	case JCS_GRAYSCALE:
	case JCS_RGB:
	case JCS_YCbCr:
		jpeg->out_color_space = JCS_RGB;
		return 0;
	case JCS_CMYK:
	case JCS_YCCK:
		jpeg->out_color_space = JCS_CMYK;
		return 0;
	default:
		return vaccel_fail(VACCEL_ENOTSUP,
				   "the JPEG picture has %d colour components of no known meaning: "
				   "save it as RGB",
				   jpeg->num_components);
	}
}

/* Does its work below a setjmp() in a frame whose own variables never change. */
static int decode(struct jpeg_reader *reader, struct picture *picture, const void *data,
		  size_t size, const struct picture_limits *limits)
{
	j_decompress_ptr jpeg = &reader->jpeg;
	int err;

	if (setjmp(reader->failed))
		return reader->code;
	start(reader, data, size);
	err = choose_colours(jpeg);
	if (err)
		return err;
	err = picture_admit(picture, jpeg->image_width, jpeg->image_height, limits);
	if (err)
		return err;
	reader->orientation = find_orientation(jpeg);
	jpeg_start_decompress(jpeg);
	if (jpeg->out_color_space == JCS_RGB)
		read_rgb(reader, picture);
	else
		read_cmyk(reader, picture);
	jpeg_finish_decompress(jpeg);
	return 0;
}

int picture_from_jpeg(struct picture *picture, const void *data, size_t size,
		      const struct picture_limits *limits, unsigned int *ret_orientation)
{
	struct jpeg_reader reader;
	int err;

	memset(&reader, 0, sizeof(reader));
	reader.jpeg.err = jpeg_std_error(&reader.errors);
	reader.jpeg.client_data = &reader;
	reader.errors.error_exit = on_error;
	reader.errors.emit_message = on_message;
	err = decode(&reader, picture, data, size, limits);
	if (!err)
		*ret_orientation = reader.orientation;
	jpeg_destroy_decompress(&reader.jpeg);
	return err;
}
