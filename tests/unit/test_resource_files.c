// SPDX-License-Identifier: Apache-2.0
/* What resources have on disk: directories, downloads, and what is written for them. */
#include "http_server.h"
#include "resource_tests.h"

static void test_from_a_directory(void **state)
{
	static const char *const names[] = {".hidden", "sub/a", "sub/deep/x", "z"};
	struct vaccel_resource res;
	char out[512], *alloc = NULL, *fifo = path_in(folder, "fifo"), *path;

	fill_folder();
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(vaccel_resource_init(&res, folder, MODEL), VACCEL_OK);
	assert_int_equal(res.path_type, VACCEL_PATH_LOCAL_DIR);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 4);
	for (size_t i = 0; i < 4; i++) {
		path = path_in(folder, names[i]);
		assert_string_equal(res.blobs[i]->name, names[i]);
		assert_string_equal(res.blobs[i]->path, path);
		assert_int_equal(res.blobs[i]->type, VACCEL_BLOB_FILE);
		free(path);
	}
	assert_int_equal(vaccel_resource_directory(&res, out, sizeof(out), NULL), VACCEL_OK);
	assert_string_equal(out, folder);
	assert_int_equal(vaccel_resource_directory(&res, NULL, 0, &alloc), VACCEL_OK);
	assert_string_equal(alloc, folder);
	free(alloc);
	/* Just enough, and one too few. */
	assert_int_equal(vaccel_resource_directory(&res, out, strlen(folder) + 1, NULL), VACCEL_OK);
	out[0] = '!';
	assert_int_equal(vaccel_resource_directory(&res, out, strlen(folder), NULL), VACCEL_EINVAL);
	assert_int_equal(out[0], '!');
	assert_int_equal(vaccel_resource_directory(&res, NULL, 9, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_directory(&res, out, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	assert_int_equal(vaccel_resource_directory(&res, out, sizeof(out), NULL), VACCEL_EINVAL);
	assert_int_equal(dir_count(folder), 5);
	free(fifo);
}

static void test_a_directory_with_links(void **state)
{
	char *loop = path_in(folder, "loop"), *link = path_in(folder, "link");
	char *dangling = path_in(folder, "dangling");
	struct vaccel_resource res;

	assert_int_equal(symlink(".", loop), 0);
	assert_int_equal(symlink(file, link), 0);
	assert_int_equal(symlink("/nowhere", dangling), 0);
	assert_int_equal(vaccel_resource_init(&res, folder, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 1);
	assert_string_equal(res.blobs[0]->name, "link");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	free(loop);
	free(link);
	free(dangling);
}

static void test_an_empty_directory(void **state)
{
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_init(&res, folder, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 0);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_a_directory_without_bottom(void **state)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	struct vaccel_resource res;

	for (int i = 0; i < 40; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(vaccel_resource_init(&res, folder, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_ERANGE);
	assert_int_equal(res.nr_blobs, 0);
	assert_null(res.blobs);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_a_file_for_what_is_in_memory(void **state)
{
	const char *path = NULL, *again = NULL;
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_init_from_buf(&res, buf, NR, LIB, "l.so", true),
			 VACCEL_OK);
	assert_int_equal(vaccel_resource_file(&res, 1, &path), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_file(&res, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_file(NULL, 0, &path), VACCEL_EINVAL);
	assert_null(path);
	assert_int_equal(vaccel_resource_file(&res, 0, &path), VACCEL_OK);
	assert_file_is(path, TEXT);
	assert_non_null(res.rundir);
	assert_int_equal(strncmp(path, res.rundir, strlen(res.rundir)), 0);
	assert_int_equal(vaccel_resource_file(&res, 0, &again), VACCEL_OK);
	assert_ptr_equal(again, path);
	/* It is still a buffer, and the program's. */
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_BUFFER);
	assert_ptr_equal(res.blobs[0]->data, buf);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_sync(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);

	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_file(&res, 0, &path), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "not registered"));
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(vaccel_resource_file(&res, 0, &path), VACCEL_OK);
	assert_string_equal(path, file);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

/* What the far side of a directory does. */
static void test_a_directory_from_blobs(void **state)
{
	struct vaccel_blob a = {
		.type = VACCEL_BLOB_BUFFER, .name = (char *)"top", .data = buf, .size = NR};
	struct vaccel_blob b = {
		.type = VACCEL_BLOB_BUFFER, .name = (char *)"sub/deep/x", .data = buf, .size = 0};
	const struct vaccel_blob *blobs[] = {&a, &b};
	struct vaccel_resource res;
	char out[512], *path;

	assert_int_equal(vaccel_resource_init_from_blobs(&res, blobs, 2, MODEL), VACCEL_OK);
	assert_int_equal(vaccel_resource_directory(&res, out, sizeof(out), NULL), VACCEL_ENOTSUP);
	res.path_type = VACCEL_PATH_LOCAL_DIR;
	assert_int_equal(vaccel_resource_directory(&res, out, sizeof(out), NULL), VACCEL_OK);
	assert_string_equal(out, res.rundir);
	path = path_in(out, "top");
	assert_file_is(path, TEXT);
	free(path);
	path = path_in(out, "sub/deep/x");
	assert_file_is(path, "");
	assert_string_equal(res.blobs[1]->path, path);
	free(path);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static void test_directory_of_what_is_none(void **state)
{
	struct vaccel_resource res;
	char out[512];

	assert_int_equal(vaccel_resource_directory(NULL, out, sizeof(out), NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_resource_init(&res, file, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_directory(&res, out, sizeof(out), NULL), VACCEL_ENOTSUP);
	res.path_type = VACCEL_PATH_LOCAL_DIR;
	assert_int_equal(vaccel_resource_directory(&res, out, sizeof(out), NULL), VACCEL_ENOTSUP);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
}

static struct http_server server;

static int setup_server(void **state)
{
	setenv("no_proxy", "*", 1);
	http_start(&server);
	return setup(state);
}

static int teardown_server(void **state)
{
	http_stop(&server);
	return teardown(state);
}

static char *url_of(const char *path)
{
	char *url;

	assert_true(asprintf(&url, "http://127.0.0.1:%d%s", server.port, path) > 0);
	return url;
}

static void test_from_a_url(void **state)
{
	char *url = url_of("/ok/model.onnx?version=1");
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_init(&res, url, MODEL), VACCEL_OK);
	assert_int_equal(res.path_type, VACCEL_PATH_REMOTE_FILE);
	assert_string_equal(res.paths[0], url);
	assert_null(res.blobs);
	assert_null(res.rundir);
	assert_int_equal(server.requests, 0);

	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_non_null(res.rundir);
	assert_int_equal(res.nr_blobs, 1);
	assert_int_equal(res.blobs[0]->type, VACCEL_BLOB_FILE);
	assert_string_equal(res.blobs[0]->name, "model.onnx");
	assert_true(res.blobs[0]->path_owned);
	assert_false(res.blobs[0]->data_owned);
	assert_file_is(res.blobs[0]->path, HTTP_TEXT);

	/* Fetched once, for all sessions. */
	assert_int_equal(vaccel_resource_register(&res, &second), VACCEL_OK);
	assert_int_equal(server.requests, 1);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	free(url);
}

static void test_from_several_urls(void **state)
{
	char *one = url_of("/ok/same"), *two = url_of("/ok2/same"), *nameless = url_of("/?ok");
	const char *paths[] = {one, two, nameless};
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_init_multi(&res, paths, 3, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	assert_int_equal(res.nr_blobs, 3);
	assert_string_equal(res.blobs[0]->name, "same");
	assert_int_equal(strncmp(res.blobs[1]->name, "same.", 5), 0);
	assert_string_equal(res.blobs[2]->name, "download");
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	free(one);
	free(two);
	free(nameless);
}

static void test_a_url_that_leads_nowhere(void **state)
{
	char *good = url_of("/ok"), *bad = url_of("/missing");
	const char *paths[] = {good, bad};
	struct vaccel_resource res;

	assert_int_equal(vaccel_resource_init_multi(&res, paths, 2, DATA), VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_EREMOTEIO);
	assert_null(res.rundir);
	assert_null(res.blobs);
	assert_int_equal(res.nr_blobs, 0);
	assert_int_equal(vaccel_resource_refcount(&res), 0);
	assert_false(vaccel_session_has_resource(&sess, &res));
	assert_int_equal(dir_count(rundir_path()), 0);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	free(good);
	free(bad);
}

#define TEST_URL(name) cmocka_unit_test_setup_teardown(name, setup_server, teardown_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_from_a_directory),
		TEST(test_a_directory_with_links),
		TEST(test_an_empty_directory),
		TEST(test_a_directory_without_bottom),
		TEST(test_a_file_for_what_is_in_memory),
		TEST(test_a_directory_from_blobs),
		TEST(test_directory_of_what_is_none),
		TEST_URL(test_from_a_url),
		TEST_URL(test_from_several_urls),
		TEST_URL(test_a_url_that_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
