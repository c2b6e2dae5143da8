// SPDX-License-Identifier: Apache-2.0
/* Many threads on one session and on many, with loading, unloading and releasing in between. */
#include <pthread.h>
#include <stdatomic.h>

#include "support.h"

#define THREADS 16
#define ROUNDS	40

static void *picture;
static size_t picture_size;
static struct vaccel_resource model;
static pthread_barrier_t together;
static bool unloading;	     /* in between, by each thread */
static atomic_bool unloaded; /* while no call was running */

static bool classify(struct vaccel_session *sess)
{
	char text[32];

	return !vaccel_image_classification(sess, picture, (unsigned char *)text, NULL,
					    picture_size, sizeof(text), 0) &&
	       !strcmp(text, "99.981% seven");
}

/* Another thread may have been faster. */
static bool unload(struct vaccel_session *sess)
{
	int ret = vaccel_onnx_model_unload(sess, &model);

	return !ret || ret == VACCEL_EINVAL;
}

/* While no call is running nobody holds the model, so that the next call loads it anew. */
static void unload_alone(struct vaccel_session *sess)
{
	pthread_barrier_wait(&together);
	if (!atomic_exchange(&unloaded, true))
		unload(sess);
	pthread_barrier_wait(&together);
}

/* Returns what went wrong, NULL for nothing. */
static void *work(void *opaque)
{
	struct vaccel_session own, *sess = opaque ? opaque : &own;
	const char *wrong = NULL;

	pthread_barrier_wait(&together);
	if (!opaque && (vaccel_session_init(&own, 0) || vaccel_resource_register(&model, &own)))
		return (void *)"cannot open a session";
	/* All threads do all rounds, whatever went wrong, since they wait for each other. */
	for (int i = 0; i < ROUNDS; i++) {
		if (!classify(sess))
			wrong = "a picture was classified wrongly";
		if (unloading && i % 4 == 0 && !unload(sess))
			wrong = "cannot unload";
		if (unloading && i == ROUNDS / 2)
			unload_alone(sess);
	}
	if (!opaque && vaccel_session_release(&own))
		wrong = "cannot release a session";
	return (void *)wrong;
}

static void run(struct vaccel_session *sess)
{
	pthread_t thread[THREADS];
	void *wrong;

	picture = read_file(DIGITS "/images/seven.png", &picture_size);
	open_model(&model, DIGITS);
	assert_int_equal(pthread_barrier_init(&together, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, sess), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
	pthread_barrier_destroy(&together);
	close_model(&model);
	assert_string_equal(reported("models"), "0 loaded");
	free(picture);
}

static void test_one_session(void **state)
{
	run(&session);
	assert_int_equal(count_loads(), 1);
}

static void test_many_sessions(void **state)
{
	run(NULL);
	assert_int_equal(count_loads(), 1);
}

static void test_unloading(void **state)
{
	unloading = true;
	atomic_store(&unloaded, false);
	run(&session);
	unloading = false;
	assert_true(count_loads() > 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_session),
		TEST(test_many_sessions),
		TEST(test_unloading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
