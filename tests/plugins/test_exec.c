// SPDX-License-Identifier: Apache-2.0
/* Running functions of libraries: by path, of resources from files and from memory. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

#define FUNCTIONS SUPPORT_DIR "/libexecfunctions.so"
#define BASE	  SUPPORT_DIR "/libexecbase.so"
#define USER	  SUPPORT_DIR "/libexecuser.so"
#define LAZY	  SUPPORT_DIR "/libexeclazy.so"

static struct vaccel_session sess;

static int open_session(void **state)
{
	int ret = scratch_setup(state);

	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	return ret || boot("exec") || vaccel_session_init(&sess, 0);
}

static int close_session(void **state)
{
	return vaccel_session_release(&sess) || scratch_teardown(state);
}

static int run_int(const char *library, struct vaccel_resource *resource, const char *symbol,
		   int in, int *out)
{
	struct vaccel_arg read = {.buf = &in, .size = sizeof(in), .type = VACCEL_ARG_INT32};
	struct vaccel_arg write = {.buf = out, .size = sizeof(*out), .type = VACCEL_ARG_INT32};

	if (resource)
		return vaccel_exec_with_resource(&sess, resource, symbol, &read, 1, &write, 1);
	return vaccel_exec(&sess, library, symbol, &read, 1, &write, 1);
}

static void test_a_function_by_path(void **state)
{
	int out = 0;

	assert_int_equal(run_int(FUNCTIONS, NULL, "functions_double", 21, &out), VACCEL_OK);
	assert_int_equal(out, 42);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
}

static void test_arguments_of_all_kinds(void **state)
{
	char room[16] = "";
	int types = 0;
	struct vaccel_arg read[3] = {
		{.buf = (char *)"abc", .size = 3, .type = VACCEL_ARG_BUFFER},
		{.type = VACCEL_ARG_RAW},
		{.buf = (char *)"de", .size = 2, .type = VACCEL_ARG_CHAR_ARRAY}};
	struct vaccel_arg write[2] = {{.buf = room, .size = sizeof(room)},
				      {.buf = &types, .size = sizeof(types)}};

	assert_int_equal(vaccel_exec(&sess, FUNCTIONS, "functions_join", read, 3, write, 2),
			 VACCEL_OK);
	assert_string_equal(room, "abcde");
	assert_int_equal(write[0].size, 5);
	assert_int_equal(types, VACCEL_ARG_BUFFER + VACCEL_ARG_CHAR_ARRAY);
	assert_int_equal(vaccel_exec(&sess, FUNCTIONS, "functions_count", NULL, 0, NULL, 0),
			 VACCEL_OK);
}

static void test_what_goes_wrong(void **state)
{
	int out = 0;

	write_file(path_in(*state, "text.so"), "no library\n");
	assert_int_equal(run_int("/no/such/library.so", NULL, "f", 1, &out), VACCEL_EINVAL);
	assert_says("/no/such/library.so");
	assert_int_equal(run_int("libnone.so", NULL, "f", 1, &out), VACCEL_EINVAL);
	assert_says("give its path");
	assert_says("No such file");
	assert_int_equal(run_int(path_in(*state, "text.so"), NULL, "f", 1, &out), VACCEL_EINVAL);
	assert_int_equal(mkfifo(path_in(*state, "pipe.so"), 0600), 0);
	alarm(20);
	assert_int_equal(run_int(path_in(*state, "pipe.so"), NULL, "f", 1, &out), VACCEL_EINVAL);
	alarm(0);
	assert_says("not a file");
	assert_int_equal(run_int(FUNCTIONS, NULL, "no_such_function", 1, &out), VACCEL_ENOSYS);
	assert_says("no_such_function");
	assert_int_equal(run_int(FUNCTIONS, NULL, "abort", 1, &out), VACCEL_ENOSYS);
	assert_says("name that one");
	assert_int_equal(run_int(FUNCTIONS, NULL, "functions_fail", 1, &out), VACCEL_EBACKEND);
	assert_says("'functions_fail' returned -7");
	assert_int_equal(run_int(USER, NULL, "user_answer", 1, &out), VACCEL_EINVAL);
	assert_says("libnofile.so");
	assert_int_equal(run_int("", NULL, "f", 1, &out), VACCEL_EINVAL);
	assert_int_equal(run_int(FUNCTIONS, NULL, "", 1, &out), VACCEL_EINVAL);
}

static void test_functions_that_do_not_keep_to_their_arguments(void **state)
{
	char room[4] = "abc";
	struct vaccel_arg write = {.buf = room, .size = sizeof(room)};

	assert_int_equal(vaccel_exec(&sess, FUNCTIONS, "functions_enlarge", NULL, 0, &write, 1),
			 VACCEL_EBACKEND);
	assert_says("functions_enlarge");
	assert_int_equal(write.size, sizeof(room));
	assert_int_equal(vaccel_exec(&sess, FUNCTIONS, "functions_move", NULL, 0, &write, 1),
			 VACCEL_EBACKEND);
	assert_ptr_equal(write.buf, room);
	assert_int_equal(vaccel_exec(&sess, FUNCTIONS, "functions_shrink", NULL, 0, &write, 1),
			 VACCEL_OK);
	assert_int_equal(write.size, 1);
	assert_int_equal(room[0], 'x');
}

static void test_a_library_of_a_file(void **state)
{
	struct vaccel_resource library;
	int out = 0;

	assert_int_equal(vaccel_resource_init(&library, FUNCTIONS, VACCEL_RESOURCE_LIB), VACCEL_OK);
	assert_int_equal(run_int(NULL, &library, "functions_double", 4, &out), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(run_int(NULL, &library, "functions_double", i, &out), VACCEL_OK);
		assert_int_equal(out, 2 * i);
	}
	assert_int_equal(run_int(NULL, &library, "no_such_function", 1, &out), VACCEL_ENOSYS);
	assert_int_equal(run_int(NULL, &library, "functions_fail", 1, &out), VACCEL_EBACKEND);
	library.type = VACCEL_RESOURCE_DATA;
	assert_int_equal(run_int(NULL, &library, "functions_double", 1, &out), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
}

static void test_a_library_in_memory(void **state)
{
	static char bytes[1 << 20];
	FILE *file = fopen(FUNCTIONS, "r");
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	struct vaccel_resource library;
	int out = 0;

	fclose(file);
	assert_in_range(size, 1, sizeof(bytes) - 1);
	for (int mem_only = 0; mem_only <= 1; mem_only++) {
		assert_int_equal(vaccel_resource_init_from_buf(&library, bytes, size,
							       VACCEL_RESOURCE_LIB, "lib.so",
							       mem_only),
				 VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
		assert_int_equal(run_int(NULL, &library, "functions_double", 8, &out), VACCEL_OK);
		assert_int_equal(out, 16);
		/* Its functions' memory is its own, and lives from call to call. */
		assert_int_equal(run_int(NULL, &library, "functions_count", 0, &out), VACCEL_OK);
		assert_int_equal(run_int(NULL, &library, "functions_count", 0, &out), VACCEL_OK);
		assert_int_equal(out, 2);
		assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
	}
	assert_int_equal(
		vaccel_resource_init_from_buf(&library, "text", 4, VACCEL_RESOURCE_LIB, NULL, true),
		VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(run_int(NULL, &library, "f", 8, &out), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
}

static void test_a_library_after_what_it_needs(void **state)
{
	struct vaccel_resource library;
	int out = 0;

	assert_int_equal(vaccel_resource_init_multi(&library, (const char *[]){BASE, USER}, 2,
						    VACCEL_RESOURCE_LIB),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
	assert_int_equal(run_int(NULL, &library, "user_answer", 0, &out), VACCEL_OK);
	assert_int_equal(out, 42);
	assert_true(is_mapped(USER));
	assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
	assert_false(is_mapped(USER));
	assert_false(is_mapped(BASE));

	/* Without the other it cannot be loaded, now or at the second try. */
	assert_int_equal(vaccel_resource_init(&library, USER, VACCEL_RESOURCE_LIB), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run_int(NULL, &library, "user_answer", 0, &out), VACCEL_EINVAL);
		assert_says("libnofile.so");
	}
	assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
}

static void test_a_resource_without_a_library(void **state)
{
	struct vaccel_resource nothing;
	int out = 0;

	assert_int_equal(vaccel_resource_init(&nothing, *state, VACCEL_RESOURCE_LIB), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&nothing, &sess), VACCEL_OK);
	assert_int_equal(run_int(NULL, &nothing, "f", 0, &out), VACCEL_EINVAL);
	assert_says("no library");
	assert_int_equal(vaccel_resource_release(&nothing), VACCEL_OK);
}

static void test_lazily_and_now(void **state)
{
	int out = 0;

	assert_int_equal(run_int(LAZY, NULL, "lazy_fine", 0, &out), VACCEL_EINVAL);
	assert_says("nobody_has_this");
	setenv("VACCEL_EXEC_DLOPEN_MODE", "lazy", 1);
	assert_int_equal(run_int(LAZY, NULL, "lazy_fine", 0, &out), VACCEL_OK);
	setenv("VACCEL_EXEC_DLOPEN_MODE", "sometimes", 1);
	assert_int_equal(boot("exec"), VACCEL_EINVAL);
	assert_says("VACCEL_EXEC_DLOPEN_MODE is 'sometimes'");
	unsetenv("VACCEL_EXEC_DLOPEN_MODE");
	assert_int_equal(boot("exec"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
}

/* Whether a copy of the library is still there after a call, and after its resource has gone. */
static void check_stays(const char *dir, const char *name, bool by_path, bool expected)
{
	struct vaccel_resource library;
	char path[4096];
	int out = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	copy_file(FUNCTIONS, path);
	if (by_path) {
		assert_int_equal(run_int(path, NULL, "functions_double", 0, &out), VACCEL_OK);
	} else {
		assert_int_equal(vaccel_resource_init(&library, path, VACCEL_RESOURCE_LIB),
				 VACCEL_OK);
		assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
		assert_int_equal(run_int(NULL, &library, "functions_double", 0, &out), VACCEL_OK);
		assert_true(is_mapped(path));
		assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
	}
	assert_int_equal(is_mapped(path), expected);
}

static void test_when_libraries_are_unloaded(void **state)
{
	check_stays(*state, "a.so", true, true);
	check_stays(*state, "b.so", false, false);
	setenv("VACCEL_EXEC_DLCLOSE_ENABLED", "1", 1);
	check_stays(*state, "c.so", true, false);
	check_stays(*state, "d.so", false, false);
	setenv("VACCEL_EXEC_DLCLOSE_ENABLED", "0", 1);
	check_stays(*state, "e.so", true, true);
	check_stays(*state, "f.so", false, true);
	unsetenv("VACCEL_EXEC_DLCLOSE_ENABLED");
}

static void *call_often(void *resource)
{
	for (int i = 0; i < 500; i++) {
		int out = 0;

		if (run_int(FUNCTIONS, i % 2 ? resource : NULL, "functions_double", i, &out) ||
		    out != 2 * i || run_int(FUNCTIONS, NULL, "none", i, &out) != VACCEL_ENOSYS ||
		    !strstr(vaccel_error_text(), "'none'"))
			return resource;
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	struct vaccel_resource library;
	pthread_t threads[8];
	void *failed;

	assert_int_equal(vaccel_resource_init(&library, FUNCTIONS, VACCEL_RESOURCE_LIB), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&library, &sess), VACCEL_OK);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, &library), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(vaccel_resource_release(&library), VACCEL_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, open_session, close_session)
	const struct CMUnitTest tests[] = {
		TEST(a_function_by_path),
		TEST(arguments_of_all_kinds),
		TEST(what_goes_wrong),
		TEST(functions_that_do_not_keep_to_their_arguments),
		TEST(a_library_of_a_file),
		TEST(a_library_in_memory),
		TEST(a_library_after_what_it_needs),
		TEST(a_resource_without_a_library),
		TEST(lazily_and_now),
		TEST(when_libraries_are_unloaded),
		TEST(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
