// SPDX-License-Identifier: Apache-2.0
/* Models in every form they may have, and files that are none. */
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void check_same(struct vaccel_resource *model)
{
	struct vaccel_torch_tensor x = FLOATS(1, 2), *out;

	assert_int_equal(run(&session, model, &x, &out), VACCEL_OK);
	check_output(out, VACCEL_TORCH_FLOAT, DIMS(2), x.data, 8);
}

static void test_file(void **state)
{
	struct vaccel_resource model;

	open_model(&model, MODEL("same"));
	assert_string_equal(reported("models"), "0 loaded");
	assert_int_equal(vaccel_torch_model_load(&session, &model), VACCEL_OK);
	assert_int_equal(vaccel_torch_model_load(&session, &model), VACCEL_OK);
	assert_string_equal(reported("models"), "1 loaded");
	check_same(&model);
	close_model(&model);
	assert_string_equal(reported("models"), "0 loaded");
}

static void open_memory(struct vaccel_resource *model, const void *data, size_t size)
{
	assert_int_equal(vaccel_resource_init_from_buf(model, data, size, VACCEL_RESOURCE_MODEL,
						       "a.pt", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(model, &session), VACCEL_OK);
}

static void test_memory(void **state)
{
	struct vaccel_resource model;
	size_t size;
	void *data = read_file(MODEL("same"), &size);

	open_memory(&model, data, size);
	check_same(&model);
	close_model(&model);
	free(data);
}

static void test_directory(void **state)
{
	char directory[] = "/tmp/vaccel-torch-XXXXXX", path[64];
	struct vaccel_torch_tensor x = FLOATS(1), *out;
	struct vaccel_resource model;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/other.pt", directory);
	assert_int_equal(symlink(MODEL("same"), path), 0);
	open_model(&model, directory);
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL, "has no model.pt");
	close_model(&model);
	unlink(path);
	snprintf(path, sizeof(path), "%s/model.pt", directory);
	assert_int_equal(symlink(MODEL("same"), path), 0);
	open_model(&model, directory);
	check_same(&model);
	close_model(&model);
	unlink(path);
	rmdir(directory);
}

static void test_one_copy_of_a_content(void **state)
{
	struct vaccel_resource first, second, other;

	open_model(&first, MODEL("same"));
	open_model(&second, MODEL("same"));
	open_model(&other, MODEL("layers"));
	check_same(&first);
	check_same(&second);
	assert_string_equal(reported("models"), "1 loaded");
	assert_int_equal(vaccel_torch_model_load(&session, &other), VACCEL_OK);
	assert_string_equal(reported("models"), "2 loaded");
	close_model(&first);
	check_same(&second);
	close_model(&second);
	assert_string_equal(reported("models"), "1 loaded");
	close_model(&other);
}

static void check_refused(const char *path, const char *words)
{
	struct vaccel_torch_tensor x = FLOATS(1), *out;
	struct vaccel_resource model;

	open_model(&model, path);
	assert_fails(vaccel_torch_model_load(&session, &model), VACCEL_EINVAL, words);
	assert_fails(run(&session, &model, &x, &out), VACCEL_EINVAL, words);
	close_model(&model);
}

static void test_what_is_no_torchscript(void **state)
{
	check_refused(MODELS "/pair.onnx", "is no TorchScript model, which is a ZIP archive");
	check_refused(MODEL("weights_alone"), "is no TorchScript model; torch: ");
	check_refused(MODEL("other"), "has no forward()");
	check_refused(MODEL("unknown"),
		      "torch: Unknown builtin op: nobodys::work. (in ops.nobodys");
	assert_string_equal(reported("models"), "0 loaded");
}

/* A file that ends early, or has a byte changed, anywhere: a sentence, and never a crash. */
static void test_damaged_files(void **state)
{
	struct vaccel_torch_tensor x = FLOATS(1, 2), *out;
	size_t size, refused = 0;
	char *data = read_file(MODEL("counter"), &size);
	struct vaccel_resource model;

	for (size_t i = 0; i < size; i += 23) {
		char kept = data[i];

		open_memory(&model, data, i + 1);
		assert_int_not_equal(vaccel_torch_model_load(&session, &model), VACCEL_OK);
		assert_null(strchr(vaccel_error_text(), '\n'));
		close_model(&model);
		data[i] ^= 0x55;
		open_memory(&model, data, size);
		if (run(&session, &model, &x, &out))
			refused++;
		else
			vaccel_torch_tensor_delete(out);
		close_model(&model);
		data[i] = kept;
	}
	assert_true(refused > 0);
	free(data);
}

static void test_knobs(void **state)
{
	struct vaccel_resource model;

	assert_non_null(strstr(reported("runtime"), "libtorch "));
	assert_string_equal(reported("device"), "cpu");
	assert_non_null(strstr(reported("devices"), "cpu"));
	vaccel_session_release(&session);
	vaccel_cleanup();
	setenv("VACCEL_TORCH_THREADS", "3", 1);
	reload();
	assert_string_equal(reported("threads"), "3");
	open_model(&model, MODEL("same"));
	check_same(&model);
	close_model(&model);
	vaccel_session_release(&session);
	vaccel_cleanup();
	setenv("VACCEL_TORCH_DEVICE", "quantum", 1);
	assert_fails(load_plugin(), VACCEL_EINVAL, "VACCEL_TORCH_DEVICE");
	setenv("VACCEL_TORCH_DEVICE", "cpu", 1);
	reload();
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_memory),
		TEST(test_directory),
		TEST(test_one_copy_of_a_content),
		TEST(test_what_is_no_torchscript),
		TEST(test_damaged_files),
		TEST(test_knobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
