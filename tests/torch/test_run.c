// SPDX-License-Identifier: Apache-2.0
/* What goes into models and what comes out: types, shapes, arguments and results of all kinds. */
#include "support.h"

static const struct {
	enum vaccel_torch_data_type type;
	size_t size;
} types[] = {
	{VACCEL_TORCH_BYTE, 1},	    {VACCEL_TORCH_CHAR, 1},   {VACCEL_TORCH_SHORT, 2},
	{VACCEL_TORCH_INT, 4},	    {VACCEL_TORCH_LONG, 8},   {VACCEL_TORCH_HALF, 2},
	{VACCEL_TORCH_FLOAT, 4},    {VACCEL_TORCH_DOUBLE, 8}, {VACCEL_TORCH_BOOL, 1},
	{VACCEL_TORCH_BFLOAT16, 2},
};

static void test_every_type(void **state)
{
	struct vaccel_resource model;
	unsigned char data[48];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i % 2;
	open_model(&model, MODEL("same"));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t size = 6 * types[i].size;
		struct vaccel_torch_tensor x = tensor(types[i].type, data, size, DIMS(2, 1, 3));
		struct vaccel_torch_tensor *out;

		assert_int_equal(run(&session, &model, &x, &out), VACCEL_OK);
		check_output(out, types[i].type, DIMS(2, 1, 3), data, size);
	}
	close_model(&model);
}

static void test_shapes(void **state)
{
	int64_t many[17] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1};
	float one[1] = {5};
	struct vaccel_torch_tensor empty = tensor(VACCEL_TORCH_FLOAT, NULL, 0, DIMS(2, 0, 3));
	struct vaccel_torch_tensor scalar = tensor(VACCEL_TORCH_FLOAT, one, 4, DIMS(1));
	struct vaccel_torch_tensor deep = tensor(VACCEL_TORCH_FLOAT, one, 4, many);
	struct vaccel_torch_tensor *out;
	struct vaccel_resource model;

	scalar.nr_dims = 0;
	open_model(&model, MODEL("same"));
	assert_int_equal(run(&session, &model, &empty, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(2, 0, 3), NULL, 0);
	assert_int_equal(run(&session, &model, &scalar, &out), VACCEL_OK);
	assert_int_equal(out->nr_dims, 0);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(-1), one, 4);
	assert_int_equal(run(&session, &model, &deep, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, many, one, 4);
	close_model(&model);
}

static void test_several_inputs_and_outputs(void **state)
{
	struct vaccel_torch_tensor a = FLOATS(6, 8), b = FLOATS(2, 4);
	struct vaccel_torch_tensor *const in[] = {&a, &b}, *out[5];
	struct vaccel_resource model;

	open_model(&model, MODEL("many"));
	assert_int_equal(vaccel_torch_model_run(&session, &model, NULL, in, 2, out, 4), VACCEL_OK);
	check_output(out[0], VACCEL_TORCH_FLOAT, DIMS(2), (float[]){8, 12}, 8);
	check_output(out[1], VACCEL_TORCH_FLOAT, DIMS(2), (float[]){4, 4}, 8);
	check_output(out[2], VACCEL_TORCH_FLOAT, DIMS(2), (float[]){12, 32}, 8);
	check_output(out[3], VACCEL_TORCH_FLOAT, DIMS(2), (float[]){3, 2}, 8);
	assert_int_equal(vaccel_torch_jitload_forward(&session, &model, NULL, in, 2, out, 2),
			 VACCEL_OK);
	check_output(out[0], VACCEL_TORCH_FLOAT, DIMS(2), (float[]){8, 12}, 8);
	check_output(out[1], VACCEL_TORCH_FLOAT, DIMS(2), (float[]){4, 4}, 8);
	assert_fails(vaccel_torch_model_run(&session, &model, NULL, in, 2, out, 5), VACCEL_EINVAL,
		     "5 outputs are asked for, and the model has returned 4");
	assert_fails(vaccel_torch_model_run(&session, &model, NULL, in, 1, out, 4), VACCEL_EINVAL,
		     "'b' is missing; the model takes a: Tensor, b: Tensor");
	close_model(&model);
}

static void test_more_inputs_than_there_are(void **state)
{
	struct vaccel_torch_tensor a = FLOATS(6);
	struct vaccel_torch_tensor *const in[] = {&a, &a, &a}, *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("many"));
	assert_fails(vaccel_torch_model_run(&session, &model, NULL, in, 3, &out, 1), VACCEL_EINVAL,
		     "there are 3 inputs, and the model takes 2");
	close_model(&model);
}

/* x n f yes, a pair, the rest, last, and perhaps more */
static void check_arguments(struct vaccel_resource *model, int64_t yes, int rest, float result)
{
	int64_t three[] = {3};
	double half[] = {0.5};
	float ones[] = {1}, twos[] = {2}, tens[] = {10};
	struct vaccel_torch_tensor x = tensor(VACCEL_TORCH_FLOAT, twos, 4, DIMS(1));
	struct vaccel_torch_tensor n = tensor(VACCEL_TORCH_LONG, three, 8, DIMS(1));
	struct vaccel_torch_tensor f = tensor(VACCEL_TORCH_DOUBLE, half, 8, DIMS(1));
	struct vaccel_torch_tensor flag = tensor(VACCEL_TORCH_LONG, &yes, 8, DIMS(1));
	struct vaccel_torch_tensor ten = tensor(VACCEL_TORCH_FLOAT, tens, 4, DIMS(1));
	struct vaccel_torch_tensor one = tensor(VACCEL_TORCH_FLOAT, ones, 4, DIMS(1));
	struct vaccel_torch_tensor *in[12] = {&x, &n, &f, &flag, &ten, &one}, *out;
	int nr = 6;

	for (int i = 0; i < rest; i++)
		in[nr++] = &one;
	in[nr++] = &x;
	assert_int_equal(vaccel_torch_model_run(&session, model, NULL, in, nr, &out, 1), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(1), &result, 4);
	assert_fails(vaccel_torch_model_run(&session, model, NULL, in, 5, &out, 1), VACCEL_EINVAL,
		     "'pair[1]' is missing");
	in[1] = &ten;
	in[1]->dims[0] = 0;
	in[1]->size = 0;
	assert_fails(vaccel_torch_model_run(&session, model, NULL, in, nr, &out, 1), VACCEL_EINVAL,
		     "the input 'n' is Float [0]; the model takes one number");
}

static void test_arguments(void **state)
{
	struct vaccel_resource model;

	open_model(&model, MODEL("arguments"));
	check_arguments(&model, 1, 0, 2 * 3 + 0.5F + 10 - 1 + 200);
	check_arguments(&model, 1, 3, 2 * 3 + 0.5F + 10 - 1 + 200 + 3);
	check_arguments(&model, 0, 1, -(2 * 3 + 0.5F + 10 - 1 + 200 + 1));
	close_model(&model);
}

static void test_numbers_and_views_come_out(void **state)
{
	float data[] = {1, 2, 3, 4, 5, 6}, sum = 21;
	double wide = 21;
	int64_t rows = 2;
	bool positive = true;
	struct vaccel_torch_tensor x = tensor(VACCEL_TORCH_FLOAT, data, sizeof(data), DIMS(2, 3));
	struct vaccel_torch_tensor *const in[] = {&x}, *out[4];
	struct vaccel_resource model;

	open_model(&model, MODEL("numbers"));
	assert_int_equal(vaccel_torch_model_run(&session, &model, NULL, in, 1, out, 3), VACCEL_OK);
	check_output(out[0], VACCEL_TORCH_LONG, DIMS(-1), &rows, 8);
	check_output(out[1], VACCEL_TORCH_DOUBLE, DIMS(-1), &wide, 8);
	check_output(out[2], VACCEL_TORCH_BOOL, DIMS(-1), &positive, 1);
	close_model(&model);
	open_model(&model, MODEL("views"));
	assert_int_equal(vaccel_torch_model_run(&session, &model, NULL, in, 1, out, 4), VACCEL_OK);
	check_output(out[0], VACCEL_TORCH_FLOAT, DIMS(3, 2), (float[]){1, 4, 2, 5, 3, 6}, 24);
	check_output(out[1], VACCEL_TORCH_FLOAT, DIMS(2, 2), (float[]){1, 3, 4, 6}, 16);
	check_output(out[2], VACCEL_TORCH_FLOAT, DIMS(0, 3), NULL, 0);
	check_output(out[3], VACCEL_TORCH_FLOAT, DIMS(-1), &sum, 4);
	close_model(&model);
}

static void test_types_that_cannot_come_out(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1, 2);
	struct vaccel_torch_tensor *const in[] = {&x}, *out[2];
	struct vaccel_resource model;

	open_model(&model, MODEL("text"));
	assert_int_equal(run(&session, &model, &x, out), VACCEL_OK);
	check_output(out[0], VACCEL_TORCH_FLOAT, DIMS(2), x.data, 8);
	assert_fails(vaccel_torch_model_run(&session, &model, NULL, in, 1, out, 2), VACCEL_ENOTSUP,
		     "the model's output 1 is String");
	close_model(&model);
	open_model(&model, MODEL("complex"));
	assert_fails(run(&session, &model, &x, out), VACCEL_ENOTSUP, "output 0 is of type Complex");
	close_model(&model);
	open_model(&model, MODEL("quantised"));
	assert_int_equal(run(&session, &model, &x, out), VACCEL_OK);
	check_output(out[0], VACCEL_TORCH_FLOAT, DIMS(2), x.data, 8);
	close_model(&model);
}

static void test_inputs_that_contradict_themselves(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1, 2), *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("same"));
	x.data_type = 11;
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL, "'x' is of type 11");
	x.data_type = 0;
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL, "'x' is of type 0");
	x.data_type = VACCEL_TORCH_DOUBLE;
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL,
		     "'x' has 8 bytes of data; Double [2] is 16");
	x.data_type = VACCEL_TORCH_FLOAT;
	x.dims[0] = -3;
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL, "Float [-3]");
	x.nr_dims = 2;
	x.dims = DIMS(INT64_MAX, 8);
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL, "'x' cannot have");
	close_model(&model);
}

static void test_what_torch_refuses(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1, 2, 3), *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("layers"));
	assert_fails(run(&session, &model, &x, &out), VACCEL_EBACKEND,
		     "the inputs were x: Float [3]");
	close_model(&model);
	open_model(&model, MODEL("raises"));
	assert_fails(run(&session, &model, &x, &out), VACCEL_EBACKEND, "these numbers will not do");
	close_model(&model);
}

static void test_a_model_that_wants_too_much(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1), *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("huge"));
	assert_fails(run(&session, &model, &x, &out), VACCEL_ENOMEM, "allocate");
	close_model(&model);
}

static void test_inputs_stay(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1, 2), *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("writes"));
	assert_int_equal(run(&session, &model, &x, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(2), (float[]){2, 3}, 8);
	assert_memory_equal(x.data, ((float[]){1, 2}), 8);
	close_model(&model);
}

static void test_members_of_inputs_stay(void **state)
{
	float data[4] = {1, 2, 3, 4};
	int64_t dims[] = {1, -1};
	struct vaccel_torch_tensor x[4], *in[4], *out;
	struct vaccel_resource model;

	for (int i = 0; i < 4; i++) {
		x[i] = tensor(VACCEL_TORCH_FLOAT, &data[i], 4, dims);
		in[i] = &x[i];
	}
	open_model(&model, MODEL("members"));
	assert_int_equal(vaccel_torch_model_run(&session, &model, NULL, in, 4, &out, 1), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(1), (float[]){1 + 20 + 4}, 4);
	assert_memory_equal(data, ((float[]){1, 2, 3, 4}), sizeof(data));
	close_model(&model);
}

static void test_sgemm(void **state)
{
	float numbers[] = {1, 2, 3, 4, 5, 6}, ones[] = {1, 1, 1, 1};
	struct vaccel_torch_tensor a = tensor(VACCEL_TORCH_FLOAT, numbers, 24, DIMS(2, 3));
	struct vaccel_torch_tensor b = tensor(VACCEL_TORCH_FLOAT, numbers, 24, DIMS(3, 2));
	struct vaccel_torch_tensor c = tensor(VACCEL_TORCH_FLOAT, ones, 16, DIMS(2, 2));
	struct vaccel_torch_tensor *at = &a, *bt = &b, *ct = &c, *out;

	assert_int_equal(vaccel_torch_sgemm(&session, &at, &bt, &ct, 2, 2, 3, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(2, 2), (float[]){23, 29, 50, 65}, 16);
	assert_fails(vaccel_torch_sgemm(&session, &at, &bt, &ct, 2, 2, 2, &out), VACCEL_EINVAL,
		     "a has type 7 and 24 bytes");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_type),
		TEST(test_shapes),
		TEST(test_several_inputs_and_outputs),
		TEST(test_more_inputs_than_there_are),
		TEST(test_arguments),
		TEST(test_numbers_and_views_come_out),
		TEST(test_types_that_cannot_come_out),
		TEST(test_inputs_that_contradict_themselves),
		TEST(test_what_torch_refuses),
		TEST(test_a_model_that_wants_too_much),
		TEST(test_inputs_stay),
		TEST(test_members_of_inputs_stay),
		TEST(test_sgemm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
