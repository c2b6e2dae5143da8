// SPDX-License-Identifier: Apache-2.0
/* Runs on tensors: names and orders, types and shapes, and what does not fit. */
#include "../support/changing.h"
#include "support.h"

#define MODEL(name) MODELS "/" name ".onnx"

static float ones[6] = {1, 1, 1, 1, 1, 1};
static float counted[6] = {1, 2, 3, 4, 5, 6};

/* The tensors of a test, in memory of its own. */
static struct vaccel_tensor tensor(void *data, size_t size, int32_t type, size_t nr_dims,
				   int64_t *dims)
{
	return (struct vaccel_tensor){data, size, false, nr_dims, dims, type};
}

static struct vaccel_tensor floats(float *data, size_t nr_dims, int64_t *dims)
{
	size_t size;

	assert_int_equal(vaccel_tensor_data_size(nr_dims, dims, VACCEL_TENSOR_FLOAT, &size),
			 VACCEL_OK);
	return tensor(data, size, VACCEL_TENSOR_FLOAT, nr_dims, dims);
}

static void check_floats(struct vaccel_tensor *out, const float *values, size_t nr)
{
	assert_int_equal(out->data_type, VACCEL_TENSOR_FLOAT);
	assert_int_equal(out->size, nr * sizeof(float));
	assert_memory_equal(out->data, values, nr * sizeof(float));
	assert_int_equal(vaccel_tensor_delete(out), VACCEL_OK);
}

static void test_orders(void **state)
{
	static const float sums[6] = {2, 3, 4, 5, 6, 7}, less[6] = {0, 1, 2, 3, 4, 5},
			   more[6] = {0, -1, -2, -3, -4, -5};
	int64_t dims[] = {2, 3};
	struct vaccel_tensor a = floats(counted, 2, dims), b = floats(ones, 2, dims);
	struct vaccel_tensor *const ab[] = {&a, &b}, *out[2];
	const char *const swapped[] = {"b", "a"}, *const second[] = {"difference", "sum"};
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, ab, 2, NULL, out, 2),
			 VACCEL_OK);
	assert_int_equal(out[0]->nr_dims, 2);
	assert_memory_equal(out[0]->dims, dims, sizeof(dims));
	check_floats(out[0], sums, 6);
	check_floats(out[1], less, 6);
	assert_int_equal(vaccel_onnx_model_run(&session, &model, swapped, ab, 2, second, out, 2),
			 VACCEL_OK);
	check_floats(out[0], more, 6);
	check_floats(out[1], sums, 6);
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, ab, 2, second, out, 1),
			 VACCEL_OK);
	check_floats(out[0], less, 6);
	/* Loaded by the first run, and once. */
	assert_int_equal(count_loads(), 1);
	assert_int_equal(vaccel_onnx_model_unload(&session, &model), VACCEL_OK);
	close_model(&model);
}

static void test_types(void **state)
{
	int64_t whole[] = {INT64_MIN, 0, INT64_MAX}, three[] = {3}, two[] = {2};
	bool flag[] = {true, false};
	double scalar = 2.5;
	struct vaccel_tensor in[] = {
		tensor(whole, sizeof(whole), VACCEL_TENSOR_INT64, 1, three),
		tensor(flag, sizeof(flag), VACCEL_TENSOR_BOOL, 1, two),
		tensor(&scalar, sizeof(scalar), VACCEL_TENSOR_DOUBLE, 0, NULL),
	};
	struct vaccel_tensor *const ins[] = {&in[0], &in[1], &in[2]}, *out[3];
	struct vaccel_resource model;

	open_model(&model, MODEL("kinds"));
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, ins, 3, NULL, out, 3),
			 VACCEL_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(out[i]->data_type, in[i].data_type);
		assert_int_equal(out[i]->nr_dims, in[i].nr_dims);
		assert_int_equal(out[i]->size, in[i].size);
		assert_memory_equal(out[i]->data, in[i].data, in[i].size);
		vaccel_tensor_delete(out[i]);
	}
	close_model(&model);
}

static void test_default_input(void **state)
{
	static const float by_ten[] = {10, 20}, by_two[] = {2, 4};
	float two = 2;
	int64_t dims[] = {2}, one[] = {1};
	struct vaccel_tensor x = floats(counted, 1, dims), factor = floats(&two, 1, one);
	struct vaccel_tensor *const in[] = {&x, &factor}, *out;
	const char *const names[] = {"x", "factor"}, *const wrong[] = {"factor", "x"};
	struct vaccel_resource model;

	open_model(&model, MODEL("default"));
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, in, 1, NULL, &out, 1),
			 VACCEL_OK);
	check_floats(out, by_ten, 2);
	assert_int_equal(vaccel_onnx_model_run(&session, &model, names, in, 2, NULL, &out, 1),
			 VACCEL_OK);
	check_floats(out, by_two, 2);
	assert_fails(vaccel_onnx_model_run(&session, &model, wrong, &in[1], 1, NULL, &out, 1),
		     VACCEL_EINVAL, "input 'x' is missing; it is float [2]");
	close_model(&model);
}

static void test_nothing_in_it(void **state)
{
	int64_t dims[] = {0, 3};
	struct vaccel_tensor a = floats(NULL, 2, dims), b = floats(ones, 2, dims);
	struct vaccel_tensor *const ab[] = {&a, &b}, *out;
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, ab, 2, NULL, &out, 1),
			 VACCEL_OK);
	assert_int_equal(out->size, 0);
	assert_int_equal(out->nr_dims, 2);
	assert_memory_equal(out->dims, dims, sizeof(dims));
	vaccel_tensor_delete(out);
	close_model(&model);
}

static void refuse(struct vaccel_resource *model, struct vaccel_tensor *a, struct vaccel_tensor *b,
		   int code, const char *words)
{
	struct vaccel_tensor *const ab[] = {a, b}, *out = NULL;

	assert_fails(vaccel_onnx_model_run(&session, model, NULL, ab, 2, NULL, &out, 1), code,
		     words);
	assert_null(out);
}

static void test_wrong_tensors(void **state)
{
	int64_t dims[] = {2, 3}, other[] = {2, 2}, huge[] = {INT64_MAX, 3}, less[] = {-1, 3};
	struct vaccel_tensor a = floats(ones, 2, dims), b = a;
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	b.data_type = VACCEL_TENSOR_INT32;
	refuse(&model, &a, &b, VACCEL_EINVAL,
	       "input 'b' is int32 [2, 3], and the model takes float [any, 3]");
	b.data_type = 999;
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' is an exotic type [2, 3]");
	b.data_type = VACCEL_TENSOR_STRING;
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' is string [2, 3]");
	b = floats(ones, 2, other);
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' is float [2, 2]");
	b = floats(ones, 1, other);
	refuse(&model, &a, &b, VACCEL_EINVAL,
	       "input 'b' is float [2], and the model takes float [any, 3]");
	b = a;
	b.size -= 1;
	refuse(&model, &a, &b, VACCEL_EINVAL, "input 'b' has 23 bytes of data; float [2, 3] is 24");
	b = a;
	b.dims = huge;
	refuse(&model, &a, &b, VACCEL_ERANGE, "");
	b.dims = less;
	refuse(&model, &a, &b, VACCEL_EINVAL, "");
	close_model(&model);
}

static void test_wrong_names(void **state)
{
	int64_t dims[] = {2, 3};
	struct vaccel_tensor a = floats(ones, 2, dims);
	struct vaccel_tensor *const in[] = {&a, &a, &a}, *out[3] = {NULL};
	const char *const twice[] = {"a", "a"}, *const stranger[] = {"a", "c"};
	const char *const outputs[] = {"sum", "sum", "difference"};
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
#define RUN(in_names, nr_in, out_names, nr_out) \
	vaccel_onnx_model_run(&session, &model, in_names, in, nr_in, out_names, out, nr_out)
	assert_fails(RUN(NULL, 1, NULL, 1), VACCEL_EINVAL, "input 'b' is missing");
	assert_fails(RUN(NULL, 3, NULL, 1), VACCEL_EINVAL, "3 inputs, and the model has 2");
	assert_fails(RUN(twice, 2, NULL, 1), VACCEL_EINVAL, "input 'a' is there twice");
	assert_fails(RUN(stranger, 2, NULL, 1), VACCEL_EINVAL, "no input 'c'");
	assert_fails(RUN(NULL, 2, NULL, 3), VACCEL_EINVAL, "3 outputs, and the model has 2");
	assert_fails(RUN(NULL, 2, outputs, 2), VACCEL_EINVAL, "output 'sum' is there twice");
	assert_fails(RUN(NULL, 2, stranger, 1), VACCEL_EINVAL, "no output 'a'");
	assert_null(out[0]);
	close_model(&model);
}

static void test_no_tensors(void **state)
{
	int64_t dims[] = {2}, one[] = {1};
	char *word = NULL;
	struct vaccel_tensor x = floats(counted, 1, dims);
	struct vaccel_tensor text = tensor(&word, sizeof(word), VACCEL_TENSOR_STRING, 1, one);
	struct vaccel_tensor *const in[] = {&x}, *const texts[] = {&text}, *out;
	const char *const names[] = {"y"};
	static const float minus[] = {-1, -2};
	struct vaccel_resource model;

	open_model(&model, MODEL("strings"));
	assert_fails(vaccel_onnx_model_run(&session, &model, NULL, texts, 1, NULL, &out, 1),
		     VACCEL_ENOTSUP, "input 'x' is of strings");
	close_model(&model);
	open_model(&model, MODEL("sequence"));
	assert_fails(vaccel_onnx_model_run(&session, &model, NULL, in, 1, NULL, &out, 1),
		     VACCEL_ENOTSUP, "output 'list' is no tensor");
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, in, 1, names, &out, 1),
			 VACCEL_OK);
	check_floats(out, minus, 2);
	close_model(&model);
}

static void test_failing_run(void **state)
{
	int64_t three[] = {3}, four[] = {4};
	struct vaccel_tensor x = floats(counted, 1, three);
	struct vaccel_tensor *const in[] = {&x}, *out = NULL;
	struct vaccel_resource model;

	open_model(&model, MODEL("square"));
	assert_fails(vaccel_onnx_model_run(&session, &model, NULL, in, 1, NULL, &out, 1),
		     VACCEL_EBACKEND, "ONNX Runtime: ");
	assert_null(out);
	x = floats(counted, 1, four);
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, in, 1, NULL, &out, 1),
			 VACCEL_OK);
	check_floats(out, counted, 4);
	close_model(&model);
}

static int64_t *changing_indices;

static void ask_for_what_is_beyond(void)
{
	changing_indices[0] = 5;
}

/* Another process writes to them while they are checked: they are taken as they were, or refused.
 */
static void test_indices_that_change(void **state)
{
	float beyond[6] = {1, 2, 3, 4, 5, 6};
	int64_t four[] = {4}, many[] = {8};
	struct vaccel_tensor x = floats(beyond, 1, four), which;
	struct vaccel_tensor *const in[] = {&x, &which}, *out = NULL;
	struct vaccel_resource model;
	int ret;

	changing_indices = changing_new(4 * sizeof(int64_t));
	for (int64_t i = 0; i < 8; i++)
		changing_indices[i] = i % 4;
	which = tensor(changing_indices, 8 * sizeof(int64_t), VACCEL_TENSOR_INT64, 1, many);
	open_model(&model, MODEL("gather"));
	changing_guard(ask_for_what_is_beyond);
	ret = vaccel_onnx_model_run(&session, &model, NULL, in, 2, NULL, &out, 1);
	changing_delete();
	if (ret)
		assert_fails(ret, VACCEL_EBACKEND, "indices element out of data bounds");
	else
		check_floats(out, (float[]){1, 2, 3, 4, 1, 2, 3, 4}, 8);
	close_model(&model);
}

static void test_strangers(void **state)
{
	int64_t dims[] = {2, 3};
	struct vaccel_tensor a = floats(ones, 2, dims);
	struct vaccel_tensor *const in[] = {&a, &a}, *out;
	struct vaccel_resource model;

	assert_int_equal(vaccel_resource_init(&model, MODEL("pair"), VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, in, 2, NULL, &out, 1),
			 VACCEL_EPERM);
	assert_int_equal(vaccel_onnx_model_run(&session, NULL, NULL, in, 2, NULL, &out, 1),
			 VACCEL_EINVAL);
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_orders),	  TEST(test_types),
		TEST(test_default_input), TEST(test_nothing_in_it),
		TEST(test_wrong_tensors), TEST(test_wrong_names),
		TEST(test_no_tensors),	  TEST(test_failing_run),
		TEST(test_strangers),	  TEST(test_indices_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
