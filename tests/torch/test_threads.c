// SPDX-License-Identifier: Apache-2.0
/* Many threads on one model, in one session and in many, and loading while others do. */
#include <pthread.h>
#include <stdatomic.h>

#include "support.h"

#define THREADS 8
#define ROUNDS	50

static struct vaccel_resource model;
static atomic_int started;

/* Each has numbers of its own, and sometimes a shape of its own. */
static bool add(struct vaccel_session *sess, int number, int rows)
{
	float numbers[6], *sums;
	struct vaccel_torch_tensor x = tensor(VACCEL_TORCH_FLOAT, numbers,
					      (size_t)rows * 3 * sizeof(float), DIMS(rows, 3));
	struct vaccel_torch_tensor *const in[] = {&x, &x}, *out;
	bool right = true;

	for (int i = 0; i < 6; i++)
		numbers[i] = (float)(number + i);
	if (vaccel_torch_model_run(sess, &model, NULL, in, 2, &out, 1))
		return false;
	sums = out->data;
	for (int i = 0; i < rows * 3; i++)
		right = right && sums[i] == 2 * numbers[i];
	vaccel_torch_tensor_delete(out);
	return right;
}

/* Returns what went wrong, NULL for nothing. */
static void *add_often(void *opaque)
{
	struct vaccel_session own, *sess = opaque ? opaque : &own;
	int number = 1000 * atomic_fetch_add(&started, 1);
	const char *wrong = NULL;

	if (!opaque && (vaccel_session_init(&own, 0) || vaccel_resource_register(&model, &own)))
		return (void *)"cannot open a session";
	for (int i = 0; !wrong && i < ROUNDS; i++)
		if (!add(sess, number + i, 1 + i % 2))
			wrong = "a sum is wrong";
	if (!opaque && vaccel_session_release(&own))
		wrong = "cannot release a session";
	return (void *)wrong;
}

/* A model with state runs one call of a session after the other, so that none is lost. */
static void *count_often(void *opaque)
{
	struct vaccel_torch_tensor x = FLOATS(0, 0, 0), *out;

	for (int i = 0; i < ROUNDS; i++) {
		if (run(opaque, &model, &x, &out))
			return (void *)"a run failed";
		vaccel_torch_tensor_delete(out);
	}
	return NULL;
}

static void in_threads(void *(*function)(void *), struct vaccel_session *sess)
{
	pthread_t thread[THREADS];
	void *wrong;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, function, sess), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &wrong);
		if (wrong)
			fail_msg("%s", (char *)wrong);
	}
}

static void test_one_session(void **state)
{
	open_model(&model, MODEL("many"));
	in_threads(add_often, &session);
	assert_string_equal(reported("models"), "1 loaded");
	close_model(&model);
	assert_string_equal(reported("models"), "0 loaded");
}

static void test_many_sessions(void **state)
{
	open_model(&model, MODEL("many"));
	in_threads(add_often, NULL);
	close_model(&model);
}

static void test_state(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(0, 0, 0), *out;
	const float all = THREADS * ROUNDS + 1;

	open_model(&model, MODEL("counter"));
	in_threads(count_often, &session);
	assert_int_equal(run(&session, &model, &x, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(3), (float[]){all, all, all}, 12);
	close_model(&model);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_session),
		TEST(test_many_sessions),
		TEST(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
