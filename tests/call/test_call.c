// SPDX-License-Identifier: Apache-2.0
/*
 * The way of a call: what is refused before a plugin sees it, whose words an
 * error has, what becomes of outputs, and the plugin's own sides of sessions
 * and resources.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel.h>

#include "answers.h"

#define THREADS 8

static struct answers *answers;
static struct vaccel_session sess;
static struct vaccel_resource model;
static const unsigned char bytes[] = "bytes";

static int start(void **state)
{
	struct vaccel_config config = {.plugins = (char *)ANSWERS_PLUGIN,
				       .log_level = VACCEL_LOG_ERROR};
	void *handle;

	if (vaccel_bootstrap_with_config(&config))
		return -1;
	handle = dlopen(ANSWERS_PLUGIN, RTLD_NOW);
	answers = dlsym(handle, "answers");
	dlclose(handle);
	return answers ? 0 : -1;
}

static int stop(void **state)
{
	return vaccel_cleanup();
}

static int open_session(void **state)
{
	*answers = (struct answers){0};
	return vaccel_session_init(&sess, 0) ||
	       vaccel_resource_init_from_buf(&model, bytes, sizeof(bytes), VACCEL_RESOURCE_MODEL,
					     "model", true) ||
	       vaccel_resource_register(&model, &sess);
}

static int close_session(void **state)
{
	if (model.id)
		vaccel_resource_release(&model);
	return vaccel_session_release(&sess);
}

static void assert_words(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' is not in '%s'", words, vaccel_error_text());
}

static void test_refused_before_the_plugin(void **state)
{
	const double in[] = {1};
	double out[1], min, max;
	struct vaccel_class *top = NULL;
	size_t nr;

	assert_int_equal(vaccel_minmax(&sess, NULL, 1, 0, 1, out, &min, &max), VACCEL_EINVAL);
	assert_words("samples");
	assert_int_equal(vaccel_minmax(&sess, in, 1, 0, 1, NULL, &min, &max), VACCEL_EINVAL);
	assert_words("out");
	assert_int_equal(vaccel_minmax(&sess, in, 1, 0, 1, out, NULL, &max), VACCEL_EINVAL);
	assert_words("min");
	assert_int_equal(vaccel_minmax(&sess, in, 0, 0, 1, out, &min, &max), VACCEL_EINVAL);
	assert_int_equal(vaccel_minmax(&sess, in, -5, 0, 1, out, &min, &max), VACCEL_EINVAL);
	assert_int_equal(vaccel_minmax(&sess, in, 1, 2, 1, out, &min, &max), VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classify_top(&sess, bytes, 0, 1, &top, &nr), VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classify_top(&sess, bytes, 1, 0, &top, &nr), VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classify_top(&sess, bytes, SIZE_MAX, 1, &top, &nr),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_image_classify_top(&sess, bytes, 1, 1, NULL, &nr), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&sess, NULL, "f", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&sess, "", "f", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_exec(&sess, "lib", "f", NULL, 3, NULL, 0), VACCEL_EINVAL);
	assert_words("read");
	assert_int_equal(answers->calls, 0);
	assert_null(top);
}

static void test_bad_user_args(void **state)
{
	struct vaccel_arg arg = {.buf = NULL, .size = 8};

	assert_int_equal(vaccel_exec(&sess, "lib", "f", &arg, 1, NULL, 0), VACCEL_EINVAL);
	assert_words("read[0]");
	arg.size = SIZE_MAX;
	arg.buf = &arg;
	assert_int_equal(vaccel_exec(&sess, "lib", "f", NULL, 0, &arg, 1), VACCEL_EINVAL);
	assert_words("write[0]");
}

static void test_bad_tensors(void **state)
{
	int64_t dims[] = {1};
	struct vaccel_tensor tensor = {.nr_dims = 1, .dims = dims};
	struct vaccel_tensor *in[] = {&tensor}, *out[1] = {NULL};
	const char *names[] = {NULL};

	tensor.size = 4;
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, in, 1, NULL, out, 1),
			 VACCEL_EINVAL);
	assert_words("4 bytes");
	tensor = (struct vaccel_tensor){.nr_dims = 1};
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, in, 1, NULL, out, 1),
			 VACCEL_EINVAL);
	tensor = (struct vaccel_tensor){.nr_dims = 100000, .dims = dims};
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, in, 1, NULL, out, 1),
			 VACCEL_EINVAL);
	in[0] = NULL;
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, in, 1, NULL, out, 1),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, NULL, 0, NULL, NULL, 1),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, NULL, 0, NULL, out, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, NULL, 0, names, out, 1),
			 VACCEL_EINVAL);
	assert_words("out_names");
	assert_null(out[0]);
	assert_int_equal(answers->calls, 0);
}

static void test_resources(void **state)
{
	assert_int_equal(vaccel_onnx_model_load(&sess, NULL), VACCEL_EINVAL);
	model.type = VACCEL_RESOURCE_DATA;
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_EINVAL);
	assert_words("DATA");
	model.type = VACCEL_RESOURCE_MODEL;
	assert_int_equal(vaccel_resource_unregister(&model, &sess), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_EPERM);
	assert_words("vaccel_resource_register()");
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_EINVAL);
	assert_words("released");
	assert_int_equal(answers->calls, 0);
}

static void test_no_plugin_has_it(void **state)
{
	float a = 1;

	assert_int_equal(vaccel_sgemm(&sess, 1, 1, 1, 1, &a, 1, &a, 1, 0, &a, 1), VACCEL_ENOTSUP);
	assert_words("blas_sgemm");
}

static void test_whose_words(void **state)
{
	answers->code = VACCEL_EIO;
	answers->say = true;
	assert_int_equal(vaccel_noop(&sess), VACCEL_EIO);
	assert_string_equal(vaccel_error_text(), "as the test said");
	/* Without words of its own a plugin does not get an earlier error's. */
	answers->say = false;
	assert_int_equal(vaccel_noop(&sess), VACCEL_EIO);
	assert_words("answers");
	assert_words("noop");
	answers->code = VACCEL_OK;
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
}

static void test_lists_grow(void **state)
{
	struct vaccel_class *top = NULL;
	size_t nr = 0;

	assert_int_equal(vaccel_image_classify_top(&sess, bytes, 5, 3, &top, &nr), VACCEL_OK);
	assert_int_equal(nr, 2);
	assert_string_equal(top[0].label, "one");
	assert_string_equal(top[1].label, "two");
	free(top);
	top = NULL;
	answers->code = VACCEL_EBACKEND;
	assert_int_equal(vaccel_image_classify_top(&sess, bytes, 5, 3, &top, &nr), VACCEL_EBACKEND);
	assert_null(top);
}

static void test_only_what_grows_grows(void **state)
{
	assert_int_equal(vaccel_exec(&sess, "lib", "f", NULL, 0, NULL, 0), VACCEL_EINVAL);
	assert_words("size the backend decides");
}

static void test_tensors_grow(void **state)
{
	struct vaccel_tensor *out[2] = {NULL, NULL};

	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, NULL, 0, NULL, out, 2),
			 VACCEL_OK);
	assert_int_equal(out[0]->nr_dims, 0);
	assert_int_equal(out[0]->size, 4);
	assert_int_equal(out[1]->nr_dims, 2);
	assert_int_equal(out[1]->dims[1], 3);
	assert_true(out[1]->owned);
	assert_int_equal(out[1]->data_type, VACCEL_TENSOR_FLOAT);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vaccel_tensor_delete(out[i]), VACCEL_OK);
		out[i] = NULL;
	}
	answers->code = VACCEL_EBACKEND;
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, NULL, 0, NULL, out, 2),
			 VACCEL_EBACKEND);
	assert_null(out[0]);
	assert_null(out[1]);
}

/* A status is written on every return, whatever the memory held before. */
static void test_tf_status(void **state)
{
	struct vaccel_tf_status status;

	memset(&status, 0xff, sizeof(status));
	assert_int_equal(vaccel_tf_model_load(&sess, &model, &status), VACCEL_OK);
	assert_int_equal(status.code, 0);
	assert_string_equal(status.message, "said by TF");
	vaccel_tf_status_release(&status);
	answers->code = VACCEL_EBACKEND;
	memset(&status, 0xff, sizeof(status));
	assert_int_equal(vaccel_tf_model_load(&sess, &model, &status), VACCEL_EBACKEND);
	assert_int_equal(status.code, 3);
	assert_non_null(status.message);
	vaccel_tf_status_release(&status);
	assert_int_equal(vaccel_tf_model_load(&sess, &model, NULL), VACCEL_EBACKEND);
	memset(&status, 0xff, sizeof(status));
	assert_int_equal(vaccel_tf_model_load(NULL, &model, &status), VACCEL_EINVAL);
	assert_int_not_equal(status.code, 0);
	assert_string_equal(status.message, vaccel_error_text());
	vaccel_tf_status_release(&status);
}

static void test_slots(void **state)
{
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(answers->sessions_open, 0);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	assert_ptr_equal(answers->model_seen, &model);
	assert_int_equal(answers->sessions_open, 1);
	assert_int_equal(answers->resources_open, 1);
	assert_int_equal(vaccel_resource_release(&model), VACCEL_OK);
	assert_int_equal(answers->resources_open, 0);
	assert_int_equal(answers->sessions_open, 1);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(answers->sessions_open, 0);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
}

/* A slot that could not be made is asked for anew the next time. */
static void test_slot_that_fails(void **state)
{
	answers->slot_code = VACCEL_ENODEV;
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_ENODEV);
	assert_string_equal(vaccel_error_text(), "no slot, as the test said");
	answers->slot_code = VACCEL_OK;
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
}

static void *load(void *argument)
{
	return (void *)(intptr_t)vaccel_onnx_model_load(&sess, &model);
}

static void test_slots_are_made_once(void **state)
{
	pthread_t threads[THREADS];
	void *code;

	answers->yields = 1000;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, load, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &code);
		assert_int_equal((intptr_t)code, VACCEL_OK);
	}
	assert_int_equal(answers->opened, 1);
	assert_int_equal(answers->resources_open, 1);
}

/* What a cleanup closes, plugins hear of, too; and forks need not wait for it. */
static void test_cleanup_closes_slots(void **state)
{
	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	answers->forks = 2;
	alarm(60);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	alarm(0);
	assert_int_equal(answers->forks, 0);
	assert_int_equal(answers->sessions_open, 0);
	assert_int_equal(answers->resources_open, 0);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ESESS);
	assert_int_equal(start(NULL), 0);
	assert_int_equal(open_session(NULL), VACCEL_OK);
}

static void test_table(void **state)
{
	const struct vaccel_op *op;
	uint32_t last = 0;
	size_t nr;

	for (nr = 0; (op = vaccel_op_at(nr)); nr++) {
		assert_int_equal(op->index, nr);
		assert_true(nr == 0 || op->number > last);
		last = op->number;
		assert_ptr_equal(vaccel_op_by_number(op->number), op);
		assert_true(strlen(op->sentence) > 5);
		assert_int_equal(strncmp(op->symbol, "vaccel_", 7), 0);
		assert_int_equal(strncmp(op->signature, op->name, strlen(op->name)), 0);
		for (size_t i = 0; i < op->nr_fields; i++)
			assert_true(strlen(op->fields[i].sentence) > 3);
	}
	assert_true(nr >= 28);
	assert_null(vaccel_op_by_number(24));
	assert_null(vaccel_op_by_number(UINT32_MAX));
	/* FNV-1a, as published: of nothing and of "a". */
	assert_true(vaccel_op_hash("") == 0xcbf29ce484222325u);
	assert_true(vaccel_op_hash("a") == 0xaf63dc4c8601ec8cu);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_session, close_session)
	const struct CMUnitTest tests[] = {
		TEST(test_refused_before_the_plugin),
		TEST(test_bad_user_args),
		TEST(test_bad_tensors),
		TEST(test_resources),
		TEST(test_no_plugin_has_it),
		TEST(test_whose_words),
		TEST(test_lists_grow),
		TEST(test_only_what_grows_grows),
		TEST(test_tensors_grow),
		TEST(test_tf_status),
		TEST(test_slots),
		TEST(test_slot_that_fails),
		TEST(test_slots_are_made_once),
		TEST(test_cleanup_closes_slots),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
