// SPDX-License-Identifier: Apache-2.0
/* What is where in a picture: boxes, masks, joints, depths; in numbers, and drawn. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

#include "support.h"

#define MODEL(name) MODELS "/" name ".onnx"

typedef int annotate_fn(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			size_t len_img, size_t len_out_imgname);

static struct vaccel_resource model;

/* A model's directory with a card and labels, registered. */
static void use(const char *onnx, const char *card, const char *labels)
{
	if (access(path_in("m"), F_OK))
		make_dir("m");
	unlink(path_in("m/labels.txt"));
	copy_file(onnx, path_in("m/model.onnx"));
	write_text(path_in("m/model.json"), card);
	if (labels)
		write_text(path_in("m/labels.txt"), labels);
	open_model(&model, path_in("m"));
}

static bool is_near(float a, float b)
{
	return fabsf(a - b) < 1e-3f;
}

static void check_box(const struct vaccel_box *box, const char *label, float score,
		      const float place[4])
{
	assert_string_equal(box->label, label);
	if (!is_near(box->score, score) || !is_near(box->left, place[0]) ||
	    !is_near(box->top, place[1]) || !is_near(box->right, place[2]) ||
	    !is_near(box->bottom, place[3]))
		fail_msg("%s %f: %f %f %f %f", box->label, box->score, box->left, box->top,
			 box->right, box->bottom);
}

/* Two by two: red, green; blue, red. */
static void *quarters(size_t *ret_size)
{
	static const png_byte pixels[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 0, 0};
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = 2, .height = 2, .format = PNG_FORMAT_RGB};
	png_alloc_size_t size = 4096;
	void *png = malloc(size);

	assert_non_null(png);
	assert_true(png_image_write_to_memory(&image, png, &size, 0, pixels, 0, NULL));
	*ret_size = size;
	return png;
}

static void *large_red(png_uint_32 width, png_uint_32 height, size_t *ret_size)
{
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = width,
			   .height = height,
			   .format = PNG_FORMAT_RGB};
	png_alloc_size_t size = 1 << 20;
	png_byte *pixels = calloc(3, (size_t)width * height);
	void *png = malloc(size);

	assert_non_null(pixels);
	assert_non_null(png);
	for (size_t i = 0; i < (size_t)width * height; i++)
		pixels[3 * i] = 255;
	assert_true(png_image_write_to_memory(&image, png, &size, 0, pixels, 0, NULL));
	free(pixels);
	*ret_size = size;
	return png;
}

static void test_boxes_of_ssd(void **state)
{
	struct vaccel_box *boxes;
	size_t size, nr;
	void *png = large_red(200, 100, &size);

	/* Its own order, half of all, no label for the class 7, which the count leaves out. */
	open_model(&model, MODEL("ssd"));
	assert_int_equal(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 3);
	check_box(&boxes[0], "", 0.9f, (float[]){40, 10, 120, 50});
	/* What lies outside of the picture is cut off. */
	check_box(&boxes[1], "", 0.8f, (float[]){100, 0, 200, 50});
	assert_int_equal(boxes[1].index, 0);
	check_box(&boxes[2], "", 0.7f, (float[]){40, 10, 130, 50});
	free(boxes);
	close_model(&model);

	use(MODEL("ssd"),
	    "{\"task\": \"detect\", \"output\": {\"nms\": 0.8, \"threshold\": 0.6, "
	    "\"first_label\": 1}}",
	    "???\nperson\ncar\n");
	assert_int_equal(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 2);
	check_box(&boxes[0], "car", 0.9f, (float[]){40, 10, 120, 50});
	check_box(&boxes[1], "person", 0.8f, (float[]){100, 0, 200, 50});
	free(boxes);
	free(png);
	/* In a picture that is not red it is sure of nothing. */
	png = colour(2, &size);
	assert_int_equal(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 0);
	free(boxes);
	free(png);
	close_model(&model);
}

static void test_boxes_of_cells(void **state)
{
	struct vaccel_box *boxes;
	size_t size, nr;
	void *png = large_red(200, 100, &size);

	use(MODEL("cells"), "{\"task\": \"detect\", \"output\": {\"decoder\": \"fastestdet\"}}",
	    "cat\ndog\n");
	assert_int_equal(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 2);
	check_box(&boxes[0], "dog", powf(0.9f, 0.6f), (float[]){0, 0, 100, 50});
	check_box(&boxes[1], "cat", powf(0.7f, 0.6f), (float[]){150, 50, 150, 100});
	free(boxes);
	close_model(&model);
	/* Every box by itself, and also the unsure one. */
	use(MODEL("cells"),
	    "{\"task\": \"detect\", \"output\": {\"decoder\": \"fastestdet\", \"nms\": 1, "
	    "\"threshold\": 0}}",
	    NULL);
	assert_int_equal(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 4);
	check_box(&boxes[1], "", powf(0.8f, 0.6f), (float[]){5, 0, 105, 50});
	free(boxes);
	free(png);
	close_model(&model);
}

/* Whose outputs have no numbers at all, which is seen only when they come. */
static void test_nothing_found(void **state)
{
	struct vaccel_box *boxes;
	struct vaccel_point *points;
	size_t size, nr;
	void *png = large_red(200, 100, &size);

	use(MODEL("no_boxes"),
	    "{\"task\": \"detect\", \"output\": {\"order\": [\"boxes\", \"classes\", "
	    "\"scores\"]}}",
	    NULL);
	assert_int_equal(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 0);
	free(boxes);
	close_model(&model);
	open_model(&model, MODEL("no_people"));
	assert_int_equal(vaccel_image_pose_points(&session, png, size, &points, &nr), VACCEL_OK);
	assert_int_equal(nr, 0);
	free(points);
	close_model(&model);
	/* There are cells, of no picture. */
	use(MODEL("no_cells"), "{\"task\": \"detect\", \"output\": {\"decoder\": \"fastestdet\"}}",
	    NULL);
	assert_fails(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_EBACKEND,
		     "double [0, 7, 2, 2], which are no planes");
	close_model(&model);
	free(png);
}

static void check_mask(const void *png, size_t size, const char *const labels[3])
{
	static const uint16_t wanted[] = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 0, 0, 2, 2, 0, 0};
	struct vaccel_mask mask;

	assert_int_equal(vaccel_image_segment_mask(&session, png, size, &mask), VACCEL_OK);
	assert_int_equal(mask.width, 4);
	assert_int_equal(mask.height, 4);
	assert_memory_equal(mask.pixels, wanted, sizeof(wanted));
	assert_int_equal(mask.nr_areas, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(mask.areas[i].index, i);
		assert_int_equal(mask.areas[i].pixels, i ? 4 : 8);
		assert_string_equal(mask.areas[i].label, labels[i]);
	}
	free(mask.pixels);
	free(mask.areas);
}

/* In a black picture all classes are as likely. */
static void check_equal_scores(void)
{
	struct vaccel_mask mask;
	size_t size;
	void *png = colour(3, &size);

	assert_int_equal(vaccel_image_segment_mask(&session, png, size, &mask), VACCEL_OK);
	assert_int_equal(mask.nr_areas, 1);
	assert_int_equal(mask.areas[0].index, 0);
	free(mask.pixels);
	free(mask.areas);
	free(png);
}

static void test_masks(void **state)
{
	size_t size;
	void *png = quarters(&size);

	open_model(&model, MODEL("mask"));
	check_mask(png, size, (const char *[]){"", "", ""});
	check_equal_scores();
	close_model(&model);
	use(MODEL("classes"), "{\"task\": \"segment\"}", "red\ngreen\nblue\n");
	check_mask(png, size, (const char *[]){"red", "green", "blue"});
	close_model(&model);
	free(png);
}

/* One score for each pixel divides the picture in two. */
static void test_mask_of_one_class(void **state)
{
	struct vaccel_mask mask;
	size_t size;
	void *png = colour(1, &size);

	use(MODEL("depth"), "{\"task\": \"segment\", \"output\": {\"threshold\": 0.3}}", NULL);
	assert_int_equal(vaccel_image_segment_mask(&session, png, size, &mask), VACCEL_OK);
	assert_int_equal(mask.nr_areas, 1);
	assert_int_equal(mask.areas[0].index, 1);
	assert_int_equal(mask.areas[0].pixels, 16);
	free(mask.pixels);
	free(mask.areas);
	close_model(&model);
	free(png);
}

static void test_joints(void **state)
{
	struct vaccel_point *points;
	size_t size, nr;
	void *png = large_red(200, 100, &size);

	open_model(&model, MODEL("joints"));
	assert_int_equal(vaccel_image_pose_points(&session, png, size, &points, &nr), VACCEL_OK);
	assert_int_equal(nr, 17);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(points[i].person, 0);
		assert_int_equal(points[i].index, i);
		assert_true(is_near(points[i].y, 5 * (float)i));
		assert_true(is_near(points[i].x, 200 - 10 * (float)i));
		assert_true(is_near(points[i].score, (float)i / 16));
	}
	assert_string_equal(points[0].label, "nose");
	assert_string_equal(points[16].label, "right ankle");
	free(points);
	free(png);
	close_model(&model);
}

static void test_people(void **state)
{
	struct vaccel_point *points;
	size_t size, nr;
	void *png = large_red(200, 100, &size);

	open_model(&model, MODEL("people"));
	assert_int_equal(vaccel_image_pose_points(&session, png, size, &points, &nr), VACCEL_OK);
	assert_int_equal(nr, 2 * 17);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(points[i].person, i / 17);
		assert_int_equal(points[i].index, i % 17);
		assert_true(is_near(points[i].y, 5 * (float)(i % 17)));
		assert_true(is_near(points[i].x, i < 17 ? 0 : 100));
		assert_true(is_near(points[i].score, (float)(i % 17) / 16));
	}
	assert_string_equal(points[17].label, "nose");
	assert_string_equal(points[33].label, "right ankle");
	free(points);
	close_model(&model);
	/* Nobody is sure enough. */
	use(MODEL("people"), "{\"task\": \"pose\", \"output\": {\"threshold\": 0.95}}", NULL);
	assert_int_equal(vaccel_image_pose_points(&session, png, size, &points, &nr), VACCEL_OK);
	assert_int_equal(nr, 0);
	free(points);
	close_model(&model);
	free(png);
}

static void test_depths(void **state)
{
	struct vaccel_depth depth;
	size_t size;
	void *png = quarters(&size);

	open_model(&model, MODEL("depth"));
	assert_int_equal(vaccel_image_depth_map(&session, png, size, &depth), VACCEL_OK);
	assert_int_equal(depth.width, 4);
	assert_int_equal(depth.height, 4);
	for (size_t i = 0; i < 16; i++)
		assert_true(is_near(depth.values[i], 1.0f / 3));
	free(depth.values);
	close_model(&model);
	free(png);
}

/* A model that takes bytes gets the pixels as they are, unless its card says more. */
static void test_bytes(void **state)
{
	struct vaccel_class *top;
	size_t size, nr;
	void *png = colour(1, &size);

	open_model(&model, MODEL("bytes"));
	assert_int_equal(vaccel_image_classify_top(&session, png, size, 1, &top, &nr), VACCEL_OK);
	assert_int_equal(top[0].index, 1);
	assert_true(top[0].probability == 255);
	free(top);
	close_model(&model);
	use(MODEL("bytes"),
	    "{\"task\": \"classify\", \"input\": {\"layout\": \"NHWC\", \"scale\": [0.1, 0.1, 0.1]}}",
	    NULL);
	assert_int_equal(vaccel_image_classify_top(&session, png, size, 1, &top, &nr), VACCEL_OK);
	assert_true(top[0].probability == 26);
	free(top);
	close_model(&model);
	free(png);
}

#define REFUSE(call, words)                                 \
	do {                                                \
		assert_fails((call), VACCEL_EINVAL, words); \
		close_model(&model);                        \
	} while (0)

static void test_unfit_models(void **state)
{
	struct vaccel_box *boxes;
	struct vaccel_mask mask;
	struct vaccel_point *points;
	struct vaccel_depth depth;
	size_t size, nr;
	void *png = quarters(&size);

	open_model(&model, MODEL("mask"));
	assert_fails(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_EINVAL,
		     "the model has 1 outputs; to detect objects by the decoder ssd");
	assert_fails(vaccel_image_pose_points(&session, png, size, &points, &nr), VACCEL_EINVAL,
		     "output 'y' is float [1, 3, 4, 4]; to find joints");
	REFUSE(vaccel_image_depth_map(&session, png, size, &depth), "it must be one map");
	open_model(&model, MODEL("flat"));
	REFUSE(vaccel_image_segment_mask(&session, png, size, &mask), "output 'y' is float [3]");
	use(MODEL("mask"), "{\"task\": \"segment\"}", NULL);
	REFUSE(vaccel_image_depth_map(&session, png, size, &depth),
	       "its task is segment, not depth");
	use(MODEL("mask"), "{\"task\": \"segment\"}", "one\ntwo\n");
	REFUSE(vaccel_image_segment_mask(&session, png, size, &mask),
	       "2 labels for a model of 3 classes");
	use(MODEL("cells"), "{\"task\": \"detect\", \"output\": {\"decoder\": \"fastestdet\"}}",
	    "cat\n");
	REFUSE(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr),
	       "1 labels for a model of 2 classes");
	use(MODEL("ssd"),
	    "{\"task\": \"detect\", \"output\": {\"order\": [\"scores\", \"classes\", "
	    "\"count\", \"boxes\"]}}",
	    NULL);
	REFUSE(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr),
	       "output 'count' is float [1]; to detect objects it must be boxes");
	use(MODEL("ssd"),
	    "{\"task\": \"detect\", \"output\": {\"order\": [\"scores\", \"scores\"]}}", NULL);
	REFUSE(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), "output.order");
	use(MODEL("ssd"), "{\"task\": \"detect\", \"output\": {\"decoder\": \"yolo\"}}", NULL);
	REFUSE(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr),
	       "output.decoder is to be one of ssd, fastestdet");
	free(png);
}

/* A model that is another framework's is not for this plugin. */
static void test_another_framework(void **state)
{
	struct vaccel_box *boxes;
	struct vaccel_class *top;
	size_t size, nr;
	void *png = quarters(&size);

	write_text(path_in("x.tflite"), "not looked at");
	open_model(&model, path_in("x.tflite"));
	assert_fails(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_ENOTSUP,
		     "no plugin that has 'image_detect_boxes' takes what this call gives it");
	close_model(&model);
	write_file(path_in("x"), "\x1c\0\0\0TFL3 and so on", 18);
	open_model(&model, path_in("x"));
	assert_fails(vaccel_image_classify_top(&session, png, size, 1, &top, &nr), VACCEL_ENOTSUP,
		     "takes what this call gives it");
	close_model(&model);
	free(png);
}

/* The size of the PNG that a path names; it must be one. */
static void png_size(const char *path, png_uint_32 *ret_width, png_uint_32 *ret_height)
{
	png_image image = {.version = PNG_IMAGE_VERSION};

	if (!png_image_begin_read_from_file(&image, path))
		fail_msg("%s: %s", path, image.message);
	*ret_width = image.width;
	*ret_height = image.height;
	png_image_free(&image);
}

static void check_drawing(annotate_fn *annotate, const char *name, const void *png, size_t size,
			  bool has_strip)
{
	png_uint_32 width, height;
	unsigned char path[512], again[512], cut[6];

	if (access(PLUGIN_DIR "/draw.so", F_OK)) {
		assert_fails(annotate(&session, png, path, size, sizeof(path)), VACCEL_ENOTSUP,
			     "nothing can be drawn");
		return;
	}
	assert_int_equal(annotate(&session, png, path, size, sizeof(path)), VACCEL_OK);
	assert_int_equal(strncmp((char *)path, vaccel_session_rundir(&session),
				 strlen(vaccel_session_rundir(&session))),
			 0);
	assert_non_null(strstr((char *)path, name));
	png_size((char *)path, &width, &height);
	/* 200x100 is enlarged three times. */
	assert_int_equal(width, 600);
	assert_true(has_strip ? height > 300 : height == 300);
	/* Each call has a picture of its own; its name is cut as snprintf() does. */
	assert_int_equal(annotate(&session, png, again, size, sizeof(again)), VACCEL_OK);
	assert_string_not_equal((char *)again, (char *)path);
	assert_int_equal(annotate(&session, png, cut, size, sizeof(cut)), VACCEL_OK);
	assert_int_equal(cut[5], 0);
	assert_memory_equal(cut, path, 5);
	assert_int_equal(annotate(&session, png, NULL, size, 0), VACCEL_OK);
	assert_int_equal(annotate(&session, png, NULL, size, 9), VACCEL_EINVAL);
	assert_int_equal(annotate(&session, png, path, 0, sizeof(path)), VACCEL_EINVAL);
	assert_int_equal(annotate(&session, "junk", path, 4, sizeof(path)), VACCEL_EINVAL);
}

static void test_drawings(void **state)
{
	char rundir[512];
	size_t size;
	void *png = large_red(200, 100, &size);

	open_model(&model, MODEL("ssd"));
	check_drawing(vaccel_image_detection, "image_detect", png, size, false);
	close_model(&model);
	open_model(&model, MODEL("mask"));
	/* All is of class 0, which has no name: there is nothing for a legend. */
	check_drawing(vaccel_image_segmentation, "image_segment", png, size, false);
	close_model(&model);
	open_model(&model, MODEL("joints"));
	check_drawing(vaccel_image_pose, "image_pose", png, size, false);
	close_model(&model);
	open_model(&model, MODEL("depth"));
	check_drawing(vaccel_image_depth, "image_depth", png, size, true);
	close_model(&model);
	/* They go with the session. */
	snprintf(rundir, sizeof(rundir), "%s", vaccel_session_rundir(&session));
	assert_int_equal(access(rundir, F_OK), 0);
	assert_int_equal(vaccel_session_release(&session), VACCEL_OK);
	assert_int_not_equal(access(rundir, F_OK), 0);
	assert_int_equal(vaccel_session_init(&session, 0), VACCEL_OK);
	free(png);
}

/* The old way to run any operation draws, too. */
static void test_genop(void **state)
{
	uint8_t number = VACCEL_OP_IMAGE_DETECT;
	char name[512] = "";
	size_t size;
	void *png = large_red(200, 100, &size);
	struct vaccel_arg read[] = {
		{.buf = &number, .size = 1, .type = VACCEL_ARG_UINT8},
		{.buf = png, .size = size, .type = VACCEL_ARG_BUFFER},
	};
	struct vaccel_arg write = {
		.buf = name, .size = sizeof(name), .type = VACCEL_ARG_UCHAR_ARRAY};
	png_uint_32 width, height;

	open_model(&model, MODEL("ssd"));
	if (access(PLUGIN_DIR "/draw.so", F_OK)) {
		assert_int_equal(vaccel_genop(&session, read, 2, &write, 1), VACCEL_ENOTSUP);
	} else {
		assert_int_equal(vaccel_genop(&session, read, 2, &write, 1), VACCEL_OK);
		png_size(name, &width, &height);
		assert_int_equal(width, 600);
	}
	close_model(&model);
	free(png);
}

static void test_default_models(void **state)
{
	struct vaccel_depth depth;
	struct vaccel_box *boxes;
	size_t size, nr;
	void *png = quarters(&size);

	make_dir("models");
	make_dir("models/depth");
	copy_file(MODEL("depth"), path_in("models/depth/model.onnx"));
	write_text(path_in("models/depth/model.json"), "{\"task\": \"depth\"}");
	assert_int_equal(vaccel_image_depth_map(&session, png, size, &depth), VACCEL_OK);
	free(depth.values);
	assert_string_equal(reported("default for depth"), path_in("models/depth"));
	assert_fails(vaccel_image_detect_boxes(&session, png, size, &boxes, &nr), VACCEL_ENOENT,
		     "no detect/model.json is in");
	free(png);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_boxes_of_ssd),
		TEST(test_boxes_of_cells),
		TEST(test_nothing_found),
		TEST(test_masks),
		TEST(test_mask_of_one_class),
		TEST(test_joints),
		TEST(test_people),
		TEST(test_depths),
		TEST(test_bytes),
		TEST(test_unfit_models),
		TEST(test_another_framework),
		TEST(test_drawings),
		TEST(test_genop),
		TEST(test_default_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
