// SPDX-License-Identifier: Apache-2.0
/*
 * Real photographs by real models, against what TensorFlow Lite's own Python package
 * says of them. Their numbers are bytes, and kernels round them in different ways:
 * the first class may be any within two hundredths of the best.
 * These data are no part of this repository; where there are none, it skips.
 */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "support.h"

#define TOLERANCE 0.02

static struct json_object *results;

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("expected.json has no '%s' there", key);
	return value;
}

static double number(struct json_object *object, const char *key)
{
	return json_object_get_double(member(object, key));
}

/* The probability that is expected of a class; 0 if it is not among the best. */
static double expected_of(struct json_object *wanted, uint32_t index)
{
	for (size_t i = 0; i < json_object_array_length(wanted); i++) {
		struct json_object *class = json_object_array_get_idx(wanted, i);

		if (json_object_get_int(member(class, "index")) == (int)index)
			return number(class, "p");
	}
	return 0;
}

/* How far the probability is off. */
static double compare(const char *name, struct json_object *wanted)
{
	struct json_object *best = json_object_array_get_idx(wanted, 0);
	struct vaccel_class *top;
	char path[512];
	size_t size, nr;
	void *photo;
	double off;

	snprintf(path, sizeof(path), PHOTOS "/images/%s", name);
	photo = read_file(path, &size);
	assert_int_equal(vaccel_image_classify_top(&session, photo, size, 5, &top, &nr), VACCEL_OK);
	assert_int_equal(nr, 5);
	off = fabs(top[0].probability - expected_of(wanted, top[0].index));
	printf("%s: %u %s %.4f, expected %d %.4f\n", name, top[0].index, top[0].label,
	       top[0].probability, json_object_get_int(member(best, "index")), number(best, "p"));
	assert_true(expected_of(wanted, top[0].index) >= number(best, "p") - TOLERANCE);
	free(top);
	free(photo);
	return off;
}

static void link_file(const char *from, const char *directory, const char *name)
{
	char to[600];

	snprintf(to, sizeof(to), "%s/%s", directory, name);
	assert_int_equal(symlink(from, to), 0);
}

static void check_model(const char *name)
{
	char directory[] = "/tmp/vaccel-tflite-XXXXXX", path[512], key[128];
	struct json_object *pictures;
	struct vaccel_resource model;
	double most = 0;

	snprintf(key, sizeof(key), "tflite/%s", name);
	pictures = member(results, key);
	assert_true(json_object_object_length(pictures) > 0);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), PHOTOS "/models/tflite/%s.tflite", name);
	link_file(path, directory, "model.tflite");
	link_file(PHOTOS "/labels/imagenet_1001_coral.txt", directory, "labels.txt");
	open_model(&model, directory);
	json_object_object_foreach(pictures, picture, wanted) most =
		fmax(most, compare(picture, wanted));
	printf("%s: %d pictures, probabilities at most %.6f off\n", name,
	       json_object_object_length(pictures), most);
	assert_true(most <= TOLERANCE);
	close_model(&model);
	snprintf(path, sizeof(path), "%s/model.tflite", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/labels.txt", directory);
	unlink(path);
	rmdir(directory);
}

static void test_mobilenet_v1(void **state)
{
	check_model("mobilenet_v1_0.25_128_quant");
}

static void test_mobilenet_v2(void **state)
{
	check_model("mobilenet_v2_1.0_224_quant");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_mobilenet_v1), TEST(test_mobilenet_v2)};
	struct json_object *expected;
	int ret;

	if (access(PHOTOS "/expected.json", R_OK)) {
		puts("SKIP: the photographs and models to compare with are not part of the repository; "
		     "they would lie in " PHOTOS);
		return 77;
	}
	expected = json_object_from_file(PHOTOS "/expected.json");
	if (!expected)
		return EXIT_FAILURE;
	results = member(expected, "results");
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	json_object_put(expected);
	return ret;
}
