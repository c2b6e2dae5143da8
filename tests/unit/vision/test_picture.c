/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding: every kind of picture in tests/data/pictures against the pixels that
 * Pillow decodes from it, and what is no picture, is damaged, or is too large.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "support.h"
#include "vision/decode.h"
#include "vision/preprocess.h"

static const struct picture_limits limits = {1 << 20};

static const char *const files[] = {
	"exif_1.jpg",
	"exif_2.jpg",
	"exif_3.jpg",
	"exif_4.jpg",
	"exif_5.jpg",
	"exif_6.jpg",
	"exif_7.jpg",
	"exif_8.jpg",
	"jpeg_420.jpg",
	"jpeg_422.jpg",
	"jpeg_444.jpg",
	"jpeg_cmyk.jpg",
	"jpeg_cmyk_plain.jpg",
	"jpeg_grey.jpg",
	"jpeg_progressive.jpg",
	"jpeg_rgb.jpg",
	"jpeg_ycck.jpg",
	"png_1bit.png",
	"png_exif_6.png",
	"png_grey.png",
	"png_grey16.png",
	"png_grey_alpha.png",
	"png_interlaced.png",
	"png_palette.png",
	"png_palette_alpha.png",
	"png_rgb.png",
	"png_rgb16.png",
	"png_rgba.png",
};

static void every_kind_is_decoded_like_the_reference(void **state)
{
	struct picture picture = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bytes file = load_bytes(files[i]);
		struct picture expected;
		char ppm[64];

		snprintf(ppm, sizeof(ppm), "%.*s.ppm", (int)strcspn(files[i], "."), files[i]);
		expected = load_ppm(ppm);
		print_message("%s\n", files[i]);
		assert_int_equal(picture_decode(&picture, file.data, file.size, &limits), 0);
		assert_same_picture(&picture, &expected);
		picture_release(&expected);
		free(file.data);
	}
	picture_release(&picture);
}

static void any_truncation_is_an_error(void **state)
{
	struct picture picture = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bytes file = load_bytes(files[i]);

		for (size_t size = 0; size < file.size; size++) {
			uint8_t *part = malloc(size + 1);

			assert_non_null(part);
			memcpy(part, file.data, size);
			assert_failed(picture_decode(&picture, part, size, &limits), VACCEL_EINVAL,
				      "picture");
			assert_int_equal(picture.width, 0);
			free(part);
		}
		free(file.data);
	}
	picture_release(&picture);
}

/* Some flips leave a good picture; what matters is that all of them return. */
static void flipped_bits_do_no_harm(void **state)
{
	struct picture picture = {0};
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bytes file = load_bytes(files[i]);

		for (size_t bit = 0; bit < file.size * 8; bit += 3) {
			file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			refused += picture_decode(&picture, file.data, file.size, &limits) != 0;
			file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(file.data);
	}
	picture_release(&picture);
	assert_true(refused > 1000);
}

static void what_is_no_picture_is_refused(void **state)
{
	static const uint8_t jpeg_magic[] = {0xff, 0xd8, 0xff};
	static const uint8_t png_magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	struct picture picture = {0};
	uint8_t noise[512];
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)next_random(&seed);
	assert_failed(picture_decode(&picture, NULL, 9, &limits), VACCEL_EINVAL, "empty");
	assert_failed(picture_decode(&picture, noise, 0, &limits), VACCEL_EINVAL, "empty");
	assert_failed(picture_decode(&picture, noise, sizeof(noise), &limits), VACCEL_EINVAL,
		      "neither a JPEG nor a PNG");
	memcpy(noise, jpeg_magic, sizeof(jpeg_magic));
	assert_failed(picture_decode(&picture, noise, sizeof(noise), &limits), VACCEL_EINVAL,
		      "JPEG picture");
	memcpy(noise, png_magic, sizeof(png_magic));
	assert_failed(picture_decode(&picture, noise, sizeof(noise), &limits), VACCEL_EINVAL,
		      "PNG picture");
	assert_null(picture.rgb);
}

static void limit_counts_pixels(void **state)
{
	struct bytes file = load_bytes("jpeg_444.jpg");
	struct picture picture = {0};

	(void)state;
	assert_failed(picture_decode(&picture, file.data, file.size,
				     &(struct picture_limits){17 * 7 - 1}),
		      VACCEL_EINVAL, "VACCEL_IMAGE_MAX_PIXELS");
	assert_null(picture.rgb);
	assert_int_equal(
		picture_decode(&picture, file.data, file.size, &(struct picture_limits){17 * 7}),
		0);
	picture_release(&picture);
	free(file.data);
}

/* Only the sizes are changed: a header alone must be enough to refuse it. */
static void vast_jpeg_is_refused_before_memory_is_asked_for(void **state)
{
	struct bytes file = load_bytes("jpeg_444.jpg");
	struct picture picture = {0};
	size_t at = 0;

	(void)state;
	while (file.data[at] != 0xff || file.data[at + 1] != 0xc0)
		at++;
	memcpy(file.data + at + 5, "\xea\x60\xea\x60", 4);
	assert_failed(
		picture_decode(&picture, file.data, file.size, &(struct picture_limits){100000000}),
		VACCEL_EINVAL, "60000x60000");
	assert_null(picture.rgb);
	free(file.data);
}

static uint32_t crc32_of(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void set_png_size(struct bytes *file, uint32_t width, uint32_t height)
{
	uint32_t crc;

	for (int i = 0; i < 4; i++) {
		file->data[16 + i] = (uint8_t)(width >> (24 - 8 * i));
		file->data[20 + i] = (uint8_t)(height >> (24 - 8 * i));
	}
	crc = crc32_of(file->data + 12, 17);
	for (int i = 0; i < 4; i++)
		file->data[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void vast_png_is_refused_before_memory_is_asked_for(void **state)
{
	const struct picture_limits generous = {UINT64_MAX};
	struct bytes file = load_bytes("png_rgb.png");
	struct picture picture = {0};

	(void)state;
	set_png_size(&file, 60000, 60000);
	assert_failed(picture_decode(&picture, file.data, file.size, &limits), VACCEL_EINVAL,
		      "60000x60000 pixels, where 1048576 pixels are allowed: shrink it or raise "
		      "VACCEL_IMAGE_MAX_PIXELS");
	set_png_size(&file, PICTURE_SIDE_MAX + 1, 1);
	assert_failed(picture_decode(&picture, file.data, file.size, &generous), VACCEL_EINVAL,
		      "PNG picture");
	set_png_size(&file, 0, 1);
	assert_failed(picture_decode(&picture, file.data, file.size, &generous), VACCEL_EINVAL,
		      "PNG picture");
	assert_null(picture.rgb);
	free(file.data);
}

static void sides_are_bounded(void **state)
{
	const struct picture_limits generous = {UINT64_MAX};
	struct picture picture = {0};

	(void)state;
	assert_failed(picture_admit(&picture, 0, 1, &generous), VACCEL_EINVAL, "sides");
	assert_failed(picture_admit(&picture, 1, 0, &generous), VACCEL_EINVAL, "sides");
	assert_failed(picture_admit(&picture, PICTURE_SIDE_MAX + 1, 1, &generous), VACCEL_EINVAL,
		      "sides");
	assert_failed(picture_admit(&picture, 1, PICTURE_SIDE_MAX + 1, &generous), VACCEL_EINVAL,
		      "sides");
	assert_failed(picture_reserve(&picture, UINT32_MAX, UINT32_MAX), VACCEL_ENOMEM, "memory");
}

static void memory_is_kept_between_pictures(void **state)
{
	struct bytes large = load_bytes("jpeg_444.jpg");
	struct bytes small = load_bytes("exif_1.jpg");
	struct picture picture = {0};
	const uint8_t *rgb;

	(void)state;
	assert_int_equal(picture_decode(&picture, large.data, large.size, &limits), 0);
	rgb = picture.rgb;
	assert_int_equal(picture_decode(&picture, small.data, small.size, &limits), 0);
	assert_ptr_equal(picture.rgb, rgb);
	assert_int_equal(picture_decode(&picture, "no", 2, &limits), VACCEL_EINVAL);
	assert_ptr_equal(picture.rgb, rgb);
	assert_int_equal(picture.height, 0);
	picture_release(&picture);
	assert_null(picture.rgb);
	picture_release(&picture);
	free(large.data);
	free(small.data);
}

/* Writes two components, which have no meaning as colours, or repeats a scan. */
static struct bytes write_jpeg(int components, int scans)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	jpeg_scan_info script[128] = {{1, {0}, 0, 0, 0, 0}};
	unsigned long size = 0;
	struct bytes bytes = {0};
	uint8_t pixels[8 * 2] = {0};
	JSAMPROW row = pixels;

	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &bytes.data, &size);
	jpeg.image_width = 8;
	jpeg.image_height = 8;
	jpeg.input_components = components;
	jpeg.in_color_space = components == 1 ? JCS_GRAYSCALE : JCS_UNKNOWN;
	jpeg_set_defaults(&jpeg);
	/* A coefficient a scan, from the first on: DC, then the 63 others. */
	for (int i = 1; i < scans; i++)
		script[i] = (jpeg_scan_info){1, {0}, i, i, 0, 0};
	if (scans) {
		jpeg.scan_info = script;
		jpeg.num_scans = scans;
	}
	jpeg_start_compress(&jpeg, TRUE);
	for (int y = 0; y < 8; y++)
		jpeg_write_scanlines(&jpeg, &row, 1);
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	bytes.size = size;
	return bytes;
}

static void colours_without_rgb_are_not_supported(void **state)
{
	struct bytes file = write_jpeg(2, 0);
	struct picture picture = {0};

	(void)state;
	assert_failed(picture_decode(&picture, file.data, file.size, &limits), VACCEL_ENOTSUP,
		      "2 colour components");
	free(file.data);
}

/* The file's last scan, some 20 bytes, is put in again and again. */
static void endless_scans_are_refused(void **state)
{
	struct bytes file = write_jpeg(1, 64);
	struct picture picture = {0};
	size_t scan = file.size - 2;
	struct bytes many;

	(void)state;
	assert_int_equal(picture_decode(&picture, file.data, file.size, &limits), 0);
	while (file.data[scan] != 0xff || file.data[scan + 1] != 0xda)
		scan--;
	many.size = file.size - 2;
	many.data = malloc(file.size + 40 * (file.size - scan));
	assert_non_null(many.data);
	memcpy(many.data, file.data, file.size);
	for (int i = 0; i < 40; i++) {
		memcpy(many.data + many.size, file.data + scan, file.size - 2 - scan);
		many.size += file.size - 2 - scan;
	}
	memcpy(many.data + many.size, "\xff\xd9", 2);
	assert_failed(picture_decode(&picture, many.data, many.size + 2, &limits), VACCEL_EINVAL,
		      "scans");
	picture_release(&picture);
	free(many.data);
	free(file.data);
}

/* A data segment that ends early, though the file has its end mark. */
static void missing_pixels_are_an_error(void **state)
{
	struct bytes file = load_bytes("jpeg_444.jpg");
	struct picture picture = {0};

	(void)state;
	memcpy(file.data + file.size - 40, "\xff\xd9", 2);
	assert_failed(picture_decode(&picture, file.data, file.size - 38, &limits), VACCEL_EINVAL,
		      "premature end");
	picture_release(&picture);
	free(file.data);
}

static void exif_is_read_within_its_bounds(void **state)
{
	static const struct {
		unsigned int orientation;
		size_t size;
		const char *tiff;
	} rows[] = {
		{6, 26, "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{8, 26, "MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0\10\0\0\0\0\0\0"},
		/* Neither byte order, not 42, no such place, cut within the entry. */
		{1, 26, "IM*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 26, "II+\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 26, "II*\0\377\377\377\377\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 26, "II*\0\31\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 21, "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0"},
		{1, 7, "II*\0\10\0\0"},
		{1, 10, "II*\0\10\0\0\0\377\377"},
		/* Another tag, type, count; values 0 and 9. */
		{1, 26, "II*\0\10\0\0\0\1\0\x13\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 26, "II*\0\10\0\0\0\1\0\x12\1\4\0\1\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 26, "II*\0\10\0\0\0\1\0\x12\1\3\0\2\0\0\0\6\0\0\0\0\0\0\0"},
		{1, 26, "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\0\0\0\0\0\0\0\0"},
		{1, 26, "II*\0\10\0\0\0\1\0\x12\1\3\0\1\0\0\0\11\0\0\0\0\0\0\0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t *exact = malloc(rows[i].size);

		assert_non_null(exact);
		memcpy(exact, rows[i].tiff, rows[i].size);
		assert_int_equal(exif_orientation(exact, rows[i].size), rows[i].orientation);
		free(exact);
	}
}

static const struct port floats = {.type = VACCEL_TENSOR_FLOAT};

static void tensor_has_the_order_that_the_card_asks_for(void **state)
{
	uint8_t rgb[] = {1, 2, 3, 4, 5, 6};
	const struct picture picture = {2, 1, rgb, sizeof(rgb)};
	static const float expected[2][2][6] = {
		[CARD_NCHW] =
			{[CARD_RGB] = {0, 6, 0, 12, 0, 24}, [CARD_BGR] = {4, 10, 0, 12, -16, 8}},
		[CARD_NHWC] =
			{[CARD_RGB] = {0, 0, 0, 6, 12, 24}, [CARD_BGR] = {4, 0, -16, 10, 12, 8}},
	};
	struct card_input input = {.mean = {1, 2, 3}, .scale = {2, 4, 8}};
	float tensor[6];

	(void)state;
	for (int layout = 0; layout < 2; layout++)
		for (int color = 0; color < 2; color++) {
			input.layout = layout;
			input.color = color;
			tensor_fill(&input, &floats, &picture, tensor);
			assert_memory_equal(tensor, expected[layout][color], sizeof(tensor));
		}
}

/* Bytes: as they are, rounded, or by the scale and the zero point of the input. */
static void quantised_tensors(void **state)
{
	uint8_t rgb[] = {0, 1, 128, 254, 255, 100};
	const struct picture picture = {2, 1, rgb, sizeof(rgb)};
	struct card_input input = {
		.layout = CARD_NHWC, .mean = {128, 128, 128}, .scale = {0.0078125f, 0.0078125f, 1}};
	struct port bytes = {.type = VACCEL_TENSOR_UINT8};
	struct port signs = {.type = VACCEL_TENSOR_INT8, .scale = 0.0078125f, .zero_point = -1};
	uint8_t tensor[6];
	int8_t signed_tensor[6];

	(void)state;
	input.plain = true;
	tensor_fill(&input, &bytes, &picture, tensor);
	assert_memory_equal(tensor, rgb, sizeof(rgb));
	tensor_fill(&input, &signs, &picture, signed_tensor);
	assert_memory_equal(signed_tensor, ((int8_t[]){-128, -127, 0, 126, 127, -28}), 6);
	input.plain = false;
	tensor_fill(&input, &bytes, &picture, tensor);
	assert_memory_equal(tensor, ((uint8_t[]){0, 0, 0, 1, 1, 0}), 6);
	/* Over the range it stays at its ends. */
	tensor_fill(&input, &signs, &picture, signed_tensor);
	assert_memory_equal(signed_tensor, ((int8_t[]){-128, -128, -1, 125, 126, -128}), 6);
}

static void picture_becomes_a_tensor(void **state)
{
	struct bytes file = load_bytes("resize_source.png");
	struct picture expected = load_ppm("resize_5x4.ppm");
	struct preprocess_scratch scratch = {0};
	float tensor[5 * 4 * 3];
	struct card card;

	(void)state;
	card_init(&card, CARD_CLASSIFY);
	card.input.width = 5;
	card.input.height = 4;
	card.input.layout = CARD_NHWC;
	assert_int_equal(picture_prepare(file.data, file.size, &limits, &card.input, &scratch), 0);
	tensor_fill(&card.input, &floats, &scratch.resized, tensor);
	for (size_t i = 0; i < 5 * 4 * 3; i++)
		assert_true(tensor[i] == (float)expected.rgb[i] * (1.0f / 255.0f));
	assert_int_equal(picture_prepare("no", 2, &limits, &card.input, &scratch), VACCEL_EINVAL);
	card.input.width = 0;
	assert_failed(picture_prepare(file.data, file.size, &limits, &card.input, &scratch),
		      VACCEL_EINVAL, "0x4");
	preprocess_scratch_release(&scratch);
	picture_release(&expected);
	free(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_decoded_like_the_reference),
		cmocka_unit_test(any_truncation_is_an_error),
		cmocka_unit_test(flipped_bits_do_no_harm),
		cmocka_unit_test(what_is_no_picture_is_refused),
		cmocka_unit_test(limit_counts_pixels),
		cmocka_unit_test(vast_jpeg_is_refused_before_memory_is_asked_for),
		cmocka_unit_test(vast_png_is_refused_before_memory_is_asked_for),
		cmocka_unit_test(sides_are_bounded),
		cmocka_unit_test(memory_is_kept_between_pictures),
		cmocka_unit_test(colours_without_rgb_are_not_supported),
		cmocka_unit_test(endless_scans_are_refused),
		cmocka_unit_test(missing_pixels_are_an_error),
		cmocka_unit_test(exif_is_read_within_its_bounds),
		cmocka_unit_test(tensor_has_the_order_that_the_card_asks_for),
		cmocka_unit_test(quantised_tensors),
		cmocka_unit_test(picture_becomes_a_tensor),
	};

	return cmocka_run_group_tests_name("vision/picture", tests, NULL, NULL);
}
