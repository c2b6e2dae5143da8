// SPDX-License-Identifier: Apache-2.0
/* Backends do in a sandbox what they do outside. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel.h>

#include "agent/sandbox/sandbox.h"
#include "inside.h"

#define THREADS 4

static char directory[] = "/tmp/vaccel-sandbox-XXXXXX";

struct work {
	const char *plugin;
	bool libraries;
	int (*run)(struct vaccel_session *sess);
};

/* As a worker begins: plugins first, then the walls, then sessions. */
static int work(const void *context)
{
	const struct work *work = context;
	const char *const models[] = {DIGITS, SUPPORT_DIR};
	struct sandbox sandbox = {
		.role = SANDBOX_WORKER,
		.directory = directory,
		.read_paths = models,
		.nr_read_paths = 2,
		.memory = (uint64_t)2 << 30,
		.libraries = work->libraries,
	};
	struct vaccel_config config = {.plugins = (char *)work->plugin,
				       .log_level = VACCEL_LOG_WARN};
	struct vaccel_session sess;
	char *missing = NULL;
	int ret;

	setenv("XDG_RUNTIME_DIR", directory, 1);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = sandbox_enter(&sandbox, &missing);
	free(missing);
	if (!ret)
		ret = vaccel_session_init(&sess, 0);
	if (!ret) {
		ret = work->run(&sess);
		vaccel_session_release(&sess);
	}
	if (ret)
		fprintf(stderr, "%s: %d, %s\n", work->plugin, ret, vaccel_error_text());
	/* Also what an ending process does is permitted. */
	vaccel_cleanup();
	return ret;
}

static int noop(struct vaccel_session *sess)
{
	return vaccel_noop(sess);
}

static int minmax(struct vaccel_session *sess)
{
	double samples[] = {3, 1, 2}, out[3], min = 0, max = 0;
	int ret = vaccel_minmax(sess, samples, 3, 0, 9, out, &min, &max);

	return ret ? ret : min != 1 || max != 3;
}

/* A file of the session's and one of a resource's lie in the directory. */
static int files(struct vaccel_session *sess)
{
	struct vaccel_resource resource;
	char bytes[] = "some";
	int ret = vaccel_resource_init_from_buf(&resource, bytes, sizeof(bytes),
						VACCEL_RESOURCE_DATA, "some.txt", false);

	if (ret)
		return ret;
	ret = vaccel_resource_register(&resource, sess);
	if (!ret)
		ret = vaccel_resource_unregister(&resource, sess);
	vaccel_resource_release(&resource);
	return ret ? ret : !vaccel_session_rundir(sess);
}

static int exec(struct vaccel_session *sess)
{
	int in = 21, out = 0;
	struct vaccel_arg read = {.buf = &in, .size = sizeof(in), .type = VACCEL_ARG_INT32};
	struct vaccel_arg write = {.buf = &out, .size = sizeof(out), .type = VACCEL_ARG_INT32};
	int ret = vaccel_exec(sess, SUPPORT_DIR "/libexecfunctions.so", "functions_double", &read,
			      1, &write, 1);

	return ret ? ret : out != 42;
}

static int exec_refused(struct vaccel_session *sess)
{
	return exec(sess) == VACCEL_EINVAL ? VACCEL_OK : INSIDE_FAILED;
}

#ifdef HAS_ONNX
static int classify(struct vaccel_session *sess)
{
	static unsigned char picture[1 << 16];
	FILE *file = fopen(DIGITS "/images/seven.png", "r");
	size_t size = file ? fread(picture, 1, sizeof(picture), file) : 0;
	char text[64] = "";
	int ret = vaccel_image_classification(sess, picture, (unsigned char *)text, NULL, size,
					      sizeof(text), 0);

	if (file)
		fclose(file);
	return ret ? ret : !strstr(text, "seven");
}

static int classify_with_model(struct vaccel_session *sess)
{
	struct vaccel_resource model;
	int ret = vaccel_resource_init(&model, DIGITS, VACCEL_RESOURCE_MODEL);

	if (ret)
		return ret;
	ret = vaccel_resource_register(&model, sess);
	if (!ret)
		ret = classify(sess);
	vaccel_resource_unregister(&model, sess);
	vaccel_resource_release(&model);
	return ret;
}

static void *in_thread(void *sess)
{
	return classify(sess) ? sess : NULL;
}

static int classify_in_threads(struct vaccel_session *sess)
{
	pthread_t threads[THREADS];
	struct vaccel_resource model;
	int ret = vaccel_resource_init(&model, DIGITS, VACCEL_RESOURCE_MODEL);

	if (!ret)
		ret = vaccel_resource_register(&model, sess);
	for (int i = 0; !ret && i < THREADS; i++)
		ret = pthread_create(&threads[i], NULL, in_thread, sess);
	for (int i = 0; !ret && i < THREADS; i++) {
		void *failed;

		ret = pthread_join(threads[i], &failed) || failed;
	}
	return ret;
}
#endif

static void check(const char *plugin, bool libraries, int (*run)(struct vaccel_session *))
{
	assert_int_equal(in_child(work, &(struct work){plugin, libraries, run}), INSIDE_FINE);
}

static void test_noop(void **state)
{
	check("noop", false, noop);
	check("noop", false, files);
}

static void test_cpu(void **state)
{
	check("cpu", false, minmax);
	check("cpu:noop", false, minmax);
}

static void test_exec(void **state)
{
	check("exec", true, noop);
	check("exec", true, exec);
	/* Libraries are not even loaded where no policy permits any. */
	check("exec", false, exec_refused);
}

#ifdef HAS_ONNX
static void test_onnx(void **state)
{
	check("onnx", false, classify_with_model);
	check("onnx", false, classify_in_threads);
}
#endif

static int setup(void **state)
{
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	return mkdtemp(directory) ? 0 : -1;
}

/* Nothing is left in it. */
static int teardown(void **state)
{
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noop),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_exec),
#ifdef HAS_ONNX
		cmocka_unit_test(test_onnx),
#endif
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
