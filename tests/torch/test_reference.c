// SPDX-License-Identifier: Apache-2.0
/*
 * Real photographs by a real model, against what torch's own Python package says of
 * them: the same first class, and its probability within a hundredth.
 * These data are no part of this repository; where there are none, it skips.
 */
#include <math.h>
#include <unistd.h>

#include <json-c/json.h>

#include "support.h"
#include "vision/picture.h"
#include "vision/resize.h"

#define TOLERANCE 0.01
#define SIDE	  128
#define NAME	  "mobilenet_v1_0.25_128_f32"

static struct json_object *pictures;

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("expected.json has no '%s' there", key);
	return value;
}

/* One plane for each colour, of (sample - 128) / 128. */
static float *planes_of(const char *name)
{
	const struct picture_limits limits = {.pixels = 100000000};
	struct picture decoded = {0}, resized = {0};
	struct resize_scratch scratch = {0};
	float *planes = malloc(3 * SIDE * SIDE * sizeof(*planes));
	char path[512];
	size_t size;
	void *photo;

	snprintf(path, sizeof(path), PHOTOS "/images/%s", name);
	photo = read_file(path, &size);
	assert_non_null(planes);
	assert_int_equal(picture_decode(&decoded, photo, size, &limits), VACCEL_OK);
	assert_int_equal(picture_resize(&decoded, SIDE, SIDE, &scratch, &resized), VACCEL_OK);
	for (size_t i = 0; i < 3 * SIDE * SIDE; i++) {
		size_t colour = i / (SIDE * SIDE), pixel = i % (SIDE * SIDE);

		planes[i] = ((float)resized.rgb[pixel * 3 + colour] - 128) / 128;
	}
	picture_release(&decoded);
	picture_release(&resized);
	resize_scratch_release(&scratch);
	free(photo);
	return planes;
}

/* How far the probability is off; the class must be the same. */
static double compare(struct vaccel_resource *model, const char *name, struct json_object *wanted)
{
	struct json_object *best = json_object_array_get_idx(wanted, 0);
	float *planes = planes_of(name), *p;
	struct vaccel_torch_tensor x =
		tensor(VACCEL_TORCH_FLOAT, planes, 3 * SIDE * SIDE * sizeof(*planes),
		       DIMS(1, 3, SIDE, SIDE));
	struct vaccel_torch_tensor *out;
	size_t first = 0;
	double off;

	assert_int_equal(run(&session, model, &x, &out), VACCEL_OK);
	p = out->data;
	for (size_t i = 0; i < out->size / sizeof(*p); i++)
		first = p[i] > p[first] ? i : first;
	assert_int_equal(first, json_object_get_int(member(best, "index")));
	off = fabs(p[first] - json_object_get_double(member(best, "p")));
	vaccel_torch_tensor_delete(out);
	free(planes);
	return off;
}

static void test_mobilenet_v1(void **state)
{
	struct vaccel_resource model;
	double most = 0;

	assert_true(json_object_object_length(pictures) > 0);
	open_model(&model, PHOTOS "/models/torch/" NAME ".pt");
	json_object_object_foreach(pictures, picture, wanted) most =
		fmax(most, compare(&model, picture, wanted));
	printf("%d pictures, probabilities at most %.6f off\n", json_object_object_length(pictures),
	       most);
	assert_true(most <= TOLERANCE);
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_mobilenet_v1)};
	struct json_object *expected;
	int ret;

	if (access(PHOTOS "/models/torch/" NAME ".pt", R_OK)) {
		puts("SKIP: the photographs and models to compare with are not part of the repository; "
		     "they would lie in " PHOTOS);
		return 77;
	}
	expected = json_object_from_file(PHOTOS "/expected.json");
	if (!expected)
		return EXIT_FAILURE;
	pictures = member(member(expected, "results"), "torch/" NAME);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	json_object_put(expected);
	return ret;
}
