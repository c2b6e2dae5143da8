// SPDX-License-Identifier: Apache-2.0
/*
 * Drawing: where what was found comes to lie in the PNG, on pictures of all sizes, and
 * whatever is wrong with what is to be drawn.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include <vaccel.h>

/* A PNG that was written. */
struct drawn {
	png_uint_32 width, height;
	png_byte *rgb;
};

static char path[] = "/tmp/vaccel-draw-XXXXXX";

static int make_path(void **state)
{
	strcpy(path, "/tmp/vaccel-draw-XXXXXX");
	return mkstemp(path) < 0;
}

static int remove_path(void **state)
{
	return unlink(path);
}

/* A picture of one grey, as a PNG; the caller frees. */
static void *grey(png_uint_32 width, png_uint_32 height, size_t *ret_size)
{
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = width,
			   .height = height,
			   .format = PNG_FORMAT_GRAY};
	png_byte *pixels = malloc((size_t)width * height);
	png_alloc_size_t size = (png_alloc_size_t)width * height + 65536;
	void *png = malloc(size);

	assert_non_null(pixels);
	assert_non_null(png);
	memset(pixels, 128, (size_t)width * height);
	assert_true(png_image_write_to_memory(&image, png, &size, 0, pixels, 0, NULL));
	free(pixels);
	*ret_size = size;
	return png;
}

static struct drawn read_drawn(void)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	struct drawn drawn;

	assert_true(png_image_begin_read_from_file(&image, path));
	image.format = PNG_FORMAT_RGB;
	drawn = (struct drawn){image.width, image.height, malloc(PNG_IMAGE_SIZE(image))};
	assert_non_null(drawn.rgb);
	assert_true(png_image_finish_read(&image, NULL, drawn.rgb, 0, NULL));
	return drawn;
}

static const png_byte *pixel(const struct drawn *drawn, double x, double y)
{
	return drawn->rgb +
	       3 * ((size_t)(y * drawn->height) * drawn->width + (size_t)(x * drawn->width));
}

static bool is_grey(const png_byte *rgb)
{
	return rgb[0] == 128 && rgb[1] == 128 && rgb[2] == 128;
}

/* How many pixels are not those of the picture. */
static size_t count_changed(const struct drawn *drawn)
{
	size_t changed = 0;

	for (size_t i = 0; i < (size_t)drawn->width * drawn->height; i++)
		changed += !is_grey(drawn->rgb + 3 * i);
	return changed;
}

static struct vaccel_box box_of(float left, float top, float right, float bottom, const char *label)
{
	return (struct vaccel_box){3, 0.875f, left, top, right, bottom, (char *)label};
}

static void check_boxes(png_uint_32 width, png_uint_32 height, png_uint_32 scaled)
{
	float w = (float)width, h = (float)height;
	struct vaccel_box box = box_of(0.25f * w, 0.5f * h, 0.75f * w, h, "cat");
	struct drawn drawn;
	size_t size;
	void *png = grey(width, height, &size);

	assert_int_equal(vaccel_draw_boxes(png, size, &box, 1, path), VACCEL_OK);
	drawn = read_drawn();
	assert_int_equal(drawn.width, scaled);
	assert_int_equal(drawn.height, (png_uint_32)((uint64_t)height * scaled / width));
	/* The sides of the box, what is in it, and what is around it. */
	assert_false(is_grey(pixel(&drawn, 0.25, 0.8)));
	assert_false(is_grey(pixel(&drawn, 0.75, 0.8)));
	assert_false(is_grey(pixel(&drawn, 0.5, 0.5)));
	assert_true(is_grey(pixel(&drawn, 0.5, 0.75)));
	assert_true(is_grey(pixel(&drawn, 0.1, 0.9)));
	assert_true(is_grey(pixel(&drawn, 0.9, 0.1)));
	free(drawn.rgb);
	free(png);
}

static void test_sizes(void **state)
{
	check_boxes(40, 40, 480);
	check_boxes(100, 60, 500);
	check_boxes(640, 480, 640);
	check_boxes(2000, 1200, 2000);
	check_boxes(9000, 900, 8192);
}

/* One pixel, a line of pixels: what is drawn is not much, but something. */
static void test_extreme_pictures(void **state)
{
	static const png_uint_32 sizes[][4] = {
		{1, 1, 480, 480}, {1, 700, 1, 700}, {700, 1, 700, 1}, {20000, 3, 8192, 1}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct vaccel_box box = box_of(0, 0, (float)sizes[i][0], 1, "a");
		struct drawn drawn;
		size_t size;
		void *png = grey(sizes[i][0], sizes[i][1], &size);

		assert_int_equal(vaccel_draw_boxes(png, size, &box, 1, path), VACCEL_OK);
		drawn = read_drawn();
		assert_int_equal(drawn.width, sizes[i][2]);
		assert_int_equal(drawn.height, sizes[i][3]);
		free(drawn.rgb);
		free(png);
	}
}

static void test_nothing_found(void **state)
{
	struct drawn drawn;
	size_t size;
	void *png = grey(500, 400, &size);

	assert_int_equal(vaccel_draw_boxes(png, size, NULL, 0, path), VACCEL_OK);
	drawn = read_drawn();
	assert_int_equal(count_changed(&drawn), 0);
	free(drawn.rgb);
	assert_int_equal(vaccel_draw_points(png, size, NULL, 0, path), VACCEL_OK);
	drawn = read_drawn();
	assert_int_equal(count_changed(&drawn), 0);
	free(drawn.rgb);
	free(png);
}

/* Labels may hold anything: none may stop the drawing, or change what is around it. */
static void test_labels(void **state)
{
	static char longest[5000];
	static const char *const labels[] = {
		"",
		"\xff\xfe",
		"a\033[2J\n\tb",
		"\xc3\xa9\xe2\x82\xac",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xc0\xaf",
		"\xf0\x9f\x90\xb1",
		longest,
	};
	size_t size;
	void *png = grey(500, 400, &size);

	memset(longest, 'x', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		struct vaccel_box box = box_of(100, 100, 200, 200, labels[i]);
		struct drawn drawn;

		assert_int_equal(vaccel_draw_boxes(png, size, &box, 1, path), VACCEL_OK);
		drawn = read_drawn();
		assert_true(count_changed(&drawn) > 1000);
		assert_true(is_grey(pixel(&drawn, 0.9, 0.9)));
		free(drawn.rgb);
	}
	free(png);
}

/* Numbers may be anything, too. */
static void test_numbers(void **state)
{
	static const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0};
	struct vaccel_point points[17] = {0};
	size_t size;
	void *png = grey(500, 400, &size);

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct vaccel_box boxes[] = {
			box_of(odd[i], odd[i], odd[i], odd[i], "x"),
			box_of(50, 50, 100, 100, "y"),
		};
		struct drawn drawn;

		assert_int_equal(vaccel_draw_boxes(png, size, boxes, 2, path), VACCEL_OK);
		drawn = read_drawn();
		/* The other box is there. */
		assert_false(is_grey(pixel(&drawn, 0.15, 0.25)));
		free(drawn.rgb);
		for (size_t p = 0; p < 17; p++)
			points[p] = (struct vaccel_point){.x = odd[i],
							  .y = odd[(p + i) % 6],
							  .score = 1,
							  .label = (char *)""};
		assert_int_equal(vaccel_draw_points(png, size, points, 17, path), VACCEL_OK);
	}
	free(png);
}

static void test_people(void **state)
{
	struct vaccel_point points[34];
	struct drawn drawn;
	size_t size;
	void *png = grey(500, 500, &size);

	for (uint32_t i = 0; i < 34; i++)
		points[i] = (struct vaccel_point){
			.person = i / 17,
			.index = i % 17,
			.x = i < 17 ? 100.0f : 400.0f,
			.y = 50.0f + 20.0f * (float)(i % 17),
			.score = i < 17 ? 0.9f : 0.1f,
			.label = (char *)"",
		};
	assert_int_equal(vaccel_draw_points(png, size, points, 34, path), VACCEL_OK);
	drawn = read_drawn();
	/* A joint, a limb; nobody joins two people, and of the second one nothing is sure. */
	assert_false(is_grey(pixel(&drawn, 0.2, 0.1)));
	assert_false(is_grey(pixel(&drawn, 0.2, 0.6)));
	for (int percent = 25; percent < 100; percent++)
		assert_true(is_grey(pixel(&drawn, percent / 100.0, 0.4)));
	free(drawn.rgb);
	free(png);
}

static void test_mask(void **state)
{
	uint16_t pixels[] = {0, 9, 0, 300};
	struct vaccel_area areas[] = {
		{0, 2, (char *)"Background"}, {9, 1, (char *)"chair"}, {300, 1, (char *)""}};
	struct vaccel_mask mask = {2, 2, pixels, areas, 3};
	struct drawn drawn;
	size_t size;
	void *png = grey(600, 600, &size);

	assert_int_equal(vaccel_draw_mask(png, size, &mask, path), VACCEL_OK);
	drawn = read_drawn();
	assert_int_equal(drawn.width, 600);
	/* Room for the legend of two classes; the background has neither colour nor name. */
	assert_in_range(drawn.height, 620, 680);
	drawn.height = 600;
	assert_true(is_grey(pixel(&drawn, 0.1, 0.1)));
	assert_true(is_grey(pixel(&drawn, 0.1, 0.9)));
	assert_false(is_grey(pixel(&drawn, 0.9, 0.1)));
	assert_false(is_grey(pixel(&drawn, 0.9, 0.9)));
	assert_memory_not_equal(pixel(&drawn, 0.9, 0.1), pixel(&drawn, 0.9, 0.9), 3);
	free(drawn.rgb);
	mask.width = 0;
	assert_int_equal(vaccel_draw_mask(png, size, &mask, path), VACCEL_EINVAL);
	mask.width = 40000;
	assert_int_equal(vaccel_draw_mask(png, size, &mask, path), VACCEL_EINVAL);
	free(png);
}

static void test_depth(void **state)
{
	float values[] = {1, 2, NAN, 3};
	struct vaccel_depth depth = {2, 2, values};
	struct drawn drawn;
	size_t size;
	void *png = grey(600, 600, &size);

	assert_int_equal(vaccel_draw_depth(png, size, &depth, path), VACCEL_OK);
	drawn = read_drawn();
	assert_true(drawn.height > 600);
	drawn.height = 600;
	/* Brighter for more; black for what is none. */
	assert_true(pixel(&drawn, 0.1, 0.1)[0] < pixel(&drawn, 0.9, 0.1)[0]);
	assert_true(pixel(&drawn, 0.9, 0.1)[1] < pixel(&drawn, 0.9, 0.9)[1]);
	assert_int_equal(pixel(&drawn, 0.1, 0.9)[0], 0);
	free(drawn.rgb);
	for (size_t i = 0; i < 4; i++)
		values[i] = INFINITY;
	assert_int_equal(vaccel_draw_depth(png, size, &depth, path), VACCEL_OK);
	free(png);
}

static void test_what_cannot_be(void **state)
{
	struct vaccel_box box = box_of(0, 0, 1, 1, "");
	struct vaccel_mask mask = {0};
	size_t size;
	void *png = grey(10, 10, &size);

	assert_int_equal(vaccel_draw_boxes(NULL, size, &box, 1, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_boxes(png, 0, &box, 1, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_boxes(png, size, NULL, 1, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_boxes(png, size, &box, 1, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_mask(png, size, NULL, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_mask(png, size, &mask, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_points(png, size, NULL, 1, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_depth(png, size, NULL, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_boxes(png, size - 20, &box, 1, path), VACCEL_EINVAL);
	assert_int_equal(vaccel_draw_boxes(png, size, &box, 1, "/nowhere/x.png"), VACCEL_EIO);
	assert_non_null(strstr(vaccel_error_text(), "'/nowhere/x.png': No such file"));
	free(png);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_path, remove_path)
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),	   TEST(test_extreme_pictures),
		TEST(test_nothing_found),  TEST(test_labels),
		TEST(test_numbers),	   TEST(test_people),
		TEST(test_mask),	   TEST(test_depth),
		TEST(test_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
