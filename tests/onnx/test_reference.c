// SPDX-License-Identifier: Apache-2.0
/*
 * Real photographs by real models, against what ONNX Runtime's own Python package
 * says of them: the same first class, and its probability within a hundredth.
 * These data are no part of this repository; where there are none, it skips.
 */
#include <math.h>
#include <unistd.h>

#include <json-c/json.h>

#include "support.h"

#define TOLERANCE 0.01

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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_mobilenet_v1), TEST(test_mobilenet_v2)};
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
