// SPDX-License-Identifier: Apache-2.0
/* Runs on tensors: orders, types and shapes, and what does not fit. */
#include <math.h>

#include "../support/changing.h"
#include "support.h"

static float ones[6] = {1, 1, 1, 1, 1, 1};
static float counted[6] = {1, 2, 3, 4, 5, 6};

#define FLOATS(data, nr, ...) \
	tensor(VACCEL_TFLITE_FLOAT32, data, (nr) * sizeof(float), DIMS(__VA_ARGS__))
#define CHECK_FLOATS(out, data, nr, ...) \
	check_output(out, VACCEL_TFLITE_FLOAT32, DIMS(__VA_ARGS__), data, (nr) * sizeof(float))

static void test_pair(void **state)
{
	static const float sums[] = {2, 3, 4, 5, 6, 7}, less[] = {0, 1, 2, 3, 4, 5};
	struct vaccel_tflite_tensor a = FLOATS(counted, 6, 2, 3), b = FLOATS(ones, 6, 2, 3);
	struct vaccel_tflite_tensor *const ab[] = {&a, &b}, *out[2];
	struct vaccel_resource model;
	uint8_t status = 99;

	open_model(&model, MODEL("pair"));
	assert_int_equal(vaccel_tflite_model_run(&session, &model, ab, 2, out, 2, &status),
			 VACCEL_OK);
	assert_int_equal(status, 0);
	CHECK_FLOATS(out[0], sums, 6, 2, 3);
	CHECK_FLOATS(out[1], less, 6, 2, 3);
	/* Another shape, of the same runner; and fewer outputs. */
	a = FLOATS(counted, 3, 1, 3);
	b = FLOATS(ones, 3, 1, 3);
	assert_int_equal(vaccel_tflite_model_run(&session, &model, ab, 2, out, 1, NULL), VACCEL_OK);
	CHECK_FLOATS(out[0], sums, 3, 1, 3);
	assert_int_equal(vaccel_tflite_model_unload(&session, &model), VACCEL_OK);
	close_model(&model);
}

static void test_kinds(void **state)
{
	int64_t whole[] = {-(1LL << 62), 0, 7}, twice[] = {INT64_MIN, 0, 14};
	bool flag[] = {true, false}, not [] = {false, true};
	float scalar = 2.5F, minus = -2.5F;
	struct vaccel_tflite_tensor in[] = {
		tensor(VACCEL_TFLITE_INT64, whole, sizeof(whole), DIMS(3)),
		tensor(VACCEL_TFLITE_BOOL, flag, sizeof(flag), DIMS(2)),
		tensor(VACCEL_TFLITE_FLOAT32, &scalar, sizeof(scalar), DIMS(1)),
	};
	struct vaccel_tflite_tensor *const ins[] = {&in[0], &in[1], &in[2]}, *out[3];
	struct vaccel_resource model;

	open_model(&model, MODEL("kinds"));
	assert_int_equal(vaccel_tflite_model_run(&session, &model, ins, 3, out, 3, NULL),
			 VACCEL_OK);
	check_output(out[0], VACCEL_TFLITE_INT64, DIMS(3), twice, sizeof(twice));
	check_output(out[1], VACCEL_TFLITE_BOOL, DIMS(2), not, sizeof(not ));
	check_output(out[2], VACCEL_TFLITE_FLOAT32, DIMS(-1), &minus, sizeof(minus));
	close_model(&model);
}

static void test_quantised(void **state)
{
	/* -64, 0, 1 and 63.5; twice that, in steps of 1. */
	uint8_t bytes[] = {0, 128, 130, 255}, twice[] = {0, 128, 130, 255};
	float numbers[] = {-64, 0, 1, 63.5F};
	struct vaccel_tflite_tensor x = tensor(VACCEL_TFLITE_UINT8, bytes, sizeof(bytes), DIMS(4));
	struct vaccel_tflite_tensor *const in[] = {&x}, *out[2];
	struct vaccel_resource model;

	open_model(&model, MODEL("quantised"));
	assert_int_equal(vaccel_tflite_model_run(&session, &model, in, 1, out, 2, NULL), VACCEL_OK);
	check_output(out[0], VACCEL_TFLITE_UINT8, DIMS(4), twice, sizeof(twice));
	CHECK_FLOATS(out[1], numbers, 4, 4);
	close_model(&model);
}

/* What TensorFlow Lite has for "one", "" and "three", and for two of them. */
static const struct {
	int32_t count, offsets[4];
	char text[8];
} words = {3, {20, 23, 23, 28}, "onethree"};
static const struct {
	int32_t count, offsets[3];
	char text[5];
} chosen = {2, {16, 21, 21}, "three"};

static void test_strings(void **state)
{
	int32_t which[] = {2, 1};
	struct vaccel_tflite_tensor text =
		tensor(VACCEL_TFLITE_STRING, (void *)&words, 28, DIMS(3));
	struct vaccel_tflite_tensor index =
		tensor(VACCEL_TFLITE_INT32, which, sizeof(which), DIMS(2));
	struct vaccel_tflite_tensor *const in[] = {&text, &index}, *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("strings"));
	assert_int_equal(vaccel_tflite_model_run(&session, &model, in, 2, &out, 1, NULL),
			 VACCEL_OK);
	check_output(out, VACCEL_TFLITE_STRING, DIMS(2), &chosen, 21);
	close_model(&model);
}

static void test_broken_strings(void **state)
{
	int32_t which[] = {2, 1}, data[7];
	struct vaccel_tflite_tensor text = tensor(VACCEL_TFLITE_STRING, data, 28, DIMS(3));
	struct vaccel_tflite_tensor index =
		tensor(VACCEL_TFLITE_INT32, which, sizeof(which), DIMS(2));
	struct vaccel_tflite_tensor *const in[] = {&text, &index}, *out = NULL;
	struct vaccel_resource model;

	open_model(&model, MODEL("strings"));
	for (size_t at = 0; at < 5; at++) {
		static const int32_t wrong[] = {0, -1, 2, 4, 19, 24, 29, INT32_MAX, INT32_MIN};

		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			memcpy(data, &words, sizeof(data));
			/* One that leaves it whole: the first string is longer. */
			if (at == 2 && wrong[i] == 24)
				continue;
			data[at] = wrong[i];
			if (at == 3 && wrong[i] == 24)
				continue;
			assert_fails(
				vaccel_tflite_model_run(&session, &model, in, 2, &out, 1, NULL),
				VACCEL_EINVAL, "input 'text' is string [3]");
		}
	}
	for (text.size = 0; text.size < 28; text.size++) {
		memcpy(data, &words, sizeof(data));
		assert_fails(vaccel_tflite_model_run(&session, &model, in, 2, &out, 1, NULL),
			     VACCEL_EINVAL, "bytes are not so many strings");
	}
	assert_null(out);
	close_model(&model);
}

static int32_t changing_words[8];

static void lengthen_second_word(void)
{
	changing_words[3] = 32;
}

/* Another process writes to them as soon as they have been looked at. */
static void test_strings_that_change(void **state)
{
	char *guarded = changing_new(0);
	struct vaccel_tflite_tensor a = tensor(VACCEL_TFLITE_STRING, changing_words, 28, DIMS(3));
	struct vaccel_tflite_tensor b = tensor(VACCEL_TFLITE_STRING, guarded, 28, DIMS(3));
	struct vaccel_tflite_tensor *const ab[] = {&a, &b}, *out = NULL;
	struct vaccel_resource model;
	uint8_t status = 0;

	memcpy(changing_words, &words, sizeof(words));
	memcpy(guarded, &words, sizeof(words));
	open_model(&model, MODEL("twins"));
	assert_int_equal(vaccel_tflite_model_run(&session, &model, ab, 2, &out, 1, NULL),
			 VACCEL_OK);
	check_output(out, VACCEL_TFLITE_STRING, DIMS(1), (int32_t[]){1, 12, 12}, 12);
	changing_guard(lengthen_second_word);
	out = NULL;
	assert_fails(vaccel_tflite_model_run(&session, &model, ab, 2, &out, 1, &status),
		     VACCEL_EINVAL, "the input 'a' was changed while it was read");
	assert_null(out);
	assert_int_not_equal(status, 0);
	close_model(&model);
	changing_delete();
}

static void refuse(struct vaccel_resource *model, struct vaccel_tflite_tensor *a,
		   struct vaccel_tflite_tensor *b, int code, const char *text)
{
	struct vaccel_tflite_tensor *const ab[] = {a, b}, *out = NULL;
	uint8_t status = 0;

	assert_fails(vaccel_tflite_model_run(&session, model, ab, 2, &out, 1, &status), code, text);
	assert_null(out);
	assert_int_not_equal(status, 0);
}

static void test_wrong_tensors(void **state)
{
	struct vaccel_tflite_tensor a = FLOATS(ones, 6, 2, 3), b = a;
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	b.data_type = VACCEL_TFLITE_INT32;
	refuse(&model, &a, &b, VACCEL_EINVAL,
	       "input 'b' is int32 [2, 3], and the model takes float [any, 3]");
	b.data_type = (enum vaccel_tflite_data_type)999;
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' is no tensor [2, 3]");
	b = FLOATS(ones, 4, 2, 2);
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' is float [2, 2]");
	b = FLOATS(ones, 2, 2);
	refuse(&model, &a, &b, VACCEL_EINVAL,
	       "input 'b' is float [2], and the model takes float [any, 3]");
	b = FLOATS(ones, 6, 2, 3);
	b.size -= 1;
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' has 23 bytes of data; float [2, 3] is 24");
	b = FLOATS(ones, 6, INT32_MAX, 3);
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' has 24 bytes of data");
	/* Each fits the model, and both do not fit each other. */
	b = FLOATS(ones, 9, 3, 3);
	b.data = (float[9]){0};
	refuse(&model, &a, &b, VACCEL_EBACKEND, "TensorFlow Lite cannot prepare the model: ");
	/* The model is as good as before. */
	b = a;
	{
		struct vaccel_tflite_tensor *const ab[] = {&a, &b}, *out;
		static const float two[] = {2, 2, 2, 2, 2, 2};

		assert_int_equal(vaccel_tflite_model_run(&session, &model, ab, 2, &out, 1, NULL),
				 VACCEL_OK);
		CHECK_FLOATS(out, two, 6, 2, 3);
	}
	close_model(&model);
}

static void test_wrong_counts(void **state)
{
	struct vaccel_tflite_tensor a = FLOATS(ones, 6, 2, 3);
	struct vaccel_tflite_tensor *const in[] = {&a, &a, &a}, *out[3] = {NULL};
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
#define RUN(nr_in, nr_out) vaccel_tflite_model_run(&session, &model, in, nr_in, out, nr_out, NULL)
	assert_fails(RUN(0, 1), VACCEL_EINVAL, "input 'a' is missing; it is float [any, 3]");
	assert_fails(RUN(1, 1), VACCEL_EINVAL, "input 'b' is missing");
	assert_fails(RUN(3, 1), VACCEL_EINVAL, "3 inputs, and the model has 2");
	assert_fails(RUN(2, 3), VACCEL_EINVAL, "3 outputs, and the model has 2");
	assert_null(out[0]);
	close_model(&model);
}

static void test_no_number_and_nothing(void **state)
{
	float numbers[3] = {NAN, INFINITY, -INFINITY};
	struct vaccel_tflite_tensor a = FLOATS(numbers, 3, 1, 3), b = FLOATS(ones, 3, 1, 3);
	struct vaccel_tflite_tensor *const ab[] = {&a, &b}, *out = NULL;
	struct vaccel_resource model;
	int ret;

	open_model(&model, MODEL("pair"));
	assert_int_equal(vaccel_tflite_model_run(&session, &model, ab, 2, &out, 1, NULL),
			 VACCEL_OK);
	assert_true(isnan(((float *)out->data)[0]));
	assert_true(isinf(((float *)out->data)[1]));
	vaccel_tflite_tensor_delete(out);
	a = FLOATS(NULL, 0, 0, 3);
	b = a;
	out = NULL;
	ret = vaccel_tflite_model_run(&session, &model, ab, 2, &out, 1, NULL);
	assert_int_equal(ret, VACCEL_OK);
	check_output(out, VACCEL_TFLITE_FLOAT32, DIMS(0, 3), NULL, 0);
	close_model(&model);
}

static void test_failing_run(void **state)
{
	int32_t which = 3;
	float value = 20;
	struct vaccel_tflite_tensor x = tensor(VACCEL_TFLITE_INT32, &which, sizeof(which), DIMS(1));
	struct vaccel_tflite_tensor *const in[] = {&x}, *out = NULL;
	struct vaccel_resource model;
	uint8_t status = 0;

	open_model(&model, MODEL("pick"));
	assert_fails(vaccel_tflite_model_run(&session, &model, in, 1, &out, 1, &status),
		     VACCEL_EBACKEND,
		     "TensorFlow Lite cannot run the model: gather index out of bounds");
	assert_int_equal(status, 1);
	assert_null(out);
	which = 1;
	assert_int_equal(vaccel_tflite_model_run(&session, &model, in, 1, &out, 1, &status),
			 VACCEL_OK);
	assert_int_equal(status, 0);
	CHECK_FLOATS(out, &value, 1, 1);
	close_model(&model);
}

/* An output that no operation computes has no memory. */
static void test_idle_model(void **state)
{
	float numbers[48] = {0};
	struct vaccel_tflite_tensor x =
		tensor(VACCEL_TFLITE_FLOAT32, numbers, sizeof(numbers), DIMS(1, 4, 4, 3));
	struct vaccel_tflite_tensor *const in[] = {&x}, *out = NULL;
	struct vaccel_resource model;
	struct vaccel_class *top;
	size_t size, nr;
	void *png = read_file(DIGITS "/images/nine.png", &size);

	open_model(&model, MODEL("idle"));
	assert_fails(vaccel_tflite_model_run(&session, &model, in, 1, &out, 1, NULL),
		     VACCEL_EBACKEND, "output 'y' cannot be handed over");
	assert_null(out);
	assert_fails(vaccel_image_classify_top(&session, png, size, 1, &top, &nr), VACCEL_EBACKEND,
		     "computes nothing for its output 'y'");
	close_model(&model);
	free(png);
}

/* Of an output that is said to be sparse, TensorFlow Lite does not compare bytes and shape. */
static void test_an_output_that_is_too_short(void **state)
{
	struct vaccel_resource model;
	struct vaccel_class *top = NULL;
	size_t size, nr = 0;
	void *png = read_file(DIGITS "/images/nine.png", &size);

	open_model(&model, MODEL("short"));
	assert_fails(vaccel_image_classify_top(&session, png, size, 1000, &top, &nr),
		     VACCEL_EBACKEND, "output 'y' has 3 bytes, too few for uint8 [1, 1000]");
	assert_null(top);
	close_model(&model);
	free(png);
}

/* What it adds up is not seen in the next picture, of this or another session. */
static void test_pictures_and_state(void **state)
{
	struct vaccel_resource model;
	struct vaccel_class *top;
	size_t size, nr;
	void *png = read_file(DIGITS "/images/nine.png", &size);
	float first = 0;

	open_model(&model, MODEL("moody"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vaccel_image_classify_top(&session, png, size, 1, &top, &nr),
				 VACCEL_OK);
		assert_int_equal(nr, 1);
		if (!i)
			first = top->probability;
		assert_true(first > 0);
		assert_true(top->probability == first);
		free(top);
	}
	close_model(&model);
	free(png);
}

/* The sum so far is each session's own, and gone after unloading. */
static void check_state(const char *path, int32_t *dims)
{
	float two[] = {2, 2}, four[] = {4, 4}, six[] = {6, 6};
	struct vaccel_tflite_tensor x = tensor(VACCEL_TFLITE_FLOAT32, two, sizeof(two), dims);
	struct vaccel_tflite_tensor *const in[] = {&x}, *out;
	struct vaccel_session other;
	struct vaccel_resource model;

#define STEP(sess, sum)                                                                           \
	assert_int_equal(vaccel_tflite_model_run(sess, &model, in, 1, &out, 1, NULL), VACCEL_OK); \
	check_output(out, VACCEL_TFLITE_FLOAT32, dims, sum, sizeof(sum))
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	open_model(&model, path);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	STEP(&session, two);
	STEP(&session, four);
	STEP(&other, two);
	STEP(&session, six);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	STEP(&other, two);
	assert_int_equal(vaccel_tflite_model_unload(&session, &model), VACCEL_OK);
	STEP(&session, two);
	close_model(&model);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
}

static void test_state_in_tensors(void **state)
{
	check_state(MODEL("sums"), DIMS(1, 2));
}

static void test_state_by_handle(void **state)
{
	check_state(MODEL("counter"), DIMS(2));
}

static void test_strangers(void **state)
{
	struct vaccel_tflite_tensor a = FLOATS(ones, 6, 2, 3);
	struct vaccel_tflite_tensor *const in[] = {&a, &a}, *out;
	struct vaccel_resource model;

	assert_int_equal(vaccel_resource_init(&model, MODEL("pair"), VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(vaccel_tflite_model_run(&session, &model, in, 2, &out, 1, NULL),
			 VACCEL_EPERM);
	assert_int_equal(vaccel_tflite_model_run(&session, NULL, in, 2, &out, 1, NULL),
			 VACCEL_EINVAL);
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_pair),
		TEST(test_kinds),
		TEST(test_quantised),
		TEST(test_strings),
		TEST(test_broken_strings),
		TEST(test_wrong_tensors),
		TEST(test_wrong_counts),
		TEST(test_no_number_and_nothing),
		TEST(test_failing_run),
		TEST(test_idle_model),
		TEST(test_an_output_that_is_too_short),
		TEST(test_pictures_and_state),
		TEST(test_state_in_tensors),
		TEST(test_state_by_handle),
		TEST(test_strangers),
	};
	/* An agent's worker is no process that this one can have touch what is guarded. */
	const struct CMUnitTest here[] = {TEST(test_strings_that_change)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	return getenv("VACCEL_RPC_ADDRESS") ? failed
					    : failed + cmocka_run_group_tests(here, NULL, NULL);
}
