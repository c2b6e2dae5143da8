// SPDX-License-Identifier: Apache-2.0
/* From resources to models: what is taken, what is refused and why, and what is shared. */
#include <dlfcn.h>

#include "support.h"

static float two[] = {2, 2, 2}, four[] = {4, 4, 4};

/* Runs the model that adds. */
static void check_pair(struct vaccel_resource *model)
{
	struct vaccel_tflite_tensor x = tensor(VACCEL_TFLITE_FLOAT32, two, sizeof(two), DIMS(1, 3));
	struct vaccel_tflite_tensor *const in[] = {&x, &x}, *out;

	assert_int_equal(vaccel_tflite_model_run(&session, model, in, 2, &out, 1, NULL), VACCEL_OK);
	check_output(out, VACCEL_TFLITE_FLOAT32, DIMS(1, 3), four, sizeof(four));
}

static void refuse(const char *path, int code, const char *words)
{
	struct vaccel_resource model;

	open_model(&model, path);
	assert_fails(vaccel_tflite_model_load(&session, &model), code, words);
	/* Asked again, it says so again. */
	assert_fails(vaccel_tflite_model_load(&session, &model), code, words);
	assert_string_equal(reported("models"), "0 loaded");
	close_model(&model);
}

static void test_missing_operations(void **state)
{
	refuse(MODEL("flex"), VACCEL_EBACKEND, "FlexErf");
	refuse(MODEL("strange"), VACCEL_EBACKEND, "unresolved custom op: Strange");
}

static void test_too_large(void **state)
{
	refuse(MODEL("huge"), VACCEL_ENOMEM, "tensor 'much' takes 120000000000 bytes");
}

static void test_other_frameworks(void **state)
{
	refuse(MODELS "/pair.onnx", VACCEL_EINVAL, "this is no TensorFlow Lite model");
	refuse(MODELS, VACCEL_EINVAL, "has no model.tflite");
}

static void from_memory(struct vaccel_resource *model, void *data, size_t size)
{
	assert_int_equal(vaccel_resource_init_from_buf(model, data, size, VACCEL_RESOURCE_MODEL,
						       "model.tflite", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(model, &session), VACCEL_OK);
}

static void test_truncated(void **state)
{
	struct vaccel_resource model;
	size_t whole;
	char *data = read_file(MODEL("pair"), &whole);

	for (size_t size = 1; size < whole; size++) {
		/* So much and no more, for those who look. */
		char *part = malloc(size);

		assert_non_null(part);
		memcpy(part, data, size);
		from_memory(&model, part, size);
		assert_fails(vaccel_tflite_model_load(&session, &model), VACCEL_EINVAL,
			     "no TensorFlow Lite model, or not a whole one");
		close_model(&model);
		free(part);
	}
	from_memory(&model, data, whole);
	check_pair(&model);
	close_model(&model);
	free(data);
}

static void test_damaged(void **state)
{
	static const struct {
		size_t at;
		const char *words;
	} damages[] = {
		{16, "no TensorFlow Lite model, or not a whole one"}, /* no list of graphs */
		{156, "none of its tensors"},			      /* outputs are elsewhere */
	};
	struct vaccel_resource model;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		size_t size;
		char *data = read_file(MODEL("pair"), &size);

		data[damages[i].at] = 0;
		from_memory(&model, data, size);
		assert_fails(vaccel_tflite_model_load(&session, &model), VACCEL_EINVAL,
			     damages[i].words);
		close_model(&model);
		free(data);
	}
}

static void test_shared(void **state)
{
	struct vaccel_resource first, second, other;
	size_t size;
	void *data = read_file(MODEL("pair"), &size);

	open_model(&first, MODEL("pair"));
	from_memory(&second, data, size);
	open_model(&other, MODEL("kinds"));
	check_pair(&first);
	assert_string_equal(reported("models"), "1 loaded");
	check_pair(&second);
	assert_string_equal(reported("models"), "1 loaded");
	assert_int_equal(vaccel_tflite_model_load(&session, &other), VACCEL_OK);
	assert_string_equal(reported("models"), "2 loaded");
	close_model(&first);
	close_model(&other);
	memset(data, 0, size);
	free(data);
	/* The copy is the plugin's own. */
	check_pair(&second);
	close_model(&second);
	assert_string_equal(reported("models"), "0 loaded");
}

static void test_loads(void **state)
{
	struct vaccel_resource model;

	open_model(&model, MODEL("pair"));
	assert_fails(vaccel_tflite_model_unload(&session, &model), VACCEL_EINVAL, "is not loaded");
	/* Used before it is loaded; loaded twice, so unloaded twice. */
	check_pair(&model);
	assert_int_equal(vaccel_tflite_model_load(&session, &model), VACCEL_OK);
	assert_int_equal(vaccel_tflite_model_load(&session, &model), VACCEL_OK);
	assert_int_equal(vaccel_tflite_model_unload(&session, &model), VACCEL_OK);
	assert_string_equal(reported("models"), "1 loaded");
	check_pair(&model);
	assert_int_equal(vaccel_tflite_model_unload(&session, &model), VACCEL_OK);
	assert_string_equal(reported("models"), "0 loaded");
	assert_fails(vaccel_tflite_model_unload(&session, &model), VACCEL_EINVAL, "is not loaded");
	check_pair(&model);
	close_model(&model);
}

static void test_delegates(void **state)
{
	struct vaccel_resource model;

	setenv("VACCEL_TFLITE_DELEGATES", "/no/such/lib.so,speed=high:xnnpack", 1);
	reload();
	refuse(MODEL("pair"), VACCEL_ENOENT, "/no/such/lib.so: cannot open");
	setenv("VACCEL_TFLITE_DELEGATES", "/no/such/lib.so,speed", 1);
	reload();
	refuse(MODEL("pair"), VACCEL_EINVAL, "'speed' behind '/no/such/lib.so' is no KEY=VALUE");
	setenv("VACCEL_TFLITE_DELEGATES", "libvaccel.so.0", 1);
	reload();
	refuse(MODEL("pair"), VACCEL_ENOENT, "'libvaccel.so.0' has no delegate in it");
	setenv("VACCEL_TFLITE_DELEGATES", "xnnpack:xnnpack:xnnpack:xnnpack:xnnpack", 1);
	reload();
	refuse(MODEL("pair"), VACCEL_EINVAL, "names more than 4");
	setenv("VACCEL_TFLITE_DELEGATES", "", 1);
	setenv("VACCEL_TFLITE_THREADS", "3", 1);
	reload();
	assert_string_equal(reported("threads"), "3");
	open_model(&model, MODEL("pair"));
	check_pair(&model);
	close_model(&model);
}

static void test_delegate_of_a_library(void **state)
{
	void *library = dlopen(IDLE, RTLD_NOW | RTLD_LOCAL);
	const int *made, *prepared;
	struct vaccel_resource model;

	assert_non_null(library);
	made = dlsym(library, "idle_made");
	prepared = dlsym(library, "idle_prepared");
	setenv("VACCEL_TFLITE_DELEGATES", IDLE ",speed=high,device=1:xnnpack", 1);
	reload();
	open_model(&model, MODEL("pair"));
	check_pair(&model);
	assert_string_equal((char *)dlsym(library, "idle_options"), "speed is high, device is 1");
	assert_int_equal(*made, 1);
	assert_true(*prepared > 0);
	close_model(&model);
	assert_int_equal(*made, 0);
	setenv("VACCEL_TFLITE_DELEGATES", IDLE ",speed=high", 1);
	reload();
	refuse(MODEL("pair"), VACCEL_EBACKEND, "cannot make its delegate; see the log");
	dlclose(library);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_missing_operations),
		TEST(test_too_large),
		TEST(test_other_frameworks),
		TEST(test_truncated),
		TEST(test_damaged),
		TEST(test_delegate_of_a_library),
		TEST(test_shared),
		TEST(test_loads),
		TEST(test_delegates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
