// SPDX-License-Identifier: Apache-2.0
/* Models: the forms in which they come, how often they are loaded, and what is no model. */
#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#include "support.h"

#define LOADERS 8

static unsigned int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int nr = 0;

	while (readdir(tasks))
		nr++;
	closedir(tasks);
	return nr;
}

/* ONNX Runtime would do so from a thread of its own. The first test, since it decides once. */
static void test_nothing_is_reported_to_its_maker(void **state)
{
	unsigned int before = count_threads();

	assert_int_equal(fixture_setup(state), 0);
	assert_int_equal(count_threads(), before);
	assert_string_equal(getenv("ORT_DISABLE_TELEMETRY"), "1");
	assert_int_equal(fixture_teardown(state), 0);
}

static void load_and_unload(const char *path)
{
	struct vaccel_resource model;

	open_model(&model, path);
	assert_int_equal(vaccel_onnx_model_load(&session, &model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_unload(&session, &model), VACCEL_OK);
	close_model(&model);
}

static void test_forms(void **state)
{
	struct vaccel_resource model;
	size_t size;
	void *data = read_file(DIGITS_MODEL, &size);
	const char *files[] = {DIGITS_MODEL, DIGITS "/model.json", DIGITS "/labels.txt"};

	load_and_unload(DIGITS_MODEL);
	load_and_unload(DIGITS);
	for (int mem_only = 0; mem_only < 2; mem_only++) {
		assert_int_equal(vaccel_resource_init_from_buf(&model, data, size,
							       VACCEL_RESOURCE_MODEL, "any.name",
							       mem_only),
				 VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&model, &session), VACCEL_OK);
		assert_int_equal(vaccel_onnx_model_load(&session, &model), VACCEL_OK);
		close_model(&model);
	}
	assert_int_equal(vaccel_resource_init_multi(&model, files, 3, VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &session), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&session, &model), VACCEL_OK);
	close_model(&model);
	assert_int_equal(count_loads(), 5);
	free(data);
}

/* However it comes, the same content is loaded once while someone has it. */
static void test_once(void **state)
{
	struct vaccel_resource file, directory, memory;
	size_t size;
	void *data = read_file(DIGITS_MODEL, &size);

	open_model(&file, DIGITS_MODEL);
	open_model(&directory, DIGITS);
	assert_int_equal(vaccel_resource_init_from_buf(&memory, data, size, VACCEL_RESOURCE_MODEL,
						       NULL, true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&memory, &session), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&session, &file), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&session, &directory), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&session, &memory), VACCEL_OK);
	assert_int_equal(count_loads(), 1);
	assert_string_equal(reported("models"), "1 loaded");
	close_model(&file);
	close_model(&directory);
	assert_string_equal(reported("models"), "1 loaded");
	close_model(&memory);
	assert_string_equal(reported("models"), "0 loaded");
	free(data);
}

static void test_unload(void **state)
{
	struct vaccel_resource model;
	struct vaccel_session other;

	open_model(&model, DIGITS_MODEL);
	assert_fails(vaccel_onnx_model_unload(&session, &model), VACCEL_EINVAL, "not loaded");
	assert_int_equal(vaccel_session_init(&other, 0), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &other), VACCEL_OK);
	/* As many unloads as loads. */
	assert_int_equal(vaccel_onnx_model_load(&session, &model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_load(&other, &model), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_unload(&session, &model), VACCEL_OK);
	assert_string_equal(reported("models"), "1 loaded");
	assert_int_equal(vaccel_onnx_model_unload(&other, &model), VACCEL_OK);
	assert_string_equal(reported("models"), "0 loaded");
	assert_fails(vaccel_onnx_model_unload(&other, &model), VACCEL_EINVAL, "not loaded");
	/* And once more from the beginning. */
	assert_int_equal(vaccel_onnx_model_load(&session, &model), VACCEL_OK);
	assert_int_equal(count_loads(), 2);
	close_model(&model);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
}

static void fail_to_load(const char *path, int code, const char *words)
{
	struct vaccel_resource model;

	open_model(&model, path);
	assert_fails(vaccel_onnx_model_load(&session, &model), code, words);
	/* It is as before, and fails again. */
	assert_fails(vaccel_onnx_model_load(&session, &model), code, words);
	assert_fails(vaccel_onnx_model_unload(&session, &model), VACCEL_EINVAL, "not loaded");
	close_model(&model);
	assert_string_equal(reported("models"), "0 loaded");
}

static void test_no_model(void **state)
{
	size_t size;
	unsigned char *data = read_file(DIGITS_MODEL, &size);
	const char *path = path_in("x.onnx");

	for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : size / 7) {
		write_file(path, data, cut);
		fail_to_load(path, VACCEL_EINVAL, "");
	}
	write_text(path, "Dear reader, this is no model.\n");
	fail_to_load(path, VACCEL_EINVAL, "/x.onnx is no ONNX model that ONNX Runtime");
	srand(1);
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < size; i++)
			data[i] = (unsigned char)rand();
		write_file(path, data, size);
		fail_to_load(path, VACCEL_EINVAL, "no ONNX model that ONNX Runtime");
	}
	fail_to_load(MODELS "/unknown.onnx", VACCEL_EINVAL, "NoSuchOperator");
	free(data);
}

/* A model with bytes changed here and there is refused, or is a model still; nothing worse. */
static void test_damaged_model(void **state)
{
	size_t size, loaded = 0;
	unsigned char *data = read_file(DIGITS_MODEL, &size);

	srand(2);
	for (int round = 0; round < 200; round++) {
		struct vaccel_resource model;
		size_t at = (size_t)rand() % size;
		unsigned char was = data[at];

		data[at] ^= (unsigned char)(1 + rand() % 255);
		assert_int_equal(vaccel_resource_init_from_buf(&model, data, size,
							       VACCEL_RESOURCE_MODEL, NULL, true),
				 VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&model, &session), VACCEL_OK);
		if (!vaccel_onnx_model_load(&session, &model))
			loaded++;
		close_model(&model);
		data[at] = was;
	}
	assert_true(loaded > 0);
	free(data);
}

static void test_directories(void **state)
{
	fail_to_load(make_dir("empty"), VACCEL_EINVAL, "has no model.onnx");
	write_text(path_in("empty/notes.txt"), "no model here");
	fail_to_load(path_in("empty"), VACCEL_EINVAL, "has no model.onnx");

	make_dir("m");
	copy_file(DIGITS_MODEL, path_in("m/model.onnx"));
	load_and_unload(path_in("m"));
	write_text(path_in("m/model.json"), "{\"task\": 7}");
	fail_to_load(path_in("m"), VACCEL_EINVAL, "task");
	copy_file(DIGITS "/model.json", path_in("m/model.json"));
	write_text(path_in("m/labels.txt"), "zero\none\ntwo\n");
	fail_to_load(path_in("m"), VACCEL_EINVAL, "3 labels for a model of 10 classes");
	write_file(path_in("m/labels.txt"), "a\0b", 3);
	fail_to_load(path_in("m"), VACCEL_EINVAL, "NUL");
	copy_file(DIGITS "/labels.txt", path_in("m/labels.txt"));
	load_and_unload(path_in("m"));
}

/* Weights in a file beside the model belong to its content. */
static void test_weights(void **state)
{
	static const float weights[2][3] = {{1, 2, 3}, {10, 20, 30}};
	static const char *const dirs[] = {"a", "b"};
	float x[3] = {0};
	int64_t dims[] = {3};
	struct vaccel_tensor in = {x, sizeof(x), false, 1, dims, VACCEL_TENSOR_FLOAT};
	struct vaccel_tensor *const ins[] = {&in};
	struct vaccel_resource model[2];
	char name[32];

	for (int i = 0; i < 2; i++) {
		make_dir(dirs[i]);
		snprintf(name, sizeof(name), "%s/model.onnx", dirs[i]);
		copy_file(MODELS "/weights.onnx", path_in(name));
		fail_to_load(path_in(dirs[i]), VACCEL_EINVAL, "weights.bin");
		snprintf(name, sizeof(name), "%s/weights.bin", dirs[i]);
		write_file(path_in(name), weights[i], sizeof(weights[i]));
		open_model(&model[i], path_in(dirs[i]));
	}
	for (int i = 0; i < 2; i++) {
		struct vaccel_tensor *out;

		assert_int_equal(
			vaccel_onnx_model_run(&session, &model[i], NULL, ins, 1, NULL, &out, 1),
			VACCEL_OK);
		assert_memory_equal(out->data, weights[i], sizeof(weights[i]));
		vaccel_tensor_delete(out);
	}
	assert_string_equal(reported("models"), "2 loaded");
	close_model(&model[0]);
	close_model(&model[1]);
	/* The model alone is not all of it. */
	fail_to_load(path_in("a/model.onnx"), VACCEL_EINVAL, "give the directory");
}

/* The same from memory: weights are written where ONNX Runtime finds them. */
static void test_weights_in_memory(void **state)
{
	static const float weights[3] = {4, 5, 6};
	float x[3] = {0};
	int64_t dims[] = {3};
	struct vaccel_tensor in = {x, sizeof(x), false, 1, dims, VACCEL_TENSOR_FLOAT};
	struct vaccel_tensor *const ins[] = {&in}, *out;
	struct vaccel_resource model;
	struct vaccel_blob blob[2];
	const struct vaccel_blob *blobs[] = {&blob[0], &blob[1]};
	size_t size;
	void *data = read_file(MODELS "/weights.onnx", &size);

	assert_int_equal(
		vaccel_blob_init_from_buf(&blob[0], data, size, false, "model.onnx", NULL, false),
		VACCEL_OK);
	assert_int_equal(vaccel_blob_init_from_buf(&blob[1], (const uint8_t *)weights,
						   sizeof(weights), false, "weights.bin", NULL,
						   false),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_init_from_blobs(&model, blobs, 2, VACCEL_RESOURCE_MODEL),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&model, &session), VACCEL_OK);
	assert_int_equal(vaccel_onnx_model_run(&session, &model, NULL, ins, 1, NULL, &out, 1),
			 VACCEL_OK);
	assert_memory_equal(out->data, weights, sizeof(weights));
	vaccel_tensor_delete(out);
	close_model(&model);
	vaccel_blob_release(&blob[0]);
	vaccel_blob_release(&blob[1]);
	free(data);
}

static pthread_barrier_t together;

static void *load_one(void *opaque)
{
	struct vaccel_resource *model = opaque;
	intptr_t ret;

	pthread_barrier_wait(&together);
	ret = vaccel_onnx_model_load(&session, model);
	if (ret && !strstr(vaccel_error_text(), "no ONNX model"))
		ret = -1;
	return (void *)ret;
}

/* All load at once, each a resource of its own, or all the same one. */
static void load_together(const char *path, bool one, int code)
{
	struct vaccel_resource model[LOADERS];
	pthread_t thread[LOADERS];

	for (int i = 0; i < (one ? 1 : LOADERS); i++)
		open_model(&model[i], path);
	assert_int_equal(pthread_barrier_init(&together, NULL, LOADERS), 0);
	for (int i = 0; i < LOADERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, load_one, &model[one ? 0 : i]),
				 0);
	for (int i = 0; i < LOADERS; i++) {
		void *ret;

		pthread_join(thread[i], &ret);
		assert_int_equal((intptr_t)ret, code);
	}
	pthread_barrier_destroy(&together);
	for (int i = 0; i < (one ? 1 : LOADERS); i++)
		close_model(&model[i]);
}

static void test_together(void **state)
{
	load_together(DIGITS, false, VACCEL_OK);
	assert_int_equal(count_loads(), 1);
	load_together(DIGITS, true, VACCEL_OK);
	assert_int_equal(count_loads(), 2);
	write_text(path_in("x.onnx"), "no model");
	load_together(path_in("x.onnx"), false, VACCEL_EINVAL);
	load_together(path_in("x.onnx"), true, VACCEL_EINVAL);
	assert_string_equal(reported("models"), "0 loaded");
}

static void test_providers(void **state)
{
	assert_string_equal(reported("provider"), "cpu");
	assert_non_null(strstr(reported("providers"), "cpu"));
	assert_non_null(strstr(reported("runtime"), "ONNX Runtime 1."));

	setenv("VACCEL_ONNX_PROVIDERS", "abacus:CPU", 1);
	setenv("VACCEL_ONNX_THREADS", "2", 1);
	reload();
	assert_string_equal(reported("provider"), "CPU");
	assert_string_equal(reported("threads"), "2");
	load_and_unload(DIGITS);
	assert_int_equal(count_in_log("cannot use abacus"), 1);

	setenv("VACCEL_ONNX_PROVIDERS", "abacus, sliderule", 1);
	reload();
	assert_non_null(strstr(reported("provider"), "can use none of"));
	fail_to_load(DIGITS, VACCEL_EBACKEND, "sliderule: this ONNX Runtime comes without it");
}

/* A program may load the plugin, end it, and load it again. */
static void test_again(void **state)
{
	for (int i = 0; i < 3; i++) {
		load_and_unload(DIGITS);
		reload();
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_reported_to_its_maker),
		TEST(test_forms),
		TEST(test_once),
		TEST(test_unload),
		TEST(test_no_model),
		TEST(test_damaged_model),
		TEST(test_directories),
		TEST(test_weights),
		TEST(test_weights_in_memory),
		TEST(test_together),
		TEST(test_providers),
		TEST(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
