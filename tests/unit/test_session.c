// SPDX-License-Identifier: Apache-2.0
/* Sessions: every line that programs rely on, and what they cost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel.h>

#include "call/call.h"
#include "object/session.h"
#include "plugin/registry.h"

#define MANY	200000
#define THREADS 16
#define CALLS	2000

static const unsigned char bytes[] = {1, 2, 3, 4};

static int start(void **state)
{
	struct vaccel_config config = {.plugins = (char *)"noop:cpu",
				       .log_level = VACCEL_LOG_ERROR};

	return vaccel_bootstrap_with_config(&config);
}

static int stop(void **state)
{
	return vaccel_cleanup();
}

static void make_resource(struct vaccel_resource *resource, vaccel_resource_type_t type)
{
	assert_int_equal(
		vaccel_resource_init_from_buf(resource, bytes, sizeof(bytes), type, "name", true),
		VACCEL_OK);
}

static void test_open_and_close(void **state)
{
	struct vaccel_session first, second, *allocated = NULL;

	memset(&first, 0xff, sizeof(first));
	assert_int_equal(vaccel_session_init(&first, 0), VACCEL_OK);
	assert_true(first.id > 0);
	assert_int_equal(first.remote_id, 0);
	assert_int_equal(first.hint, 0);
	assert_false(first.is_virtio);
	assert_null(first.priv);
	assert_string_equal(first.plugin->info->name, "noop");
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
	assert_int_equal(second.id, first.id + 1);
	assert_int_equal(vaccel_session_new(&allocated, 0), VACCEL_OK);
	assert_int_equal(allocated->id, first.id + 2);
	assert_int_equal(vaccel_session_delete(allocated), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&first), VACCEL_OK);
	assert_int_equal(first.id, 0);
	assert_int_equal(vaccel_session_release(&first), VACCEL_EINVAL);
	assert_int_equal(vaccel_noop(&first), VACCEL_EINVAL);
}

/* What was found out of the plugins that there were holds no longer. */
static void test_choices_are_forgotten(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
		assert_non_null(atomic_load(&sess.state->choice[vaccel_op_noop.index]));
		atomic_store(&sess.state->drawn[1], true);
		assert_int_equal(i ? vaccel_session_update(&sess, 0) : vaccel_plugin_load("noop"),
				 VACCEL_OK);
		assert_null(atomic_load(&sess.state->choice[vaccel_op_noop.index]));
		assert_false(atomic_load(&sess.state->drawn[1]));
	}
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_nonsense(void **state)
{
	struct vaccel_session zero = {0}, *found = NULL;
	struct vaccel_resource *resource, **resources;
	size_t nr;

	assert_int_equal(vaccel_session_init(NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_new(NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_release(&zero), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_delete(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_update(NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_get_by_id(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_get_by_id(&found, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_get_by_id(&found, -1), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_get_by_id(&found, INT64_MAX), VACCEL_ENOENT);
	assert_null(found);
	assert_false(vaccel_session_has_resource(NULL, NULL));
	assert_int_equal(vaccel_session_resource_by_id(NULL, &resource, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_resource_by_type(NULL, &resource, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	assert_int_equal(
		vaccel_session_resources_by_type(NULL, &resources, &nr, VACCEL_RESOURCE_DATA),
		VACCEL_EINVAL);
	assert_int_equal(vaccel_noop(NULL), VACCEL_EINVAL);
	assert_null(vaccel_session_rundir(NULL));
}

static void test_find_by_id(void **state)
{
	struct vaccel_session sess, *found = NULL;
	vaccel_id_t id;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	id = sess.id;
	assert_int_equal(vaccel_session_get_by_id(&found, id), VACCEL_OK);
	assert_ptr_equal(found, &sess);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_session_get_by_id(&found, id), VACCEL_ENOENT);
}

static void test_hints(void **state)
{
	struct vaccel_session sess = {.id = 5};

	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "cpu");
	assert_int_equal(sess.hint, VACCEL_PLUGIN_CPU);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_DEBUG), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "noop");
	/* A preference that nobody fits is none. */
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_FPGA), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "noop");
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_REMOTE), VACCEL_ENOTSUP);
	assert_int_equal(sess.hint, VACCEL_PLUGIN_FPGA);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	sess.id = 5;
	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE), VACCEL_ENOTSUP);
	assert_non_null(strstr(vaccel_error_text(), "remote"));
	assert_int_equal(sess.id, 5);
}

/* What the hint says holds for each operation: noop says max is 10000, cpu says what it is. */
static void test_update_changes_who_works(void **state)
{
	const double in[] = {1, 2, 3};
	double out[3], min, max;
	struct vaccel_session sess;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_minmax(&sess, in, 3, 0, 9, out, &min, &max), VACCEL_OK);
	assert_true(max == 10000);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_int_equal(vaccel_minmax(&sess, in, 3, 0, 9, out, &min, &max), VACCEL_OK);
	assert_true(max == 3);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_update_refused_with_resources(void **state)
{
	struct vaccel_session sess;
	struct vaccel_resource resource;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	make_resource(&resource, VACCEL_RESOURCE_DATA);
	assert_int_equal(vaccel_resource_register(&resource, &sess), VACCEL_OK);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_CPU), VACCEL_ENOTSUP);
	assert_int_equal(vaccel_resource_unregister(&resource, &sess), VACCEL_OK);
	assert_int_equal(vaccel_session_update(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&resource), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_resources(void **state)
{
	struct vaccel_session sess;
	struct vaccel_resource data, model, second, *found = NULL, **all = NULL;
	size_t nr = 0;

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	make_resource(&data, VACCEL_RESOURCE_DATA);
	make_resource(&model, VACCEL_RESOURCE_MODEL);
	make_resource(&second, VACCEL_RESOURCE_MODEL);
	assert_false(vaccel_session_has_resource(&sess, &model));
	assert_int_equal(vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENOENT);
	assert_int_equal(vaccel_session_resources_by_type(&sess, &all, &nr, VACCEL_RESOURCE_MODEL),
			 VACCEL_ENOENT);
	assert_null(all);
	assert_int_equal(vaccel_resource_register(&data, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&second, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &sess), VACCEL_OK);
	assert_true(vaccel_session_has_resource(&sess, &model));
	/* The first is the one registered first. */
	assert_int_equal(vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_ptr_equal(found, &second);
	assert_int_equal(vaccel_session_resources_by_type(&sess, &all, &nr, VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(nr, 2);
	assert_ptr_equal(all[0], &second);
	assert_ptr_equal(all[1], &model);
	free(all);
	assert_int_equal(vaccel_session_resource_by_id(&sess, &found, data.id), VACCEL_OK);
	assert_ptr_equal(found, &data);
	assert_int_equal(vaccel_session_resource_by_id(&sess, &found, data.id + 1000),
			 VACCEL_ENOENT);
	assert_int_equal(vaccel_session_resource_by_id(&sess, &found, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_MAX),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_session_resources_by_type(&sess, &all, NULL, VACCEL_RESOURCE_DATA),
			 VACCEL_EINVAL);
	/* The type is read at each look-up. */
	data.type = VACCEL_RESOURCE_LIB;
	assert_int_equal(vaccel_session_resource_by_type(&sess, &found, VACCEL_RESOURCE_LIB),
			 VACCEL_OK);
	/* Closing a session unregisters its resources, which stay. */
	assert_int_equal(vaccel_resource_refcount(&model), 1);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_refcount(&model), 0);
	assert_int_equal(vaccel_resource_release(&data), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&second), VACCEL_OK);
}

static void test_old_names(void **state)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	struct vaccel_session sess;
	struct vaccel_resource resource;

	make_resource(&resource, VACCEL_RESOURCE_DATA);
	assert_int_equal(vaccel_sess_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_sess_update(&sess, VACCEL_PLUGIN_CPU), VACCEL_OK);
	assert_false(vaccel_sess_has_resource(&sess, &resource));
	assert_int_equal(vaccel_sess_free(&sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&resource), VACCEL_OK);
#pragma GCC diagnostic pop
}

/* No fixed table, and no file or directory for any of them. */
static void test_many(void **state)
{
	struct vaccel_session *many = calloc(MANY, sizeof(*many)), *found;

	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(vaccel_session_init(&many[i], 0), VACCEL_OK);
	for (size_t i = 0; i < MANY; i += 997) {
		assert_int_equal(vaccel_session_get_by_id(&found, many[i].id), VACCEL_OK);
		assert_ptr_equal(found, &many[i]);
		assert_int_equal(vaccel_noop(&many[i]), VACCEL_OK);
	}
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(vaccel_session_release(&many[i]), VACCEL_OK);
	free(many);
}

static void *call_often(void *argument)
{
	struct vaccel_session own, *shared = argument;
	const double in[] = {3, 1, 2};
	double out[3], min, max;

	assert_int_equal(vaccel_session_init(&own, VACCEL_PLUGIN_CPU), VACCEL_OK);
	for (int i = 0; i < CALLS; i++) {
		assert_int_equal(vaccel_minmax(shared, in, 3, 0, 9, out, &min, &max), VACCEL_OK);
		assert_true(min == 1 && max == 3);
		assert_int_equal(vaccel_noop(shared), VACCEL_OK);
		assert_int_equal(vaccel_noop(&own), VACCEL_OK);
	}
	assert_int_equal(vaccel_session_release(&own), VACCEL_OK);
	return NULL;
}

static void test_threads(void **state)
{
	struct vaccel_session shared;
	pthread_t threads[THREADS];

	assert_int_equal(vaccel_session_init(&shared, VACCEL_PLUGIN_CPU), VACCEL_OK);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, &shared), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(vaccel_session_release(&shared), VACCEL_OK);
}

/* A session that the program forgot leaves nothing behind at cleanup. */
static void test_forgotten(void **state)
{
	struct vaccel_session *sess;

	assert_int_equal(vaccel_session_new(&sess, 0), VACCEL_OK);
	assert_non_null(vaccel_session_rundir(sess));
	free(sess);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	assert_int_equal(start(NULL), VACCEL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_and_close),
		cmocka_unit_test(test_choices_are_forgotten),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_find_by_id),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_update_changes_who_works),
		cmocka_unit_test(test_update_refused_with_resources),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_old_names),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
