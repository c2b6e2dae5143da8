// SPDX-License-Identifier: Apache-2.0
/* Many threads on one model, in one session and in many, with unloading in between. */
#include <pthread.h>
#include <stdatomic.h>

#include "support.h"

#define THREADS 8
#define ROUNDS	100

static struct vaccel_resource model;
static bool unloading;	   /* in between, by each thread */
static atomic_int started; /* threads */
static atomic_int ones;	   /* that were added to a model's state */

/* Each has numbers of its own, and sometimes a shape of its own. */
static bool add(struct vaccel_session *sess, int number, int rows)
{
	float numbers[6], *sums;
	struct vaccel_tflite_tensor x = tensor(VACCEL_TFLITE_FLOAT32, numbers,
					       (size_t)rows * 3 * sizeof(float), DIMS(rows, 3));
	struct vaccel_tflite_tensor *const in[] = {&x, &x}, *out;
	bool right = true;

	for (int i = 0; i < 6; i++)
		numbers[i] = (float)(number + i);
	if (vaccel_tflite_model_run(sess, &model, in, 2, &out, 1, NULL))
		return false;
	sums = out->data;
	for (int i = 0; i < rows * 3; i++)
		right = right && sums[i] == 2 * numbers[i];
	vaccel_tflite_tensor_delete(out);
	return right;
}

/* Another thread may have been faster. */
static bool unload(struct vaccel_session *sess)
{
	int ret = vaccel_tflite_model_unload(sess, &model);

	return !ret || ret == VACCEL_EINVAL;
}

/* Returns what went wrong, NULL for nothing. */
static void *work(void *opaque)
{
	struct vaccel_session own, *sess = opaque ? opaque : &own;
	int number = 1000 * atomic_fetch_add(&started, 1);
	const char *wrong = NULL;

	if (!opaque && (vaccel_session_init(&own, 0) || vaccel_resource_register(&model, &own)))
		return (void *)"cannot open a session";
	for (int i = 0; !wrong && i < ROUNDS; i++) {
		if (!add(sess, number + i, 1 + i % 2))
			wrong = "a sum is wrong";
		if (unloading && i % 8 == 0 && !unload(sess))
			wrong = "cannot unload";
	}
	if (!opaque && vaccel_session_release(&own))
		wrong = "cannot release a session";
	return (void *)wrong;
}

static void run(void *(*function)(void *), struct vaccel_session *sess, const char *path)
{
	pthread_t thread[THREADS];
	void *wrong;

	open_model(&model, path);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, function, sess), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &wrong);
		if (wrong)
			fail_msg("%s", (char *)wrong);
	}
	close_model(&model);
	assert_string_equal(reported("models"), "0 loaded");
}

static void test_one_session(void **state)
{
	run(work, &session, MODEL("pair"));
}

static void test_many_sessions(void **state)
{
	run(work, NULL, MODEL("pair"));
}

static void test_unloading(void **state)
{
	unloading = true;
	run(work, &session, MODEL("pair"));
	unloading = false;
}

static void *count(void *opaque)
{
	float number[] = {1, 1};
	struct vaccel_tflite_tensor x =
		tensor(VACCEL_TFLITE_FLOAT32, number, sizeof(number), DIMS(2));
	struct vaccel_tflite_tensor *const in[] = {&x}, *out;

	for (int i = 0; i < ROUNDS; i++) {
		if (vaccel_tflite_model_run(opaque, &model, in, 1, &out, 1, NULL))
			return (void *)"a run failed";
		vaccel_tflite_tensor_delete(out);
		/* The last one of all sees all that were added. */
		if (atomic_fetch_add(&ones, 1) == THREADS * ROUNDS - 1) {
			number[0] = 0;
			if (vaccel_tflite_model_run(opaque, &model, in, 1, &out, 1, NULL))
				return (void *)"the last run failed";
			number[0] = *(float *)out->data;
			vaccel_tflite_tensor_delete(out);
			if (number[0] != THREADS * ROUNDS)
				return (void *)"some were lost";
		}
	}
	return NULL;
}

static void test_state(void **state)
{
	run(count, &session, MODEL("counter"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_session),
		TEST(test_many_sessions),
		TEST(test_unloading),
		TEST(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
