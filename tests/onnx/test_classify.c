// SPDX-License-Identifier: Apache-2.0
/* Pictures: texts and lists, layouts of models, default models, and what does not classify. */
#include <math.h>
#include <unistd.h>

#include "support.h"

#define MODEL(name) MODELS "/" name ".onnx"
#define SEVEN	    DIGITS "/images/seven.png"

static struct {
	void *data;
	size_t size;
} picture;

static int read_picture(void **state)
{
	picture.data = read_file(SEVEN, &picture.size);
	return 0;
}

static int drop_picture(void **state)
{
	free(picture.data);
	return 0;
}

static int classify(char *text, size_t size)
{
	return vaccel_image_classification(&session, picture.data, (unsigned char *)text, NULL,
					   picture.size, size, 0);
}

static void test_text(void **state)
{
	struct vaccel_resource model;
	char text[64], name[8] = "before", cut[8];

	open_model(&model, DIGITS);
	assert_int_equal(vaccel_image_classification(&session, picture.data, (unsigned char *)text,
						     (unsigned char *)name, picture.size,
						     sizeof(text), sizeof(name)),
			 VACCEL_OK);
	assert_string_equal(text, "99.981% seven");
	assert_string_equal(name, "");
	/* Cut as snprintf() does; and none at all. */
	for (size_t size = 1; size <= sizeof(cut); size++) {
		assert_int_equal(classify(cut, size), VACCEL_OK);
		assert_int_equal(strlen(cut), size - 1);
		assert_memory_equal(cut, text, size - 1);
	}
	assert_int_equal(classify(NULL, 0), VACCEL_OK);
	assert_int_equal(count_loads(), 1);
	close_model(&model);
}

static void test_top(void **state)
{
	struct vaccel_resource model;
	struct vaccel_class *top;
	float sum = 0;
	size_t nr;

	open_model(&model, DIGITS);
	assert_int_equal(
		vaccel_image_classify_top(&session, picture.data, picture.size, 2, &top, &nr),
		VACCEL_OK);
	assert_int_equal(nr, 2);
	assert_int_equal(top[0].index, 7);
	assert_string_equal(top[0].label, "seven");
	assert_string_equal(top[1].label, "three");
	free(top);
	/* More than there are gives all. */
	assert_int_equal(vaccel_image_classify_top(&session, picture.data, picture.size, SIZE_MAX,
						   &top, &nr),
			 VACCEL_OK);
	assert_int_equal(nr, 10);
	for (size_t i = 0; i < nr; i++) {
		sum += top[i].probability;
		assert_true(!i || top[i].probability <= top[i - 1].probability);
	}
	assert_true(sum > 0.9999f && sum < 1.0001f);
	free(top);
	assert_int_equal(
		vaccel_image_classify_top(&session, picture.data, picture.size, 0, &top, &nr),
		VACCEL_EINVAL);
	close_model(&model);
}

/* The models of these tests tell a picture's colour, whatever their layout. */
static void check_colours(const char *path)
{
	for (int channel = 0; channel < 3; channel++) {
		struct vaccel_resource model;
		struct vaccel_class *top;
		char text[32], wanted[32];
		size_t size, nr;
		void *png = colour(channel, &size);

		open_model(&model, path);
		assert_int_equal(vaccel_image_classify_top(&session, png, size, 9, &top, &nr),
				 VACCEL_OK);
		assert_int_equal(nr, 3);
		assert_int_equal(top[0].index, channel);
		assert_true(fabsf(top[0].probability - 1) < 1e-5f && top[1].probability == 0);
		assert_string_equal(top[0].label, "");
		/* Of equal ones the lower index comes first. */
		assert_true(top[1].index < top[2].index);
		free(top);
		assert_int_equal(vaccel_image_classification(&session, png, (unsigned char *)text,
							     NULL, size, sizeof(text), 0),
				 VACCEL_OK);
		snprintf(wanted, sizeof(wanted), "100.000%% class %d", channel);
		assert_string_equal(text, wanted);
		free(png);
		close_model(&model);
	}
}

static void test_bare_models(void **state)
{
	check_colours(MODEL("nhwc"));
	check_colours(MODEL("flat"));
	check_colours(MODEL("open"));
}

static void make_model(const char *onnx, const char *card, const char *labels)
{
	if (access(path_in("m"), F_OK))
		make_dir("m");
	unlink(path_in("m/labels.txt"));
	copy_file(onnx, path_in("m/model.onnx"));
	write_text(path_in("m/model.json"), card);
	if (labels)
		write_text(path_in("m/labels.txt"), labels);
}

#define CARD(input, softmax)                                                                    \
	"{\"task\": \"classify\", \"input\": {\"mean\": [0, 0, 0], \"scale\": [0.00392156862, " \
	"0.00392156862, 0.00392156862]" input "}, \"output\": {\"softmax\": " softmax "}}"

static void test_cards(void **state)
{
	struct vaccel_resource model;
	struct vaccel_class *top;
	size_t size, nr;
	void *red = colour(0, &size);

	make_model(MODEL("any"), CARD(", \"width\": 5, \"height\": 3", "false"), NULL);
	check_colours(path_in("m"));
	make_model(MODEL("nhwc"), CARD(", \"layout\": \"NHWC\"", "false"), NULL);
	check_colours(path_in("m"));
	make_model(MODEL("nhwc"), CARD("", "false"), NULL);
	check_colours(path_in("m"));

	/* BGR, softmax, labels with an empty line and one too many. */
	make_model(MODEL("flat"), CARD(", \"color\": \"BGR\"", "true"),
		   "blue\n\nred, crimson\nx\n");
	open_model(&model, path_in("m"));
	assert_int_equal(vaccel_image_classify_top(&session, red, size, 3, &top, &nr), VACCEL_OK);
	assert_int_equal(top[0].index, 2);
	assert_string_equal(top[0].label, "red, crimson");
	assert_true(top[0].probability > 0.576f && top[0].probability < 0.577f);
	assert_string_equal(top[2].label, "");
	free(top);
	close_model(&model);
	free(red);
}

static void refuse(const char *path, const char *words)
{
	struct vaccel_resource model;
	char text[32];

	open_model(&model, path);
	assert_fails(classify(text, sizeof(text)), VACCEL_EINVAL, words);
	close_model(&model);
}

static void test_unfit_models(void **state)
{
	refuse(MODEL("pair"), "takes 2 inputs");
	refuse(MODEL("batch"), "the first of them 1 or any");
	refuse(MODEL("grey"), "dimension 2 is to be the 3 colours");
	refuse(MODEL("half"), "float16 [1, 3, 2, 2]");
	refuse(MODEL("boxes"), "output 'y' is float [1, 3, 2]");
	refuse(MODEL("any"), "neither the model nor a card says the height");
	make_model(MODEL("flat"), CARD(", \"width\": 5", "false"), NULL);
	refuse(path_in("m"), "says width 5, and the model takes 2");
	make_model(MODEL("nhwc"), CARD(", \"layout\": \"NCHW\"", "false"), NULL);
	refuse(path_in("m"), "with the layout NCHW");
	make_model(MODEL("mask"), "{\"task\": \"segment\"}", NULL);
	refuse(path_in("m"), "its task is segment, not classify");
	make_model(MODEL("flat"), CARD("", "false"), "one\ntwo");
	refuse(path_in("m"), "2 labels for a model of 3 classes");
	/* Where the model leaves the number open, only a run can tell. */
	make_model(MODEL("open"), CARD("", "false"), "one\ntwo");
	refuse(path_in("m"), "2 labels for a model of 3 classes");
}

static void test_no_classes(void **state)
{
	struct vaccel_resource model;
	char text[32];

	open_model(&model, MODEL("none"));
	assert_fails(classify(text, sizeof(text)), VACCEL_EBACKEND, "float [1, 0]");
	close_model(&model);
}

static void test_pictures(void **state)
{
	static const unsigned char jpeg_60000[] = {0xff, 0xd8, 0xff, 0xc0, 0,	 17, 8,	 0xea, 0x60,
						   0xea, 0x60, 3,    1,	   0x11, 0,  2,	 0x11, 0,
						   3,	 0x11, 0,    0xff, 0xda, 0,  12, 3,    1,
						   0,	 2,    0,    3,	   0,	 0,  63, 0};
	struct vaccel_resource model;
	char text[32];

	open_model(&model, DIGITS);
	assert_fails(vaccel_image_classification(&session, jpeg_60000, (unsigned char *)text, NULL,
						 sizeof(jpeg_60000), sizeof(text), 0),
		     VACCEL_EINVAL, "60000");
	for (size_t size = 1; size < picture.size; size++)
		assert_int_equal(vaccel_image_classification(&session, picture.data,
							     (unsigned char *)text, NULL, size,
							     sizeof(text), 0),
				 VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classification(&session, NULL, (unsigned char *)text, NULL, 5,
						     sizeof(text), 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classification(&session, picture.data, (unsigned char *)text,
						     NULL, 0, sizeof(text), 0),
			 VACCEL_EINVAL);
	close_model(&model);
}

static void test_large_picture(void **state)
{
	struct vaccel_resource model;
	char text[32];

	setenv("VACCEL_IMAGE_MAX_PIXELS", "100", 1);
	reload();
	open_model(&model, DIGITS);
	assert_fails(classify(text, sizeof(text)), VACCEL_EINVAL, "100");
	close_model(&model);
}

static void test_default_model(void **state)
{
	struct vaccel_resource model;
	char text[32], path[600];

	/* That may be an agent, which is not where the program is. */
	assert_fails(classify(text, sizeof(text)), VACCEL_ENOENT,
		     "and where the work is done no classify/model.json is in ");
	assert_fails(classify(text, sizeof(text)), VACCEL_ENOENT,
		     "/models; register a MODEL, name one to the command vaccel by --model, or set "
		     "VACCEL_MODEL_PATH there");
	snprintf(path, sizeof(path), "/nowhere::%s", path_in("mine"));
	setenv("VACCEL_MODEL_PATH", path, 1);
	assert_fails(classify(text, sizeof(text)), VACCEL_ENOENT, "/nowhere:");

	/* VACCEL_DATA_DIR is the test's directory. */
	make_dir("models");
	assert_int_equal(symlink(DIGITS, path_in("models/classify")), 0);
	assert_int_equal(classify(text, sizeof(text)), VACCEL_OK);
	assert_string_equal(text, "99.981% seven");
	assert_int_equal(count_in_log("no classify/model.json is in /nowhere:"), 1);
	assert_string_equal(reported("default for classify"), path_in("models/classify"));
	assert_int_equal(classify(text, sizeof(text)), VACCEL_OK);
	/* A resource of the same content costs nothing. */
	open_model(&model, DIGITS);
	assert_int_equal(classify(text, sizeof(text)), VACCEL_OK);
	assert_int_equal(count_loads(), 1);
	close_model(&model);
	assert_string_equal(reported("models"), "1 loaded");

	/* The path goes before vaccel's own. */
	reload();
	make_dir("mine");
	make_model(MODEL("flat"), CARD("", "false"), "red\ngreen\nblue\n");
	assert_int_equal(rename(path_in("m"), path_in("mine/classify")), 0);
	assert_int_equal(classify(text, sizeof(text)), VACCEL_OK);
	assert_null(strstr(text, "seven"));
}

/* The session's model is the first MODEL, whatever else is registered. */
static void test_which_model(void **state)
{
	struct vaccel_resource data, model;
	char text[32];

	assert_int_equal(vaccel_resource_init(&data, SEVEN, VACCEL_RESOURCE_DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&data, &session), VACCEL_OK);
	open_model(&model, DIGITS);
	assert_int_equal(classify(text, sizeof(text)), VACCEL_OK);
	assert_string_equal(text, "99.981% seven");
	close_model(&data);
	close_model(&model);
	assert_int_equal(classify(text, sizeof(text)), VACCEL_ENOENT);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_text),	TEST(test_top),		  TEST(test_bare_models),
		TEST(test_cards),	TEST(test_unfit_models),  TEST(test_no_classes),
		TEST(test_pictures),	TEST(test_large_picture), TEST(test_default_model),
		TEST(test_which_model),
	};

	return cmocka_run_group_tests(tests, read_picture, drop_picture);
}
