// SPDX-License-Identifier: Apache-2.0
/* noop, opencv, and functions of libraries: those of tests/support/functions.c. */
#include <stdio.h>
#include <stdlib.h>

#include "conform.h"

static void test_noop(void **state)
{
	int ret = vaccel_noop(&conform_sess);

	skip_unless_offered(ret, "noop");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_opencv(void **state)
{
	char room[64] = "";
	struct vaccel_arg write = {.buf = room, .size = sizeof(room)};
	int ret;

	assert_refused(vaccel_opencv_unpack(&conform_sess, NULL, -1, NULL, 0));
	assert_refused(vaccel_opencv_unpack(&conform_sess, NULL, 1, NULL, 0));
	assert_refused(vaccel_opencv_unpack(&conform_sess, NULL, 0, NULL, 1));
	ret = vaccel_opencv_unpack(&conform_sess, NULL, 0, &write, 1);
	skip_unless_offered(ret, "opencv");
	if (!conform_computes)
		assert_int_equal(ret, VACCEL_OK);
}

/* By path, or by a resource if there is one. */
static int run(struct vaccel_resource *library, const char *symbol, struct vaccel_arg *read,
	       size_t nr_read, struct vaccel_arg *write, size_t nr_write)
{
	if (library)
		return vaccel_exec_with_resource(&conform_sess, library, symbol, read, nr_read,
						 write, nr_write);
	return vaccel_exec(&conform_sess, conform_library, symbol, read, nr_read, write, nr_write);
}

static void check_results(struct vaccel_resource *library)
{
	int in[500], out[500] = {0};
	struct vaccel_arg read = {.buf = in, .type = VACCEL_ARG_INT32_ARRAY};
	struct vaccel_arg write = {.buf = out, .type = VACCEL_ARG_INT32_ARRAY};

	for (int round = 0; round < 20; round++) {
		size_t n = (size_t)random_between(1, 500);

		for (size_t i = 0; i < n; i++)
			in[i] = (int)random_between(-1000, 1000);
		read.size = write.size = n * sizeof(int);
		assert_int_equal(run(library, "functions_double", &read, 1, &write, 1), VACCEL_OK);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], conform_computes ? 2 * in[i] : in[i]);
	}
}

/* What only a backend that really calls the function can do. */
static void check_behaviour(struct vaccel_resource *library)
{
	char room[16] = "";
	int types = 0;
	struct vaccel_arg read[3] = {
		{.buf = (char *)"abc", .size = 3, .type = VACCEL_ARG_BUFFER},
		{.type = VACCEL_ARG_RAW},
		{.buf = (char *)"de", .size = 2, .type = VACCEL_ARG_UINT8_ARRAY}};
	struct vaccel_arg write[2] = {{.buf = room, .size = sizeof(room)},
				      {.buf = &types, .size = sizeof(types)}};

	/* Arguments keep their order, their types and their emptiness; sizes may go down. */
	assert_int_equal(run(library, "functions_join", read, 3, write, 2), VACCEL_OK);
	assert_int_equal(write[0].size, 5);
	assert_memory_equal(room, "abcde", 5);
	assert_int_equal(types, VACCEL_ARG_BUFFER + VACCEL_ARG_UINT8_ARRAY);
	assert_ptr_equal(write[0].buf, room);

	assert_int_equal(run(library, "functions_none", NULL, 0, NULL, 0), VACCEL_ENOSYS);
	assert_non_null(strstr(vaccel_error_text(), "functions_none"));
	assert_int_equal(run(library, "functions_fail", NULL, 0, NULL, 0), VACCEL_EBACKEND);
	assert_string_not_equal(vaccel_error_text(), "");
	assert_int_equal(run(library, "functions_enlarge", NULL, 0, write, 1), VACCEL_EBACKEND);
	assert_int_equal(write[0].size, 5);
	/* What one that fails has written is there, too. */
	assert_int_equal(run(library, "functions_shrink_and_fail", NULL, 0, write, 1),
			 VACCEL_EBACKEND);
	assert_int_equal(write[0].size, 1);
	assert_int_not_equal(room[0], 'a');
}

static void check_bad_arguments(struct vaccel_resource *library)
{
	struct vaccel_arg nowhere = {.buf = NULL, .size = 4};

	assert_refused(run(library, NULL, NULL, 0, NULL, 0));
	assert_refused(run(library, "", NULL, 0, NULL, 0));
	assert_refused(run(library, "f", NULL, 1, NULL, 0));
	assert_refused(run(library, "f", NULL, 0, NULL, 1));
	assert_refused(run(library, "f", &nowhere, 1, NULL, 0));
	assert_refused(run(library, "f", NULL, 0, &nowhere, 1));
	assert_refused(run(library, "f", &nowhere, SIZE_MAX, NULL, 0));
}

static void test_exec(void **state)
{
	int ret;

	assert_refused(vaccel_exec(&conform_sess, NULL, "f", NULL, 0, NULL, 0));
	assert_refused(vaccel_exec(&conform_sess, "", "f", NULL, 0, NULL, 0));
	if (!conform_library)
		skip();
	check_bad_arguments(NULL);
	ret = run(NULL, "functions_count", NULL, 0, NULL, 0);
	skip_unless_offered(ret, "exec");
	assert_int_equal(ret, VACCEL_OK);
	check_results(NULL);
	if (!conform_computes)
		return;
	check_behaviour(NULL);
	assert_refused(vaccel_exec(&conform_sess, "/no/such/lib.so", "f", NULL, 0, NULL, 0));
}

static void check_library(struct vaccel_resource *library)
{
	int ret;

	assert_int_equal(run(library, "functions_count", NULL, 0, NULL, 0), VACCEL_EPERM);
	assert_int_equal(vaccel_resource_register(library, &conform_sess), VACCEL_OK);
	check_bad_arguments(library);
	library->type = VACCEL_RESOURCE_MODEL;
	assert_refused(run(library, "functions_count", NULL, 0, NULL, 0));
	library->type = VACCEL_RESOURCE_LIB;
	ret = run(library, "functions_count", NULL, 0, NULL, 0);
	if (!ret) {
		check_results(library);
		if (conform_computes)
			check_behaviour(library);
	}
	assert_int_equal(vaccel_resource_release(library), VACCEL_OK);
	skip_unless_offered(ret, "exec_with_resource");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_exec_with_a_file(void **state)
{
	struct vaccel_resource library;

	if (!conform_library)
		skip();
	assert_int_equal(vaccel_resource_init(&library, conform_library, VACCEL_RESOURCE_LIB),
			 VACCEL_OK);
	check_library(&library);
}

static void test_exec_with_memory(void **state)
{
	static char bytes[1 << 20];
	struct vaccel_resource library;
	size_t size;
	FILE *file;

	if (!conform_library)
		skip();
	file = fopen(conform_library, "r");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_in_range(size, 1, sizeof(bytes) - 1);
	assert_int_equal(vaccel_resource_init_from_buf(&library, bytes, size, VACCEL_RESOURCE_LIB,
						       "lib.so", true),
			 VACCEL_OK);
	check_library(&library);
}

const struct CMUnitTest exec_tests[] = {
	cmocka_unit_test(test_noop),
	cmocka_unit_test(test_opencv),
	cmocka_unit_test(test_exec),
	cmocka_unit_test(test_exec_with_a_file),
	cmocka_unit_test(test_exec_with_memory),
};
const size_t nr_exec_tests = sizeof(exec_tests) / sizeof(exec_tests[0]);
