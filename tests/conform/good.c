// SPDX-License-Identifier: Apache-2.0
/*
 * What a backend that computes makes of good pictures and models, which are our own
 * and small: those of --models, made by gather_models.py. With --pictures,
 * VACCEL_MODEL_PATH is the same directory where the work is done. That many kinds of models are
 * read, and how exactly, is shown by the backends' own tests.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "conform.h"

/* Two by two: red, green; blue, red. */
static const unsigned char quarters[] = {
	0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
	0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x02, 0x00, 0x00, 0x00, 0xfd,
	0xd4, 0x9a, 0x73, 0x00, 0x00, 0x00, 0x12, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xf8,
	0xcf, 0xc0, 0xc0, 0x00, 0xc2, 0x0c, 0xff, 0x81, 0x24, 0x00, 0x1c, 0xf1, 0x03, 0xfd, 0xd7,
	0x60, 0xb4, 0x47, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

static bool is_near(float a, float b)
{
	return fabsf(a - b) < 1e-3F;
}

static const char *path_of(const char *name)
{
	static char path[4096];

	assert_in_range(snprintf(path, sizeof(path), "%s/%s", conform_models, name), 1,
			sizeof(path) - 1);
	return path;
}

static void skip_without_models(void)
{
	if (!conform_models || !conform_computes)
		skip();
}

static void skip_without_pictures(void)
{
	skip_without_models();
	if (!conform_pictures)
		skip();
}

static void test_digit(void **state)
{
	static unsigned char png[8192];
	unsigned char text[80], name[80];
	struct vaccel_class *top;
	size_t size, nr;
	FILE *file;
	int ret;

	skip_without_pictures();
	file = fopen(path_of("seven.png"), "r");
	assert_non_null(file);
	size = fread(png, 1, sizeof(png), file);
	fclose(file);
	ret = vaccel_image_classification(&conform_sess, png, text, name, size, sizeof(text),
					  sizeof(name));
	skip_unless_offered(ret, "image_classify");
	assert_int_equal(ret, VACCEL_OK);
	assert_non_null(strstr((char *)text, "seven"));
	assert_string_equal((char *)name, "");
	assert_int_equal(vaccel_image_classify_top(&conform_sess, png, size, 3, &top, &nr),
			 VACCEL_OK);
	assert_int_equal(nr, 3);
	assert_string_equal(top[0].label, "seven");
	assert_int_equal(top[0].index, 7);
	assert_true(top[0].probability > 0.9F && top[1].probability < 0.1F);
	free(top);
}

static void test_boxes(void **state)
{
	struct vaccel_box *boxes;
	size_t nr;
	int ret;

	skip_without_pictures();
	ret = vaccel_image_detect_boxes(&conform_sess, quarters, sizeof(quarters), &boxes, &nr);
	skip_unless_offered(ret, "image_detect_boxes");
	assert_int_equal(ret, VACCEL_OK);
	/* As sure as half of the picture is red. */
	assert_int_equal(nr, 2);
	assert_string_equal(boxes[0].label, "car");
	assert_string_equal(boxes[1].label, "person");
	assert_true(is_near(boxes[0].score, 0.45F) && is_near(boxes[1].score, 0.4F));
	assert_true(is_near(boxes[0].left, 0.4F) && is_near(boxes[0].bottom, 1));
	free(boxes);
}

static void test_mask(void **state)
{
	static const uint16_t wanted[] = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 0, 0, 2, 2, 0, 0};
	struct vaccel_mask mask;
	int ret;

	skip_without_pictures();
	ret = vaccel_image_segment_mask(&conform_sess, quarters, sizeof(quarters), &mask);
	skip_unless_offered(ret, "image_segment_mask");
	assert_int_equal(ret, VACCEL_OK);
	assert_int_equal(mask.width * mask.height, 16);
	assert_memory_equal(mask.pixels, wanted, sizeof(wanted));
	assert_int_equal(mask.nr_areas, 3);
	assert_string_equal(mask.areas[2].label, "blue");
	free(mask.pixels);
	free(mask.areas);
}

static void test_points(void **state)
{
	struct vaccel_point *points;
	size_t nr;
	int ret;

	skip_without_pictures();
	ret = vaccel_image_pose_points(&conform_sess, quarters, sizeof(quarters), &points, &nr);
	skip_unless_offered(ret, "image_pose_points");
	assert_int_equal(ret, VACCEL_OK);
	assert_int_equal(nr, 17);
	assert_string_equal(points[0].label, "nose");
	for (size_t i = 0; i < nr; i++)
		assert_true(is_near(points[i].y, 0.1F * (float)i));
	free(points);
}

static void test_depth(void **state)
{
	struct vaccel_depth depth;
	int ret;

	skip_without_pictures();
	ret = vaccel_image_depth_map(&conform_sess, quarters, sizeof(quarters), &depth);
	skip_unless_offered(ret, "image_depth_map");
	assert_int_equal(ret, VACCEL_OK);
	assert_int_equal(depth.width * depth.height, 16);
	for (size_t i = 0; i < 16; i++)
		assert_true(is_near(depth.values[i], 1.0F / 3));
	free(depth.values);
}

/* Two inputs of two rows of three; their sum, and their difference. */
static const float counted[] = {1, 2, 3, 4, 5, 6}, halves[] = {.5F, .5F, .5F, .5F, .5F, .5F};
static const float sums[] = {1.5F, 2.5F, 3.5F, 4.5F, 5.5F, 6.5F};
static const float differences[] = {.5F, 1.5F, 2.5F, 3.5F, 4.5F, 5.5F};

static struct vaccel_resource pair;

#define OPEN_PAIR(suffix)                                                                    \
	do {                                                                                 \
		skip_without_models();                                                       \
		assert_int_equal(vaccel_resource_init(&pair, path_of("pair." suffix),        \
						      VACCEL_RESOURCE_MODEL),                \
				 VACCEL_OK);                                                 \
		assert_int_equal(vaccel_resource_register(&pair, &conform_sess), VACCEL_OK); \
	} while (0)

/* The frameworks differ in their types only. */
#define MAKE_PAIR(type, kind, dim_type, in)                                                       \
	for (int i_ = 0; i_ < 2; i_++) {                                                          \
		assert_int_equal(                                                                 \
			type##_allocate(&(in)[i_], 2, (dim_type[]){2, 3}, kind, sizeof(counted)), \
			VACCEL_OK);                                                               \
		memcpy((in)[i_]->data, i_ ? halves : counted, sizeof(counted));                   \
	}

#define CHECK_PAIR(type, out)                                                                \
	for (int i_ = 0; i_ < 2; i_++) {                                                     \
		assert_int_equal((out)[i_]->nr_dims, 2);                                     \
		assert_int_equal((out)[i_]->dims[1], 3);                                     \
		assert_int_equal((out)[i_]->size, sizeof(sums));                             \
		assert_memory_equal((out)[i_]->data, i_ ? differences : sums, sizeof(sums)); \
		type##_delete((out)[i_]);                                                    \
	}

#define DELETE_PAIR(type, tensors)     \
	for (int i_ = 0; i_ < 2; i_++) \
		type##_delete((tensors)[i_]);

static void test_onnx_pair(void **state)
{
	static const char *const names[] = {"a", "b"}, *const results[] = {"sum", "difference"};
	struct vaccel_tensor *in[2], *out[2];
	int ret;

	OPEN_PAIR("onnx");
	ret = vaccel_onnx_model_load(&conform_sess, &pair);
	if (!ret) {
		MAKE_PAIR(vaccel_tensor, VACCEL_TENSOR_FLOAT, int64_t, in)
		assert_int_equal(
			vaccel_onnx_model_run(&conform_sess, &pair, names, in, 2, results, out, 2),
			VACCEL_OK);
		CHECK_PAIR(vaccel_tensor, out)
		assert_refused(
			vaccel_onnx_model_run(&conform_sess, &pair, results, in, 2, names, out, 2));
		in[0]->dims[1] = 2;
		assert_refused(
			vaccel_onnx_model_run(&conform_sess, &pair, names, in, 2, results, out, 2));
		DELETE_PAIR(vaccel_tensor, in)
		assert_int_equal(vaccel_onnx_model_unload(&conform_sess, &pair), VACCEL_OK);
	}
	assert_int_equal(vaccel_resource_release(&pair), VACCEL_OK);
	skip_unless_offered(ret, "onnx_model_load");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_tf_pair(void **state)
{
	static const struct vaccel_tf_node from[] = {{(char *)"a", 0}, {(char *)"b", 0}};
	static const struct vaccel_tf_node to[] = {{(char *)"sum", 0}, {(char *)"difference", 0}};
	struct vaccel_tf_tensor *in[2], *out[2];
	struct vaccel_tf_status status;
	int ret;

	OPEN_PAIR("pb");
	ret = vaccel_tf_model_load(&conform_sess, &pair, NULL);
	if (!ret) {
		MAKE_PAIR(vaccel_tf_tensor, VACCEL_TF_FLOAT, int64_t, in)
		assert_int_equal(vaccel_tf_model_run(&conform_sess, &pair, NULL, from, in, 2, to,
						     out, 2, &status),
				 VACCEL_OK);
		vaccel_tf_status_release(&status);
		CHECK_PAIR(vaccel_tf_tensor, out)
		assert_int_not_equal(vaccel_tf_model_run(&conform_sess, &pair, NULL, from, in, 2,
							 from, out, 0, NULL),
				     VACCEL_OK);
		in[0]->dims[1] = 2;
		assert_int_not_equal(vaccel_tf_model_run(&conform_sess, &pair, NULL, from, in, 2,
							 to, out, 2, NULL),
				     VACCEL_OK);
		DELETE_PAIR(vaccel_tf_tensor, in)
		assert_int_equal(vaccel_tf_model_unload(&conform_sess, &pair, NULL), VACCEL_OK);
	}
	assert_int_equal(vaccel_resource_release(&pair), VACCEL_OK);
	skip_unless_offered(ret, "tf_model_load");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_tflite_pair(void **state)
{
	struct vaccel_tflite_tensor *in[2], *out[2];
	uint8_t status = 77;
	int ret;

	OPEN_PAIR("tflite");
	ret = vaccel_tflite_model_load(&conform_sess, &pair);
	if (!ret) {
		MAKE_PAIR(vaccel_tflite_tensor, VACCEL_TFLITE_FLOAT32, int32_t, in)
		assert_int_equal(
			vaccel_tflite_model_run(&conform_sess, &pair, in, 2, out, 2, &status),
			VACCEL_OK);
		assert_int_equal(status, 0);
		CHECK_PAIR(vaccel_tflite_tensor, out)
		assert_int_not_equal(
			vaccel_tflite_model_run(&conform_sess, &pair, in, 1, out, 2, &status),
			VACCEL_OK);
		assert_int_not_equal(status, 0);
		DELETE_PAIR(vaccel_tflite_tensor, in)
		assert_int_equal(vaccel_tflite_model_unload(&conform_sess, &pair), VACCEL_OK);
	}
	assert_int_equal(vaccel_resource_release(&pair), VACCEL_OK);
	skip_unless_offered(ret, "tflite_model_load");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_torch_pair(void **state)
{
	struct vaccel_torch_tensor *in[2], *out[3];
	int ret;

	OPEN_PAIR("pt");
	ret = vaccel_torch_model_load(&conform_sess, &pair);
	if (!ret) {
		MAKE_PAIR(vaccel_torch_tensor, VACCEL_TORCH_FLOAT, int64_t, in)
		assert_int_equal(vaccel_torch_model_run(&conform_sess, &pair, NULL, in, 2, out, 2),
				 VACCEL_OK);
		CHECK_PAIR(vaccel_torch_tensor, out)
		assert_refused(vaccel_torch_model_run(&conform_sess, &pair, NULL, in, 1, out, 2));
		assert_refused(vaccel_torch_model_run(&conform_sess, &pair, NULL, in, 2, out, 3));
		DELETE_PAIR(vaccel_torch_tensor, in)
	}
	assert_int_equal(vaccel_resource_release(&pair), VACCEL_OK);
	skip_unless_offered(ret, "torch_model_load");
	assert_int_equal(ret, VACCEL_OK);
}

const struct CMUnitTest picture_tests[] = {
	cmocka_unit_test(test_digit),  cmocka_unit_test(test_boxes), cmocka_unit_test(test_mask),
	cmocka_unit_test(test_points), cmocka_unit_test(test_depth),
};
const size_t nr_picture_tests = sizeof(picture_tests) / sizeof(picture_tests[0]);

const struct CMUnitTest pair_tests[] = {
	cmocka_unit_test(test_onnx_pair),
	cmocka_unit_test(test_tf_pair),
	cmocka_unit_test(test_tflite_pair),
	cmocka_unit_test(test_torch_pair),
};
const size_t nr_pair_tests = sizeof(pair_tests) / sizeof(pair_tests[0]);
