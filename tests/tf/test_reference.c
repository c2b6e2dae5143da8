// SPDX-License-Identifier: Apache-2.0
/*
 * Real photographs by a real model, as a SavedModel with variables and as a frozen graph,
 * against what TensorFlow's own Python package says of them. These data are no part
 * of this repository; where there are none, it skips.
 */
#include <math.h>
#include <unistd.h>

#include <json-c/json.h>

#include "support.h"
#include "vision/preprocess.h"

#define TOLERANCE 0.001

enum { SIDE = 128, CLASSES = 1001 };

static struct json_object *pictures;

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("expected.json has no '%s' there", key);
	return value;
}

/* A photograph's samples, from -1 to 1. */
static void read_photo(const char *name, float *samples)
{
	static const struct picture_limits limits = {.pixels = 100000000};
	const struct card_input input = {.width = SIDE, .height = SIDE};
	struct preprocess_scratch scratch = {0};
	char path[512];
	size_t size;
	void *data;

	snprintf(path, sizeof(path), PHOTOS "/images/%s", name);
	data = read_file(path, &size);
	assert_int_equal(picture_prepare(data, size, &limits, &input, &scratch), 0);
	for (size_t i = 0; i < (size_t)3 * SIDE * SIDE; i++)
		samples[i] = ((float)scratch.resized.rgb[i] - 128) / 128;
	preprocess_scratch_release(&scratch);
	free(data);
}

/* How far the probabilities of the best classes are off. */
static double compare(struct vaccel_resource *model, const char *in_name, const char *out_name,
		      const char *photo, struct json_object *wanted)
{
	static float samples[3 * SIDE * SIDE];
	const struct vaccel_tf_node in_node = {(char *)in_name, 0},
				    out_node = {(char *)out_name, 0};
	struct vaccel_tf_tensor x =
		tensor(VACCEL_TF_FLOAT, samples, sizeof(samples), DIMS(1, SIDE, SIDE, 3));
	struct vaccel_tf_tensor *const in[] = {&x}, *out;
	double most = 0;

	read_photo(photo, samples);
	if (vaccel_tf_model_run(&session, model, NULL, &in_node, in, 1, &out_node, &out, 1, NULL))
		fail_msg("%s", vaccel_error_text());
	assert_int_equal(out->size, CLASSES * sizeof(float));
	for (size_t i = 0; i < json_object_array_length(wanted); i++) {
		struct json_object *class = json_object_array_get_idx(wanted, i);
		int index = json_object_get_int(member(class, "index"));

		assert_in_range(index, 0, CLASSES - 1);
		most = fmax(most, fabs(((float *)out->data)[index] -
				       json_object_get_double(member(class, "p"))));
	}
	vaccel_tf_tensor_delete(out);
	return most;
}

static void check_model(const char *name, const char *in_name, const char *out_name)
{
	struct vaccel_resource model;
	char path[512];
	double most = 0;

	snprintf(path, sizeof(path), PHOTOS "/models/tf/%s", name);
	open_model(&model, path);
	json_object_object_foreach(pictures, photo, wanted) most =
		fmax(most, compare(&model, in_name, out_name, photo, wanted));
	printf("%s: %d pictures, probabilities at most %.6f off\n", name,
	       json_object_object_length(pictures), most);
	assert_true(most <= TOLERANCE);
	/* Its variables are read alone, so there is one copy of them. */
	if (!getenv("VACCEL_RPC_ADDRESS"))
		assert_string_equal(reported("copies"), "0 of sessions that change variables");
	close_model(&model);
}

static void test_saved_model(void **state)
{
	check_model("mobilenet_v1_0.25_128_savedmodel", "input", "output");
}

static void test_frozen_graph(void **state)
{
	check_model("mobilenet_v1_0.25_128_frozen.pb", "input", "Identity");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_saved_model), TEST(test_frozen_graph)};
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
	pictures = member(member(expected, "results"), "tf/mobilenet_v1_0.25_128_savedmodel");
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	json_object_put(expected);
	return ret;
}
