// SPDX-License-Identifier: Apache-2.0
/* Paths and URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/utils/path.h>

#include "files.h"
#include "nomem.h"

static char *dir, *file;

static int setup(void **state)
{
	dir = dir_new();
	file = file_new(dir, "a file", "x");
	return 0;
}

static int teardown(void **state)
{
	free(file);
	dir_remove(dir);
	return 0;
}

static void test_names_of_types(void **state)
{
	char buf[VACCEL_ENUM_STR_MAX];

	assert_int_equal(VACCEL_PATH_LOCAL_FILE, 0);
	assert_int_equal(VACCEL_PATH_LOCAL_DIR, 1);
	assert_int_equal(VACCEL_PATH_REMOTE_FILE, 2);
	assert_string_equal(vaccel_path_type_to_str(VACCEL_PATH_LOCAL_DIR),
			    "VACCEL_PATH_LOCAL_DIR");
	assert_string_equal(vaccel_path_type_name(VACCEL_PATH_REMOTE_FILE, buf, sizeof(buf)),
			    "remote_file");
	assert_string_equal(vaccel_path_type_to_base_str(VACCEL_PATH_MAX), "MAX");
}

static void test_is_url(void **state)
{
	assert_true(vaccel_path_is_url("http://host/x"));
	assert_true(vaccel_path_is_url("FTP://x"));
	assert_true(vaccel_path_is_url("s3+x-y.z://"));
	assert_false(vaccel_path_is_url(NULL));
	assert_false(vaccel_path_is_url(""));
	assert_false(vaccel_path_is_url("://x"));
	assert_false(vaccel_path_is_url("3d://x"));
	assert_false(vaccel_path_is_url("a/b://x"));
	assert_false(vaccel_path_is_url("http:/x"));
	assert_false(vaccel_path_is_url("/http://x"));
}

static void assert_type(const char *path, vaccel_path_type_t expected)
{
	vaccel_path_type_t type = VACCEL_PATH_MAX;

	assert_int_equal(vaccel_path_type(path, &type), VACCEL_OK);
	assert_int_equal(type, expected);
}

static void assert_no_type(const char *path, const char *words)
{
	vaccel_path_type_t type = VACCEL_PATH_MAX;

	assert_int_equal(vaccel_path_type(path, &type), VACCEL_EINVAL);
	assert_int_equal(type, VACCEL_PATH_MAX);
	assert_non_null(strstr(vaccel_error_text(), words));
}

static void test_type(void **state)
{
	char *url, *broken = path_in(dir, "gone"), *fifo = path_in(dir, "fifo");

	assert_type(file, VACCEL_PATH_LOCAL_FILE);
	assert_type(dir, VACCEL_PATH_LOCAL_DIR);
	assert_type("http://host", VACCEL_PATH_REMOTE_FILE);
	assert_type("HTTPS://user:secret@host/x?y", VACCEL_PATH_REMOTE_FILE);
	assert_true(asprintf(&url, "file://%s/a%%20file", dir) > 0);
	assert_type(url, VACCEL_PATH_LOCAL_FILE);
	free(url);
	assert_true(asprintf(&url, "FILE://localhost%s", dir) > 0);
	assert_type(url, VACCEL_PATH_LOCAL_DIR);
	free(url);

	assert_no_type(NULL, "path is empty");
	assert_no_type("", "path is empty");
	assert_no_type(broken, "No such file");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_no_type(fifo, "neither");
	assert_no_type("ftp://host/x", "'ftp'");
	assert_no_type("http://", "no host");
	assert_no_type("http:///x", "no host");
	assert_no_type("https://?x", "no host");
	assert_no_type("file://host/x", "file:///");
	assert_no_type("file:///%zz", "%");
	assert_int_equal(vaccel_path_type(file, NULL), VACCEL_EINVAL);
	free(broken);
	free(fifo);
}

static void assert_local(const char *path, const char *expected)
{
	char *local;

	assert_int_equal(vaccel_path_local(path, &local), VACCEL_OK);
	assert_string_equal(local, expected);
	free(local);
}

static void test_local(void **state)
{
	static const char *const bad[] = {
		NULL,	     "",	   "http://h/x",  "file://",	 "file://h/x",
		"file:///%", "file:///%4", "file:///%4g", "file:///%00", "file://localhost"};
	char *local = NULL;

	assert_local("a%20b", "a%20b");
	assert_local("file:///", "/");
	assert_local("file:///a%20b%2Fc%c3%A9", "/a b/c\xc3\xa9");
	assert_local("file://LOCALHOST/x", "/x");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vaccel_path_local(bad[i], &local), VACCEL_EINVAL);
	assert_int_equal(vaccel_path_local("x", NULL), VACCEL_EINVAL);
	assert_null(local);
}

static void assert_name(const char *path, const char *expected)
{
	char *name = NULL;
	int ret = vaccel_path_name(path, &name);

	assert_int_equal(ret, expected ? VACCEL_OK : VACCEL_EINVAL);
	if (expected)
		assert_string_equal(name, expected);
	else
		assert_null(name);
	free(name);
}

static void test_name(void **state)
{
	assert_name("x", "x");
	assert_name("/a/b.onnx", "b.onnx");
	assert_name("/a/b//", "b");
	assert_name("a/?b#", "?b#");
	assert_name("https://host/a/b.onnx?sig=1/2#f", "b.onnx");
	assert_name("https://host/a%2Fb", "a%2Fb");
	assert_name(NULL, NULL);
	assert_name("", NULL);
	assert_name("/", NULL);
	assert_name("a/.", NULL);
	assert_name("a/..", NULL);
	assert_name("https://host", NULL);
	assert_name("https://host/?x", NULL);
	assert_name("https://..", NULL);
	assert_int_equal(vaccel_path_name("x", NULL), VACCEL_EINVAL);
}

static void assert_join(const char *a, const char *b, const char *expected)
{
	char *path = NULL;
	int ret = vaccel_path_join(a, b, &path);

	assert_int_equal(ret, expected ? VACCEL_OK : VACCEL_EINVAL);
	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void test_join(void **state)
{
	assert_join("a", "b", "a/b");
	assert_join("a//", "//b/c", "a/b/c");
	assert_join("/", "b", "/b");
	assert_join("", "b", NULL);
	assert_join("a", "", NULL);
	assert_join(NULL, "b", NULL);
	assert_join("a", NULL, NULL);
	assert_int_equal(vaccel_path_join("a", "b", NULL), VACCEL_EINVAL);
}

static void test_what_is_there(void **state)
{
	assert_true(vaccel_path_exists(file));
	assert_true(vaccel_path_exists(dir));
	assert_false(vaccel_path_exists("/nowhere"));
	assert_false(vaccel_path_exists(NULL));
	assert_true(vaccel_path_is_file(file));
	assert_false(vaccel_path_is_file(dir));
	assert_false(vaccel_path_is_file("/nowhere"));
	assert_false(vaccel_path_is_file(NULL));
	assert_true(vaccel_path_is_dir(dir));
	assert_false(vaccel_path_is_dir(file));
	assert_false(vaccel_path_is_dir("/nowhere"));
	assert_false(vaccel_path_is_dir(NULL));
}

static void test_no_memory(void **state)
{
	vaccel_path_type_t type;
	char *path;

	NOMEM_SWEEP(vaccel_path_type(file, &type));
	NOMEM_SWEEP(vaccel_path_local("file:///x", &path));
	free(path);
	NOMEM_SWEEP(vaccel_path_name("a/b", &path));
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_types), cmocka_unit_test(test_is_url),
		cmocka_unit_test(test_type),	       cmocka_unit_test(test_local),
		cmocka_unit_test(test_name),	       cmocka_unit_test(test_join),
		cmocka_unit_test(test_what_is_there),  cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
