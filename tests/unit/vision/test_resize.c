/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resizing: against Pillow's results in tests/data/pictures, and against the
 * filter written down plainly, over random sizes.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "vision/resize.h"

static struct picture random_picture(uint32_t width, uint32_t height, uint32_t *seed)
{
	struct picture picture = {width, height, NULL, (size_t)width * height * 3};

	picture.rgb = malloc(picture.room);
	assert_non_null(picture.rgb);
	for (size_t i = 0; i < picture.room; i++) {
		uint32_t value = next_random(seed);

		/* Every other one is black or white, for sums at either end. */
		picture.rgb[i] = value & 256 ? (uint8_t)value : (value & 512 ? 255 : 0);
	}
	return picture;
}

/* One pass over samples that lie stride apart: all weights, in double. */
static void filter_plainly(const uint8_t *from, uint32_t from_size, uint8_t *to, uint32_t to_size,
			   size_t stride)
{
	double scale = (double)from_size / to_size;
	double support = fmax(scale, 1.0);

	for (uint32_t i = 0; i < to_size; i++) {
		double centre = (i + 0.5) * scale;
		double total = 0.0;
		uint64_t sum = 1 << 21;

		for (uint32_t s = 0; s < from_size; s++)
			total += fmax(0.0, 1.0 - fabs((s - centre + 0.5) / support));
		for (uint32_t s = 0; s < from_size; s++) {
			double weight = fmax(0.0, 1.0 - fabs((s - centre + 0.5) / support));

			sum += from[s * stride] * (uint64_t)(0.5 + weight / total * (1 << 22));
		}
		to[i * stride] = sum >> 22 > 255 ? 255 : (uint8_t)(sum >> 22);
	}
}

static struct picture make_room(uint32_t width, uint32_t height)
{
	struct picture picture = {width, height, NULL, (size_t)width * height * 3};

	picture.rgb = malloc(picture.room);
	assert_non_null(picture.rgb);
	return picture;
}

static struct picture along_rows(const struct picture *source, uint32_t width)
{
	struct picture result = make_room(width, source->height);

	for (uint32_t y = 0; y < source->height; y++)
		for (size_t channel = 0; channel < 3; channel++)
			filter_plainly(source->rgb + (size_t)y * source->width * 3 + channel,
				       source->width, result.rgb + (size_t)y * width * 3 + channel,
				       width, 3);
	return result;
}

static struct picture along_columns(const struct picture *source, uint32_t height)
{
	struct picture result = make_room(source->width, height);
	size_t stride = (size_t)source->width * 3;

	for (size_t x = 0; x < stride; x++)
		filter_plainly(source->rgb + x, source->height, result.rgb + x, height, stride);
	return result;
}

static struct picture resize_plainly(const struct picture *source, uint32_t width, uint32_t height)
{
	int64_t lower = (int64_t)source->height - height;
	int64_t narrower = (int64_t)source->width - width;
	bool columns_first = lower > 0 && lower > 2 * narrower;
	struct picture half =
		columns_first ? along_columns(source, height) : along_rows(source, width);
	struct picture result =
		columns_first ? along_rows(&half, width) : along_columns(&half, height);

	picture_release(&half);
	return result;
}

static void results_equal_the_reference(void **state)
{
	static const struct {
		const char *name;
		uint32_t width, height;
	} rows[] = {
		{"resize_5x4.ppm", 5, 4},
		{"resize_23x9.ppm", 23, 9},
		{"resize_29x17.ppm", 29, 17},
		{"resize_40x3.ppm", 40, 3},
		{"resize_3x30.ppm", 3, 30},
		{"resize_1x1.ppm", 1, 1},
		/* The columns first, and just not so. */
		{"resize_21x12.ppm", 21, 12},
		{"resize_20x11.ppm", 20, 11},
	};
	struct bytes file = load_bytes("resize_source.png");
	struct picture source = {0}, result = {0};
	struct resize_scratch scratch = {0};

	(void)state;
	assert_int_equal(
		picture_decode(&source, file.data, file.size, &(struct picture_limits){1000}), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct picture expected = load_ppm(rows[i].name);

		assert_int_equal(
			picture_resize(&source, rows[i].width, rows[i].height, &scratch, &result),
			0);
		assert_same_picture(&result, &expected);
		picture_release(&expected);
	}
	resize_scratch_release(&scratch);
	picture_release(&result);
	picture_release(&source);
	free(file.data);
}

static void random_sizes_equal_the_plain_filter(void **state)
{
	struct resize_scratch scratch = {0};
	struct picture result = {0};
	uint32_t seed = 11;

	(void)state;
	for (int i = 0; i < 150; i++) {
		struct picture source = random_picture(1 + next_random(&seed) % 60,
						       1 + next_random(&seed) % 60, &seed);
		uint32_t width = 1 + next_random(&seed) % 70;
		uint32_t height = 1 + next_random(&seed) % 70;
		struct picture expected = resize_plainly(&source, width, height);
		long differing = 0;

		assert_int_equal(picture_resize(&source, width, height, &scratch, &result), 0);
		/* The plain filter adds its weights up in another order: ties may fall. */
		for (size_t at = 0; at < expected.room; at++) {
			assert_in_range(result.rgb[at] + 1 - expected.rgb[at], 0, 2);
			differing += result.rgb[at] != expected.rgb[at];
		}
		assert_true(differing * 1000 <= (long)expected.room);
		picture_release(&expected);
		picture_release(&source);
	}
	resize_scratch_release(&scratch);
	picture_release(&result);
}

static void same_size_changes_nothing(void **state)
{
	uint32_t seed = 3;
	struct picture source = random_picture(37, 21, &seed);
	struct resize_scratch scratch = {0};
	struct picture result = {0};

	(void)state;
	assert_int_equal(picture_resize(&source, 37, 21, &scratch, &result), 0);
	assert_same_picture(&result, &source);
	resize_scratch_release(&scratch);
	picture_release(&result);
	picture_release(&source);
}

static void white_stays_white_at_the_extremes(void **state)
{
	static const uint32_t sizes[][4] = {
		{PICTURE_SIDE_MAX, 1, 1, 1},
		/* Weights of 3.5 to 7 units round up by so much that sums pass 255. */
		{798915, 1, 1, 1},
		{1, PICTURE_SIDE_MAX, 3, 2},
		{1, 1, RESIZE_SIDE_MAX, 1},
		{1, 1, 1, RESIZE_SIDE_MAX},
	};
	struct resize_scratch scratch = {0};
	struct picture result = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = (size_t)sizes[i][0] * sizes[i][1] * 3;
		struct picture source = {sizes[i][0], sizes[i][1], malloc(size), size};

		assert_non_null(source.rgb);
		memset(source.rgb, 255, size);
		assert_int_equal(
			picture_resize(&source, sizes[i][2], sizes[i][3], &scratch, &result), 0);
		for (size_t at = 0; at < (size_t)result.width * result.height * 3; at++)
			assert_in_range(result.rgb[at], 254, 255);
		picture_release(&source);
	}
	resize_scratch_release(&scratch);
	picture_release(&result);
}

static void nonsense_is_refused(void **state)
{
	uint8_t rgb[3] = {0};
	const struct picture source = {1, 1, rgb, sizeof(rgb)};
	struct resize_scratch scratch = {0};
	struct picture result = {0};
	struct picture wrong = source;

	(void)state;
	assert_failed(picture_resize(&source, 0, 1, &scratch, &result), VACCEL_EINVAL, "0x1");
	assert_failed(picture_resize(&source, 1, 0, &scratch, &result), VACCEL_EINVAL, "1x0");
	assert_failed(picture_resize(&source, RESIZE_SIDE_MAX + 1, 1, &scratch, &result),
		      VACCEL_EINVAL, "8193x1");
	assert_failed(picture_resize(&source, 1, UINT32_MAX, &scratch, &result), VACCEL_EINVAL,
		      "sides");
	wrong.width = 0;
	assert_failed(picture_resize(&wrong, 1, 1, &scratch, &result), VACCEL_EINVAL, "no picture");
	wrong = source;
	wrong.height = PICTURE_SIDE_MAX + 1;
	assert_failed(picture_resize(&wrong, 1, 1, &scratch, &result), VACCEL_EINVAL, "no picture");
	assert_null(scratch.memory);
	assert_null(result.rgb);
}

static void scratch_is_kept(void **state)
{
	uint32_t seed = 5;
	struct picture source = random_picture(40, 40, &seed);
	struct resize_scratch scratch = {0};
	struct picture result = {0};
	const void *memory;

	(void)state;
	assert_int_equal(picture_resize(&source, 20, 20, &scratch, &result), 0);
	memory = scratch.memory;
	assert_int_equal(picture_resize(&source, 10, 10, &scratch, &result), 0);
	assert_ptr_equal(scratch.memory, memory);
	resize_scratch_release(&scratch);
	assert_null(scratch.memory);
	picture_release(&result);
	picture_release(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_equal_the_reference),
		cmocka_unit_test(random_sizes_equal_the_plain_filter),
		cmocka_unit_test(same_size_changes_nothing),
		cmocka_unit_test(white_stays_white_at_the_extremes),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(scratch_is_kept),
	};

	return cmocka_run_group_tests_name("vision/resize", tests, NULL, NULL);
}
