// SPDX-License-Identifier: Apache-2.0
/*
 * Real photographs by real models, against what ONNX Runtime's own Python package
 * says of them: the same first class, and its probability within a hundredth; the same
 * objects, each side of their boxes within 2 % of the picture's, scores within 0.05.
 * These data are no part of this repository; where there are none, it skips.
 */
#include <math.h>
#include <unistd.h>

#include <json-c/json.h>

#include "support.h"

#define TOLERANCE	0.01
#define BOX_TOLERANCE	0.02
#define SCORE_TOLERANCE 0.05

static struct json_object *expected;

static void make_model(const char *name, int side)
{
	char path[512], card[512];

	make_dir(name);
	snprintf(path, sizeof(path), PHOTOS "/models/onnx/%s.onnx", name);
	snprintf(card, sizeof(card), "%s/model.onnx", name);
	copy_file(path, path_in(card));
	snprintf(path, sizeof(path), "%s/labels.txt", name);
	copy_file(PHOTOS "/labels/imagenet_1001_coral.txt", path_in(path));
	snprintf(card, sizeof(card),
		 "{\"task\":\"classify\",\"input\":{\"width\":%d,\"height\":%d,\"layout\":\"NCHW\","
		 "\"color\":\"RGB\",\"mean\":[128,128,128],\"scale\":[0.0078125,0.0078125,"
		 "0.0078125]},\"output\":{\"softmax\":false}}",
		 side, side);
	snprintf(path, sizeof(path), "%s/model.json", name);
	write_text(path_in(path), card);
}

/* How far the probability is off; the class must be the same. */
static double compare(const char *name, struct json_object *wanted)
{
	struct json_object *best = json_object_array_get_idx(wanted, 0), *index, *p, *label;
	struct vaccel_class *top;
	char path[512];
	size_t size, nr;
	double off;
	void *photo;

	snprintf(path, sizeof(path), PHOTOS "/images/%s", name);
	photo = read_file(path, &size);
	assert_int_equal(vaccel_image_classify_top(&session, photo, size, 5, &top, &nr), VACCEL_OK);
	assert_int_equal(nr, 5);
	assert_true(json_object_object_get_ex(best, "index", &index));
	assert_true(json_object_object_get_ex(best, "p", &p));
	assert_true(json_object_object_get_ex(best, "label", &label));
	assert_int_equal(top[0].index, json_object_get_int(index));
	assert_string_equal(top[0].label, json_object_get_string(label));
	off = fabs(top[0].probability - json_object_get_double(p));
	free(top);
	free(photo);
	return off;
}

static void check_model(const char *name, int side)
{
	struct json_object *results, *pictures;
	struct vaccel_resource model;
	char key[128];
	double most = 0;

	snprintf(key, sizeof(key), "onnx/%s", name);
	assert_true(json_object_object_get_ex(expected, "results", &results));
	assert_true(json_object_object_get_ex(results, key, &pictures));
	assert_true(json_object_object_length(pictures) > 0);
	make_model(name, side);
	open_model(&model, path_in(name));
	json_object_object_foreach(pictures, picture, wanted) most =
		fmax(most, compare(picture, wanted));
	printf("%s: %d pictures, probabilities at most %.6f off\n", name,
	       json_object_object_length(pictures), most);
	assert_true(most <= TOLERANCE);
	close_model(&model);
}

static void test_mobilenet_v1(void **state)
{
	check_model("mobilenet_v1_0.25_128_f32", 128);
}

static void test_mobilenet_v2(void **state)
{
	check_model("mobilenet_v2_1.0_224_u8w", 224);
}

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	return value;
}

/* How far a box is off, as part of the sides. */
static double compare_box(const struct vaccel_box *box, struct json_object *wanted,
			  const double size[2])
{
	const float sides[] = {box->left, box->top, box->right, box->bottom};
	struct json_object *corners = member(wanted, "box_x0_y0_x1_y1");
	double off = 0;

	assert_string_equal(box->label, json_object_get_string(member(wanted, "label")));
	assert_true(fabs(box->score - json_object_get_double(member(wanted, "score"))) <=
		    SCORE_TOLERANCE);
	for (size_t i = 0; i < 4; i++) {
		double corner = json_object_get_double(json_object_array_get_idx(corners, i));

		off = fmax(off, fabs(sides[i] / size[i % 2] - corner));
	}
	return off;
}

static double compare_boxes(const char *name, struct json_object *wanted, const double size[2])
{
	struct vaccel_box *boxes;
	size_t bytes, nr;
	char path[512];
	double off = 0;
	void *photo;

	snprintf(path, sizeof(path), PHOTOS "/images/%s", name);
	photo = read_file(path, &bytes);
	assert_int_equal(vaccel_image_detect_boxes(&session, photo, bytes, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, json_object_array_length(wanted));
	for (size_t i = 0; i < nr; i++)
		off = fmax(off, compare_box(&boxes[i], json_object_array_get_idx(wanted, i), size));
	free(boxes);
	free(photo);
	return off;
}

static void test_fastestdet(void **state)
{
	static const struct {
		const char *name;
		double size[2];
	} photos[] = {{"street_fastestdet_3.jpg", {500, 335}}, {"airplane_1.jpg", {427, 640}}};
	struct json_object *pictures =
		member(member(expected, "results"),
		       "onnx/FastestDet (352x352 NCHW BGR/255; nms 0.45, thr 0.65)");
	struct vaccel_resource model;
	double most = 0;

	make_dir("detect");
	copy_file(PHOTOS "/models/onnx/FastestDet.onnx", path_in("detect/model.onnx"));
	copy_file(PHOTOS "/labels/coco80.names", path_in("detect/labels.txt"));
	write_text(path_in("detect/model.json"),
		   "{\"task\":\"detect\",\"input\":{\"color\":\"BGR\"},"
		   "\"output\":{\"decoder\":\"fastestdet\"}}");
	open_model(&model, path_in("detect"));
	for (size_t i = 0; i < sizeof(photos) / sizeof(photos[0]); i++)
		most = fmax(most, compare_boxes(photos[i].name, member(pictures, photos[i].name),
						photos[i].size));
	printf("FastestDet: boxes at most %.4f of a side off\n", most);
	assert_true(most <= BOX_TOLERANCE);
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_mobilenet_v1), TEST(test_mobilenet_v2),
					   TEST(test_fastestdet)};
	int ret;

	if (access(PHOTOS "/expected.json", R_OK)) {
		puts("SKIP: the photographs and models to compare with are not part of the repository; "
		     "they would lie in " PHOTOS);
		return 77;
	}
	expected = json_object_from_file(PHOTOS "/expected.json");
	ret = expected ? cmocka_run_group_tests(tests, NULL, NULL) : EXIT_FAILURE;
	json_object_put(expected);
	return ret;
}
