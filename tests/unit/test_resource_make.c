// SPDX-License-Identifier: Apache-2.0
/* Making resources, and what a program sees of them. */
#include "resource_tests.h"

static void test_from_a_file(void **state)
{
	struct vaccel_resource res, *allocated;

	memset(&res, 0xff, sizeof(res));
	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	assert_true(res.id > 0);
	assert_int_equal(res.remote_id, 0);
	assert_int_equal(res.type, DATA);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_FILE);
	assert_int_equal(res.nr_paths, 1);
	assert_string_equal(res.paths[0], file);
	assert_null(res.rundir);
	assert_null(res.blobs);
	assert_int_equal(res.nr_blobs, 0);
	assert_null(res.plugin_priv);
	assert_int_equal(vaccel_resource_refcount(&res), 0);
	assert_int_equal(vaccel_resource_new(&allocated, file, DATA), VACCEL_OK);
	assert_int_equal(allocated->id, res.id + 1);

	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 1);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_FILE);
	assert_string_equal(res.blobs[0]->name, "one.bin");
	assert_string_equal(res.blobs[0]->path, file);
	assert_false(res.blobs[0]->path_owned);
	assert_false(res.blobs[0]->data_owned);
	assert_null(res.rundir);
	assert_int_equal(dir_count(dir), 3); /* a run directory was not made */

	assert_int_equal(vaccel_resource_delete(allocated), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_all_zero(&res);
	assert_file_is(file, TEXT);
}

static void test_from_several_files(void **state)
{
	const char *paths[] = {other, file};
	struct vaccel_resource res, *allocated;

	assert_int_equal(vaccel_resource_init_multi(&res, paths, 2, LIB), VACCEL_OK);
	assert_int_equal(res.nr_paths, 2);
	assert_string_equal(res.paths[0], other);
	assert_string_equal(res.paths[1], file);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 2);
	assert_string_equal(res.blobs[0]->name, "two.bin");
	assert_string_equal(res.blobs[1]->name, "one.bin");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);

	assert_int_equal(vaccel_resource_multi_new(&allocated, paths, 2, LIB), VACCEL_OK);
	assert_int_equal(vaccel_resource_delete(allocated), VACCEL_OK);
}

static void test_from_a_file_url(void **state)
{
	struct vaccel_resource res;
	char *url, *spaced = file_new(dir, "a b", TEXT);

	assert_true(asprintf(&url, "file://%s/a%%20b", dir) > 0);
	assert_int_equal(vaccel_resource_init(&res, url, DATA), VACCEL_OK);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_FILE);
	assert_string_equal(res.paths[0], spaced);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_string_equal(res.blobs[0]->path, spaced);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	free(url);
	free(spaced);
}

static void test_from_a_buffer(void **state)
{
	struct vaccel_resource res, *allocated;

	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, LIB, "lib.so", false),
			 VACCEL_OK);
	assert_int_equal(res.type, LIB);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_FILE);
	assert_null(res.paths);
	assert_int_equal(res.nr_paths, 0);
	assert_non_null(res.rundir);
	assert_int_equal(res.nr_blobs, 1);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_MAPPED);
	assert_string_equal(res.blobs[0]->name, "lib.so");
	assert_true(res.blobs[0]->path_owned);
	assert_true(res.blobs[0]->data_owned);
	assert_ptr_not_equal(res.blobs[0]->data, buf);
	assert_memory_equal(res.blobs[0]->data, TEXT, NR);
	assert_int_equal(strncmp(res.blobs[0]->path, res.rundir, strlen(res.rundir)), 0);
	assert_int_equal(strncmp(res.rundir, rundir_path(), strlen(rundir_path())), 0);
	assert_file_is(res.blobs[0]->path, TEXT);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 1);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_all_zero(&res);
	assert_int_equal(dir_count(rundir_path()), 0);

	/* Without a name it is called after its type. */
	assert_int_equal(vaccel_resource_from_buf(&allocated, buf, NR, MODEL, NULL, false),
			 VACCEL_OK);
	assert_string_equal(allocated->blobs[0]->name, "model");
	assert_int_equal(vaccel_resource_delete(allocated), VACCEL_OK);

	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, DATA, "sub/x", false),
			 VACCEL_OK);
	assert_string_equal(res.blobs[0]->name, "sub/x");
	assert_file_is(res.blobs[0]->path, TEXT);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(dir_count(rundir_path()), 0);
}

static void test_from_a_buffer_in_memory_only(void **state)
{
	struct vaccel_resource res, *allocated;

	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, LIB, NULL, true), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_BUFFER);
	assert_ptr_equal(res.blobs[0]->data, buf);
	assert_int_equal(res.blobs[0]->size, NR);
	assert_null(res.blobs[0]->path);
	assert_false(res.blobs[0]->data_owned);
	assert_false(res.blobs[0]->path_owned);
	assert_null(res.rundir);
	assert_null(res.paths);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_memory_equal(buf, TEXT, NR);

	assert_int_equal(vaccel_resource_from_buf(&allocated, buf, NR, LIB, "x", true), VACCEL_OK);
	assert_int_equal(vaccel_resource_delete(allocated), VACCEL_OK);
	assert_int_equal(dir_count(dir), 3);
}

static void test_from_blobs_in_memory(void **state)
{
	struct vaccel_blob owned, borrowed;
	const struct vaccel_blob *blobs[] = {&owned, &borrowed};
	struct vaccel_resource res;

	assert_int_equal(vaccel_blob_init_from_buf(&owned, buf, NR, true, "b", NULL, false), 0);
	assert_int_equal(vaccel_blob_init_from_buf(&borrowed, buf, NR, false, "b", NULL, false), 0);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, DATA), VACCEL_OK);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_FILE);
	assert_null(res.paths);
	assert_null(res.rundir);
	assert_int_equal(res.nr_blobs, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_ptr_not_equal(res.blobs[i], blobs[i]);
		assert_int_equal(res.blobs[i]->type, VACCEL_BLOB_BUFFER);
		assert_null(res.blobs[i]->path);
		assert_int_equal(res.blobs[i]->data_owned, blobs[i]->data_owned);
		assert_memory_equal(res.blobs[i]->data, TEXT, NR);
	}
	assert_ptr_not_equal(res.blobs[0]->data, owned.data);
	assert_ptr_equal(res.blobs[1]->data, buf);
	assert_int_equal(vaccel_blob_release(&owned), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&borrowed), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_null(res.rundir);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_from_blobs_with_files(void **state)
{
	struct vaccel_blob read, unread, made;
	const struct vaccel_blob *blobs[] = {&read, &unread, &made};
	struct vaccel_resource *res;

	assert_int_equal(vaccel_blob_init(&read, file), VACCEL_OK);
	assert_int_equal(vaccel_blob_read(&read), VACCEL_OK);
	assert_int_equal(vaccel_blob_init(&unread, file), VACCEL_OK);
	assert_int_equal(vaccel_blob_init_from_buf(&made, buf, NR, true, "m", dir, false), 0);
	assert_int_equal(vaccel_resource_from_blobs(&res, blobs, 3, DATA), VACCEL_OK);
	assert_int_equal(unread.type, VACCEL_BLOB_FILE);
	assert_null(unread.data);
	assert_int_equal(vaccel_blob_release(&read), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&unread), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&made), VACCEL_OK);
	assert_int_equal(res->nr_blobs, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(res->blobs[i]->type, VACCEL_BLOB_MAPPED);
		assert_true(res->blobs[i]->path_owned);
		assert_true(res->blobs[i]->data_owned);
		assert_memory_equal(res->blobs[i]->data, TEXT, NR);
		assert_int_equal(strncmp(res->blobs[i]->path, res->rundir, strlen(res->rundir)), 0);
		assert_file_is(res->blobs[i]->path, TEXT);
	}
	assert_string_not_equal(res->blobs[0]->path, res->blobs[1]->path);
	assert_int_equal(vaccel_resource_delete(res), VACCEL_OK);
	assert_file_is(file, TEXT);
}

static void test_bad_paths(void **state)
{
	struct vaccel_resource res, before, *p = NULL;
	const char *with_null[] = {file, NULL}, *with_gone[] = {file, "/no/such"};
	const char *mixed[] = {file, folder}, *dirs[] = {folder, folder};
	const char *with_url[] = {file, "http://host/x"};
	const char **const lists[] = {with_null, with_gone, mixed, dirs, with_url};

	memset(&before, 0x5a, sizeof(before));
	res = before;
	assert_int_equal(vaccel_resource_init(NULL, file, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, NULL, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, "", DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, "/no/such", DATA), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "/no/such"));
	assert_int_equal(vaccel_resource_init(&res, "ftp://host/x", DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, "file:///no/such", DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, file, VACCEL_RESOURCE_MAX), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, file, (vaccel_resource_type_t)-1),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_new(NULL, file, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_new(&p, NULL, DATA), VACCEL_EINVAL);

	assert_int_equal(vaccel_resource_init_multi(NULL, with_null, 1, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_multi(&res, NULL, 1, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_multi(&res, with_null, 0, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_multi(&res, with_null, 65537, DATA), VACCEL_EINVAL);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(vaccel_resource_init_multi(&res, lists[i], 2, DATA),
				 VACCEL_EINVAL);
		assert_int_equal(vaccel_resource_multi_new(&p, lists[i], 2, DATA), VACCEL_EINVAL);
	}
	assert_memory_equal(&res, &before, sizeof(res));
	assert_null(p);
}

static void test_bad_buffers_and_blobs(void **state)
{
	struct vaccel_blob good = {
		.type = VACCEL_BLOB_BUFFER, .name = (char *)"x", .data = buf, .size = NR};
	struct vaccel_blob out = {
		.type = VACCEL_BLOB_BUFFER, .name = (char *)"../x", .data = buf, .size = NR};
	struct vaccel_blob gone = {
		.type = VACCEL_BLOB_FILE, .name = (char *)"x", .path = (char *)"/no/such"};
	const struct vaccel_blob *blobs[] = {&good, NULL};
	struct vaccel_resource res, before, *p = NULL;

	memset(&before, 0x5a, sizeof(before));
	res = before;
	assert_int_equal(vaccel_resource_init_from_buf(NULL, buf, NR, DATA, "x", true),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_buf(&res, NULL, NR, DATA, "x", true),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, 0, DATA, "x", true),
			 VACCEL_EINVAL);
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, buf, NR, VACCEL_RESOURCE_MAX, NULL, false),
		VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, DATA, "../x", false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_from_buf(NULL, buf, NR, DATA, "x", true), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_from_buf(&p, buf, 0, DATA, "x", true), VACCEL_EINVAL);

	assert_int_equal(vaccel_resource_init_from_blobs(NULL, blobs, 1, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, NULL, 1, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 0, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 65537, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 1, VACCEL_RESOURCE_MAX),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, DATA), VACCEL_EINVAL);
	blobs[1] = &out;
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, DATA), VACCEL_EINVAL);
	blobs[1] = &gone;
	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, DATA), VACCEL_ENOENT);
	assert_int_equal(vaccel_resource_from_blobs(NULL, blobs, 1, DATA), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_from_blobs(&p, blobs, 2, DATA), VACCEL_ENOENT);
	assert_memory_equal(&res, &before, sizeof(res));
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_from_a_file),
		TEST(test_from_several_files),
		TEST(test_from_a_file_url),
		TEST(test_from_a_buffer),
		TEST(test_from_a_buffer_in_memory_only),
		TEST(test_from_blobs_in_memory),
		TEST(test_from_blobs_with_files),
		TEST(test_bad_paths),
		TEST(test_bad_buffers_and_blobs),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
