// SPDX-License-Identifier: Apache-2.0
/*
 * Real photographs by real models, against what TensorFlow Lite's own Python package
 * says of them. Their numbers are bytes, and kernels round them in different ways:
 * the first class may be any within two hundredths of the best.
 * These data are no part of this repository; where there are none, it skips.
 */
#include <math.h>
#include <unistd.h>

#include <json-c/json.h>

#include "support.h"
#include "tflite/api.h"
#include "vision/preprocess.h"

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

/* A directory for one model, while a test uses it. */
struct house {
	char path[32];
	struct vaccel_resource model;
};

static const char *path_in(const struct house *house, const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", house->path, name);
	return path;
}

static void open_house(struct house *house, const char *model, const char *labels, const char *card)
{
	char from[512];

	strcpy(house->path, "/tmp/vaccel-tflite-XXXXXX");
	assert_non_null(mkdtemp(house->path));
	snprintf(from, sizeof(from), PHOTOS "/models/tflite/%s.tflite", model);
	assert_int_equal(symlink(from, path_in(house, "model.tflite")), 0);
	if (labels) {
		snprintf(from, sizeof(from), PHOTOS "/labels/%s.txt", labels);
		assert_int_equal(symlink(from, path_in(house, "labels.txt")), 0);
	}
	if (card) {
		FILE *file = fopen(path_in(house, "model.json"), "w");

		assert_non_null(file);
		fputs(card, file);
		assert_int_equal(fclose(file), 0);
	}
	open_model(&house->model, house->path);
}

static void close_house(struct house *house)
{
	close_model(&house->model);
	unlink(path_in(house, "model.tflite"));
	unlink(path_in(house, "labels.txt"));
	unlink(path_in(house, "model.json"));
	rmdir(house->path);
}

static void check_model(const char *name)
{
	struct json_object *pictures;
	struct house house;
	char key[128];
	double most = 0;

	snprintf(key, sizeof(key), "tflite/%s", name);
	pictures = member(results, key);
	assert_true(json_object_object_length(pictures) > 0);
	open_house(&house, name, "imagenet_1001_coral", NULL);
	json_object_object_foreach(pictures, picture, wanted) most =
		fmax(most, compare(picture, wanted));
	printf("%s: %d pictures, probabilities at most %.6f off\n", name,
	       json_object_object_length(pictures), most);
	assert_true(most <= TOLERANCE);
	close_house(&house);
}

static void test_mobilenet_v1(void **state)
{
	check_model("mobilenet_v1_0.25_128_quant");
}

static void test_mobilenet_v2(void **state)
{
	check_model("mobilenet_v2_1.0_224_quant");
}

/* A photograph as a file, and what it is as a picture of the sizes that a model takes. */
struct photo {
	void *data;
	size_t size;
	struct preprocess_scratch pictures;
};

static void open_photo(struct photo *photo, const char *name, uint32_t side)
{
	static const struct picture_limits limits = {.pixels = 100000000};
	const struct card_input input = {.width = side, .height = side};
	char path[512];

	*photo = (struct photo){0};
	snprintf(path, sizeof(path), PHOTOS "/images/%s", name);
	photo->data = read_file(path, &photo->size);
	assert_int_equal(
		picture_prepare(photo->data, photo->size, &limits, &input, &photo->pictures), 0);
}

static void close_photo(struct photo *photo)
{
	preprocess_scratch_release(&photo->pictures);
	free(photo->data);
}

/* How far a box is from where it should be, in parts of the picture's sides. */
static double distance(const struct vaccel_box *box, struct json_object *wanted,
		       const struct picture *picture)
{
	const double found[] = {box->top / picture->height, box->left / picture->width,
				box->bottom / picture->height, box->right / picture->width};
	struct json_object *corners = member(wanted, "box_ymin_xmin_ymax_xmax");
	double most = 0;

	for (size_t i = 0; i < 4; i++)
		most = fmax(most, fabs(found[i] - json_object_get_double(
							  json_object_array_get_idx(corners, i))));
	return most;
}

static void check_box(struct json_object *wanted, const struct vaccel_box *boxes, size_t nr,
		      const struct picture *picture)
{
	const char *label = json_object_get_string(member(wanted, "label"));
	double score = number(wanted, "score");

	for (size_t i = 0; i < nr; i++)
		if (!strcmp(boxes[i].label, label) && fabs(boxes[i].score - score) <= 0.05 &&
		    distance(&boxes[i], wanted, picture) <= 0.02)
			return;
	fail_msg("no %s of %.4f is where it should be", label, score);
}

static void check_boxes(const char *name, struct json_object *wanted)
{
	struct vaccel_box *boxes;
	struct photo photo;
	size_t nr, least = 0;

	open_photo(&photo, name, 1);
	assert_int_equal(vaccel_image_detect_boxes(&session, photo.data, photo.size, &boxes, &nr),
			 VACCEL_OK);
	for (size_t i = 0; i < json_object_array_length(wanted); i++) {
		struct json_object *box = json_object_array_get_idx(wanted, i);

		/* What is sure enough to be told by any rounding. */
		if (number(box, "score") < 0.5 + 0.05)
			continue;
		check_box(box, boxes, nr, &photo.pictures.decoded);
		least++;
	}
	printf("%s: %zu boxes, %zu of them expected\n", name, nr, least);
	assert_true(nr >= least);
	free(boxes);
	close_photo(&photo);
}

static void test_detect(void **state)
{
	struct house house;

	open_house(&house, "ssd_mobilenet_v1_coco_detect", "coco_labelmap_ssd",
		   "{\"task\":\"detect\",\"input\":{\"layout\":\"NHWC\"},"
		   "\"output\":{\"decoder\":\"ssd\",\"first_label\":1}}");
	json_object_object_foreach(
		member(results, "tflite/ssd_mobilenet_v1_coco_detect (300x300 uint8)"), picture,
		wanted) check_boxes(picture, wanted);
	close_house(&house);
}

static void check_mask(const char *name, struct json_object *wanted)
{
	struct vaccel_mask mask;
	struct photo photo;

	open_photo(&photo, name, 1);
	assert_int_equal(vaccel_image_segment_mask(&session, photo.data, photo.size, &mask),
			 VACCEL_OK);
	json_object_object_foreach(wanted, label, pixels)
	{
		double expected = json_object_get_double(pixels), found = 0;

		for (size_t i = 0; i < mask.nr_areas; i++)
			if (!strcmp(mask.areas[i].label, label))
				found = (double)mask.areas[i].pixels;
		printf("%s: %s %.0f pixels, expected %.0f\n", name, label, found, expected);
		assert_true(fabs(found - expected) <= 0.03 * expected);
	}
	free(mask.pixels);
	free(mask.areas);
	close_photo(&photo);
}

static void test_segment(void **state)
{
	struct house house;

	open_house(&house, "deeplabv3_mnv2_dm05_pascal_quant", "pascal_voc",
		   "{\"task\":\"segment\",\"input\":{\"layout\":\"NHWC\"},"
		   "\"output\":{\"layout\":\"NHWC\"}}");
	json_object_object_foreach(
		member(results, "tflite/deeplabv3_mnv2_dm05_pascal_quant (513x513 uint8; pixel "
				"counts)"),
		picture, wanted) check_mask(picture, wanted);
	close_house(&house);
}

enum { JOINTS = 17, POSE_SIDE = 192 };

/* What should be there: a joint's place in parts of the sides, and how sure that is. */
struct joint {
	double y, x, score;
};

static void check_joints(const struct photo *photo, const struct joint *wanted)
{
	const struct picture *picture = &photo->pictures.decoded;
	struct vaccel_point *points;
	double most = 0;
	size_t nr;

	assert_int_equal(vaccel_image_pose_points(&session, photo->data, photo->size, &points, &nr),
			 VACCEL_OK);
	assert_int_equal(nr, JOINTS);
	for (size_t i = 0; i < JOINTS; i++) {
		most = fmax(most, fabs(points[i].x / picture->width - wanted[i].x));
		most = fmax(most, fabs(points[i].y / picture->height - wanted[i].y));
	}
	printf("joints are at most %.4f of a side off\n", most);
	assert_true(most <= 0.02);
	free(points);
}

/* The same picture, by TensorFlow Lite called directly, as its Python package has it by default. */
static void run_directly(const struct photo *photo, struct joint *ret_joints)
{
	size_t size, bytes = (size_t)3 * POSE_SIDE * POSE_SIDE;
	void *data =
		read_file(PHOTOS "/models/tflite/movenet_single_pose_lightning_ptq.tflite", &size);
	TfLiteModel *model = TfLiteModelCreateWithErrorReporter(data, size, NULL, NULL);
	TfLiteInterpreter *interpreter = TfLiteInterpreterCreate(model, NULL);
	TfLiteXNNPackDelegateOptions options = TfLiteXNNPackDelegateOptionsDefault();
	TfLiteDelegate *delegate;
	const float *numbers;

	assert_non_null(interpreter);
	options.flags |= XNNPACK_SIGNED_BYTES | XNNPACK_UNSIGNED_BYTES;
	delegate = TfLiteXNNPackDelegateCreate(&options);
	assert_int_equal(TfLiteInterpreterModifyGraphWithDelegate(interpreter, delegate), 0);
	assert_int_equal(TfLiteInterpreterAllocateTensors(interpreter), kTfLiteOk);
	memcpy(TfLiteTensorData(TfLiteInterpreterGetInputTensor(interpreter, 0)),
	       photo->pictures.resized.rgb, bytes);
	assert_int_equal(TfLiteInterpreterInvoke(interpreter), kTfLiteOk);
	numbers = TfLiteTensorData(TfLiteInterpreterGetOutputTensor(interpreter, 0));
	for (size_t i = 0; i < JOINTS; i++)
		ret_joints[i] =
			(struct joint){numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]};
	TfLiteInterpreterDelete(interpreter);
	TfLiteXNNPackDelegateDelete(delegate);
	TfLiteModelDelete(model);
	free(data);
}

static void read_joints(struct json_object *wanted, struct joint *ret_joints)
{
	assert_int_equal(json_object_array_length(wanted), JOINTS);
	for (size_t i = 0; i < JOINTS; i++) {
		struct json_object *joint = json_object_array_get_idx(wanted, i);
		double *numbers[] = {&ret_joints[i].y, &ret_joints[i].x, &ret_joints[i].score};

		for (size_t k = 0; k < 3; k++)
			*numbers[k] = json_object_get_double(json_object_array_get_idx(joint, k));
	}
}

static void test_pose(void **state)
{
	struct joint joints[JOINTS];
	struct photo photo;
	struct house house;

	open_house(&house, "movenet_single_pose_lightning_ptq", NULL,
		   "{\"task\":\"pose\",\"input\":{\"layout\":\"NHWC\"}}");
	json_object_object_foreach(
		member(results, "tflite/movenet_single_pose_lightning_ptq (192x192 uint8; 17 x "
				"[y,x,score])"),
		picture, wanted)
	{
		open_photo(&photo, picture, POSE_SIDE);
		read_joints(wanted, joints);
		check_joints(&photo, joints);
		close_photo(&photo);
	}
	open_photo(&photo, "people_ulfg_1.jpg", POSE_SIDE);
	run_directly(&photo, joints);
	check_joints(&photo, joints);
	close_photo(&photo);
	close_house(&house);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {TEST(test_mobilenet_v1), TEST(test_mobilenet_v2),
					   TEST(test_detect), TEST(test_segment), TEST(test_pose)};
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
