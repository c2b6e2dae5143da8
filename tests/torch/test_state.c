// SPDX-License-Identifier: Apache-2.0
/* Models that change themselves: what changes belongs to a session, the rest is there once. */
#include "support.h"

/* 2 x, and how often each of three counters has counted. */
static void check_count(struct vaccel_session *sess, struct vaccel_resource *model, float calls)
{
	struct vaccel_torch_tensor x = FLOATS(10, 20, 30), *out;
	float expected[] = {20 + calls, 40 + calls, 60 + calls};

	assert_int_equal(run(sess, model, &x, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(3), expected, sizeof(expected));
}

static void test_each_session_counts_for_itself(void **state)
{
	struct vaccel_resource model, same;
	struct vaccel_session other;

	open_model(&model, MODEL("counter"));
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	check_count(&session, &model, 1);
	check_count(&session, &model, 2);
	check_count(&other, &model, 1);
	check_count(&session, &model, 3);
	/* The same content is the same model. */
	open_model(&same, MODEL("counter"));
	check_count(&session, &same, 4);
	check_count(&other, &model, 2);
	close_model(&same);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	check_count(&session, &model, 5);
	close_model(&model);
}

static void test_a_new_session_begins_anew(void **state)
{
	struct vaccel_resource model;

	open_model(&model, MODEL("counter"));
	check_count(&session, &model, 1);
	check_count(&session, &model, 2);
	assert_int_equal(vaccel_session_release(&session), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&session, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &session), VACCEL_OK);
	check_count(&session, &model, 1);
	close_model(&model);
}

static void test_parameters_that_change(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1), *out;
	struct vaccel_resource model;
	struct vaccel_session other;

	open_model(&model, MODEL("learns"));
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(run(&session, &model, &x, &out), VACCEL_OK);
		check_output(out, VACCEL_TORCH_FLOAT, DIMS(1), (float[]){(float)i}, 4);
	}
	assert_int_equal(run(&other, &model, &x, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(1), (float[]){1}, 4);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	close_model(&model);
}

/* What a model keeps of its inputs stays as it was, whatever becomes of their memory. */
static void test_inputs_that_are_kept(void **state)
{
	float data[] = {1};
	struct vaccel_torch_tensor x = tensor(VACCEL_TORCH_FLOAT, data, sizeof(data), DIMS(1));
	struct vaccel_torch_tensor *const in[] = {&x}, *out[2];
	struct vaccel_resource model;

	open_model(&model, MODEL("keeps"));
	for (int i = 1; i < 5; i++) {
		data[0] = (float)i;
		assert_int_equal(vaccel_torch_model_run(&session, &model, NULL, in, 1, out, 2),
				 VACCEL_OK);
		check_output(out[0], VACCEL_TORCH_FLOAT, DIMS(1), (float[]){(float)(2 * i - 1)}, 4);
		check_output(out[1], VACCEL_TORCH_FLOAT, DIMS(1),
			     (float[]){(float)i * (float)(i + 1) / 2}, 4);
	}
	close_model(&model);
}

/* What it has of a model goes with the model, though the session goes on. */
static void test_the_last_resource_of_a_model(void **state)
{
	struct vaccel_resource model, same;

	open_model(&model, MODEL("counter"));
	check_count(&session, &model, 1);
	open_model(&same, MODEL("counter"));
	check_count(&session, &same, 2);
	close_model(&model);
	check_count(&session, &same, 3);
	close_model(&same);
	assert_string_equal(reported("models"), "0 loaded");
	open_model(&model, MODEL("counter"));
	check_count(&session, &model, 1);
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_session_counts_for_itself),
		TEST(test_a_new_session_begins_anew),
		TEST(test_parameters_that_change),
		TEST(test_inputs_that_are_kept),
	};
	/* What only the process itself knows. */
	const struct CMUnitTest here[] = {TEST(test_the_last_resource_of_a_model)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	return getenv("VACCEL_RPC_ADDRESS") ? failed
					    : failed + cmocka_run_group_tests(here, NULL, NULL);
}
