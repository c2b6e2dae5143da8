// SPDX-License-Identifier: Apache-2.0
/* Blobs: from files and from memory, written, read, released; and the files beneath them. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <vaccel/blob.h>
#include <vaccel/utils/path.h>

#include "file/file.h"
#include "files.h"
#include "nomem.h"
#include "object/blob.h"

static const uint8_t bytes[] = "some bytes";
#define NR (sizeof(bytes) - 1)

static char *dir, *file;

static int setup(void **state)
{
	dir = dir_new();
	file = file_new(dir, "source.bin", "some bytes");
	return 0;
}

static int teardown(void **state)
{
	free(file);
	dir_remove(dir);
	return 0;
}

static void assert_released(const struct vaccel_blob *blob)
{
	assert_int_equal(blob->type, VACCEL_BLOB_MAX);
	assert_null(blob->name);
	assert_null(blob->path);
	assert_false(blob->path_owned);
	assert_null(blob->data);
	assert_false(blob->data_owned);
	assert_int_equal(blob->size, 0);
}

static void test_names_of_types(void **state)
{
	char buf[VACCEL_ENUM_STR_MAX];

	assert_int_equal(VACCEL_BLOB_FILE, 0);
	assert_int_equal(VACCEL_BLOB_BUFFER, 1);
	assert_int_equal(VACCEL_BLOB_MAPPED, 2);
	assert_int_equal(VACCEL_BLOB_MAX, 3);
	assert_string_equal(vaccel_blob_type_to_str(VACCEL_BLOB_FILE), "VACCEL_BLOB_FILE");
	assert_string_equal(vaccel_blob_type_to_base_str(VACCEL_BLOB_BUFFER), "BUFFER");
	assert_string_equal(vaccel_blob_type_name(VACCEL_BLOB_MAPPED, buf, sizeof(buf)), "mapped");
}

static void test_from_file(void **state)
{
	struct vaccel_blob blob;
	uint8_t *data;
	size_t size;

	assert_int_equal(vaccel_blob_init(&blob, file), VACCEL_OK);
	assert_int_equal(blob.type, VACCEL_BLOB_FILE);
	assert_string_equal(blob.name, "source.bin");
	assert_string_equal(blob.path, file);
	assert_ptr_equal(vaccel_blob_path(&blob), blob.path);
	assert_false(blob.path_owned);
	assert_null(blob.data);
	assert_false(blob.data_owned);
	assert_int_equal(blob.size, 0);
	assert_true(vaccel_blob_valid(&blob));

	assert_int_equal(vaccel_blob_read(&blob), VACCEL_OK);
	assert_int_equal(blob.type, VACCEL_BLOB_MAPPED);
	assert_false(blob.data_owned);
	assert_false(blob.path_owned);
	assert_int_equal(blob.size, NR);
	assert_memory_equal(blob.data, bytes, NR);
	assert_true(vaccel_blob_valid(&blob));

	data = blob.data;
	assert_int_equal(vaccel_blob_read(&blob), VACCEL_OK);
	assert_ptr_equal(blob.data, data);
	assert_ptr_equal(vaccel_blob_data(&blob, &size), data);
	assert_int_equal(size, NR);
	assert_ptr_equal(vaccel_blob_data(&blob, NULL), data);

	/* The caller's file is never written to, nor removed. */
	blob.data[0] = 'S';
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	assert_released(&blob);
	assert_file_is(file, "some bytes");
}

static void test_data_reads_by_itself(void **state)
{
	struct vaccel_blob *blob;
	size_t size = 0;

	assert_int_equal(vaccel_blob_new(&blob, file), VACCEL_OK);
	assert_memory_equal(vaccel_blob_data(blob, &size), bytes, NR);
	assert_int_equal(size, NR);
	assert_int_equal(blob->type, VACCEL_BLOB_MAPPED);
	assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
}

static void test_an_empty_file(void **state)
{
	char *empty = file_new(dir, "empty", "");
	struct vaccel_blob *blob, *copy;
	size_t size = 1;

	assert_int_equal(vaccel_blob_new(&blob, empty), VACCEL_OK);
	assert_non_null(vaccel_blob_data(blob, &size));
	assert_int_equal(size, 0);
	assert_true(vaccel_blob_valid(blob));

	assert_int_equal(blob_copy_file(&copy, blob, dir), VACCEL_OK);
	assert_int_equal(copy->size, 0);
	assert_non_null(copy->data);
	assert_int_equal(vaccel_blob_delete(copy), VACCEL_OK);
	assert_int_equal(blob_from_bytes(&copy, blob->data, 0, true, "x"), VACCEL_OK);
	assert_true(vaccel_blob_valid(copy));
	assert_int_equal(vaccel_blob_delete(copy), VACCEL_OK);

	assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
	unlink(empty);
	free(empty);
}

static void test_owned_and_borrowed(void **state)
{
	struct vaccel_blob blob, *borrowed;

	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, "b", NULL, false),
			 VACCEL_OK);
	assert_int_equal(blob.type, VACCEL_BLOB_BUFFER);
	assert_string_equal(blob.name, "b");
	assert_null(blob.path);
	assert_null(vaccel_blob_path(&blob));
	assert_false(blob.path_owned);
	assert_ptr_not_equal(blob.data, bytes);
	assert_memory_equal(blob.data, bytes, NR);
	assert_true(blob.data_owned);
	assert_int_equal(blob.size, NR);
	assert_int_equal(vaccel_blob_read(&blob), VACCEL_OK);
	assert_int_equal(blob.type, VACCEL_BLOB_BUFFER);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	assert_released(&blob);

	assert_int_equal(vaccel_blob_from_buf(&borrowed, bytes, NR, false, "b", NULL, true),
			 VACCEL_OK);
	assert_string_equal(borrowed->name, "b");
	assert_ptr_equal(borrowed->data, bytes);
	assert_false(borrowed->data_owned);
	assert_int_equal(vaccel_blob_delete(borrowed), VACCEL_OK);
	assert_string_equal(bytes, "some bytes");
}

/* A program may take the data and free it itself. */
static void test_data_taken_away(void **state)
{
	struct vaccel_blob blob;
	uint8_t *mine;

	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, "b", NULL, false),
			 VACCEL_OK);
	mine = blob.data;
	blob.data = NULL;
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	assert_memory_equal(mine, bytes, NR);

	assert_int_equal(vaccel_blob_init(&blob, file), VACCEL_OK);
	assert_int_equal(vaccel_blob_read(&blob), VACCEL_OK);
	blob.data = mine;
	blob.data_owned = true;
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
}

static void test_written_at_once(void **state)
{
	for (int own = 0; own < 2; own++) {
		char *path = path_in(dir, "made");
		struct vaccel_blob blob;
		struct stat st;

		assert_int_equal(
			vaccel_blob_init_from_buf(&blob, bytes, NR, own, "made", dir, false),
			VACCEL_OK);
		assert_int_equal(blob.type, VACCEL_BLOB_MAPPED);
		assert_string_equal(blob.name, "made");
		assert_string_equal(blob.path, path);
		assert_true(blob.path_owned);
		assert_true(blob.data_owned);
		assert_ptr_not_equal(blob.data, bytes);
		assert_memory_equal(blob.data, bytes, NR);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		/* The bytes are the file's. */
		blob.data[0] = 'S';
		assert_file_is(path, "Some bytes");
		assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
		assert_released(&blob);
		assert_false(vaccel_path_exists(path));
		free(path);
	}
}

static void test_a_taken_name_gets_an_ending(void **state)
{
	char *path = path_in(dir, "source.bin");
	struct vaccel_blob *blob;

	for (int randomize = 0; randomize < 2; randomize++) {
		const char *name = randomize ? "free" : "source.bin";

		assert_int_equal(vaccel_blob_from_buf(&blob, bytes, NR, true, name, dir, randomize),
				 VACCEL_OK);
		assert_int_equal(strncmp(blob->name, name, strlen(name)), 0);
		assert_true(strlen(blob->name) > strlen(name));
		assert_non_null(strstr(blob->path, blob->name));
		assert_true(vaccel_path_is_file(blob->path));
		assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
	}
	assert_int_equal(dir_count(dir), 1);
	assert_file_is(path, "some bytes");
	free(path);
}

static void test_persist(void **state)
{
	struct vaccel_blob blob;
	char *path = path_in(dir, "later");

	for (int own = 0; own < 2; own++) {
		assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, own, "b", NULL, false),
				 VACCEL_OK);
		assert_int_equal(vaccel_blob_persist(&blob, dir, "later", false), VACCEL_OK);
		assert_int_equal(blob.type, VACCEL_BLOB_MAPPED);
		assert_string_equal(blob.path, path);
		assert_string_equal(blob.name, "later");
		assert_true(blob.path_owned);
		assert_true(blob.data_owned);
		assert_ptr_not_equal(blob.data, bytes);
		assert_memory_equal(blob.data, bytes, NR);
		assert_int_equal(blob.size, NR);
		assert_file_is(path, "some bytes");
		assert_int_equal(vaccel_blob_persist(&blob, dir, "other", false), VACCEL_EEXIST);
		assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
		assert_int_equal(dir_count(dir), 1);
	}
	assert_int_equal(vaccel_blob_init(&blob, file), VACCEL_OK);
	assert_int_equal(vaccel_blob_persist(&blob, dir, "other", false), VACCEL_EEXIST);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	free(path);
}

static void test_persist_randomized(void **state)
{
	struct vaccel_blob blob;

	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, false, "b", NULL, false),
			 VACCEL_OK);
	assert_int_equal(vaccel_blob_persist(&blob, dir, "r", true), VACCEL_OK);
	assert_int_equal(strncmp(blob.name, "r.", 2), 0);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
}

static void test_persist_fails(void **state)
{
	struct vaccel_blob blob;

	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, false, "b", NULL, false),
			 VACCEL_OK);
	assert_int_equal(vaccel_blob_persist(NULL, dir, "x", false), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(&blob, NULL, "x", false), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(&blob, dir, NULL, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(&blob, dir, "../x", false), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(&blob, "/nowhere", "x", false), VACCEL_ENOENT);
	assert_int_equal(vaccel_blob_persist(&blob, "", "x", false), VACCEL_ENOENT);
	assert_int_equal(vaccel_blob_persist(&blob, dir, "sub/x", false), VACCEL_ENOENT);
	assert_int_equal(vaccel_blob_persist(&blob, file, "x", false), VACCEL_ENOTDIR);
	assert_int_equal(blob.type, VACCEL_BLOB_BUFFER);
	assert_ptr_equal(blob.data, bytes);
	assert_null(blob.path);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	assert_int_equal(dir_count(dir), 1);
}

static void test_bad_arguments(void **state)
{
	struct vaccel_blob blob, before, *p = NULL;

	memset(&before, 0x5a, sizeof(before));
	blob = before;
	assert_int_equal(vaccel_blob_init(NULL, file), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init(&blob, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init(&blob, ""), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init(&blob, "/no/such/file"), VACCEL_EINVAL);
	assert_string_equal(vaccel_error_text(), "there is no file '/no/such/file'");
	assert_int_equal(vaccel_blob_init(&blob, dir), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "is a directory"));
	assert_int_equal(vaccel_blob_init(&blob, "/dev/null"), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "no regular file"));
	assert_int_equal(vaccel_blob_new(NULL, file), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_new(&p, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_new(&p, "/no/such/file"), VACCEL_EINVAL);

	assert_int_equal(vaccel_blob_init_from_buf(NULL, bytes, NR, true, "x", NULL, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, NULL, NR, true, "x", dir, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, 0, true, "x", dir, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, NULL, dir, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, "", dir, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, "../x", NULL, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, "x", "/nowhere", false),
			 VACCEL_ENOENT);
	assert_int_equal(vaccel_blob_from_buf(NULL, bytes, NR, true, "x", NULL, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_from_buf(&p, bytes, NR, true, "x", "/nowhere", false),
			 VACCEL_ENOENT);
	assert_memory_equal(&blob, &before, sizeof(blob));
	assert_null(p);
}

static void test_released_or_null(void **state)
{
	struct vaccel_blob blob;
	size_t size = 42;

	assert_int_equal(vaccel_blob_init(&blob, file), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_delete(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_read(&blob), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_read(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_blob_persist(&blob, dir, "x", false), VACCEL_EINVAL);
	assert_null(vaccel_blob_data(&blob, &size));
	assert_null(vaccel_blob_data(NULL, &size));
	assert_int_equal(size, 42);
	assert_null(vaccel_blob_path(&blob));
	assert_null(vaccel_blob_path(NULL));
	assert_false(vaccel_blob_valid(&blob));
	assert_false(vaccel_blob_valid(NULL));
}

static void test_valid_needs_what_the_type_says(void **state)
{
	char name[] = "n", path[] = "/p";
	uint8_t data;

	assert_false(
		vaccel_blob_valid(&(struct vaccel_blob){.type = VACCEL_BLOB_FILE, .path = path}));
	assert_false(
		vaccel_blob_valid(&(struct vaccel_blob){.type = VACCEL_BLOB_FILE, .name = name}));
	assert_true(vaccel_blob_valid(
		&(struct vaccel_blob){.type = VACCEL_BLOB_FILE, .name = name, .path = path}));
	assert_false(vaccel_blob_valid(
		&(struct vaccel_blob){.type = VACCEL_BLOB_BUFFER, .name = name, .path = path}));
	assert_true(vaccel_blob_valid(
		&(struct vaccel_blob){.type = VACCEL_BLOB_BUFFER, .name = name, .data = &data}));
	assert_false(vaccel_blob_valid(
		&(struct vaccel_blob){.type = VACCEL_BLOB_MAPPED, .name = name, .data = &data}));
	assert_false(vaccel_blob_valid(
		&(struct vaccel_blob){.type = VACCEL_BLOB_MAPPED, .name = name, .path = path}));
	assert_false(vaccel_blob_valid(&(struct vaccel_blob){
		.type = (vaccel_blob_type_t)77, .name = name, .path = path, .data = &data}));
}

static void test_file_gone_before_it_is_read(void **state)
{
	char *path = file_new(dir, "short-lived", "x");
	struct vaccel_blob blob;

	assert_int_equal(vaccel_blob_init(&blob, path), VACCEL_OK);
	unlink(path);
	assert_int_equal(vaccel_blob_read(&blob), VACCEL_ENOENT);
	assert_null(vaccel_blob_data(&blob, NULL));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(vaccel_blob_read(&blob), VACCEL_EINVAL);
	assert_int_equal(blob.type, VACCEL_BLOB_FILE);
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	unlink(path);
	free(path);
}

/* What cannot be written whole leaves no file. */
static void test_no_room_for_the_file(void **state)
{
	struct rlimit before, none;
	struct vaccel_blob blob;
	int ret;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	ret = vaccel_blob_init_from_buf(&blob, bytes, NR, true, "x", dir, false);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(ret, VACCEL_EIO);
	assert_non_null(strstr(vaccel_error_text(), "cannot write"));
	assert_int_equal(dir_count(dir), 1);
}

static void test_a_forked_child_removes_nothing(void **state)
{
	struct vaccel_blob blob;
	int status;
	pid_t child;

	assert_int_equal(vaccel_blob_init_from_buf(&blob, bytes, NR, true, "kept", dir, false),
			 VACCEL_OK);
	child = fork();
	if (!child)
		_exit(vaccel_blob_release(&blob));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(vaccel_path_is_file(blob.path));
	assert_int_equal(vaccel_blob_release(&blob), VACCEL_OK);
	assert_int_equal(dir_count(dir), 1);
}

static void test_blob_write_keeps_the_buffer(void **state)
{
	struct vaccel_blob *blob;
	char *path = path_in(dir, "a/b/c");

	assert_int_equal(vaccel_blob_from_buf(&blob, bytes, NR, false, "a/b/c", NULL, false),
			 VACCEL_OK);
	assert_int_equal(blob_write(blob, dir), VACCEL_OK);
	assert_int_equal(blob->type, VACCEL_BLOB_BUFFER);
	assert_ptr_equal(blob->data, bytes);
	assert_string_equal(blob->path, path);
	assert_string_equal(blob->name, "a/b/c");
	assert_file_is(path, "some bytes");
	assert_int_equal(blob_write(blob, "/nowhere"), VACCEL_OK);
	assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
	assert_false(vaccel_path_exists(path));
	free(path);

	/* A file in the way of a folder. */
	assert_int_equal(vaccel_blob_from_buf(&blob, bytes, NR, false, "source.bin/c", NULL, false),
			 VACCEL_OK);
	assert_int_equal(blob_write(blob, dir), VACCEL_ENOTDIR);
	assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
}

static void test_file_names(void **state)
{
	static const char *const good[] = {"x", "sub/x", "..x", "a/..b/...", ".hidden"};
	static const char *const bad[] = {NULL, "",    "/",   "/x",   "x/",	"a//b", ".",
					  "..", "./x", "a/.", "../x", "a/../b", "a/.."};
	char huge[5000];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(file_name_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(file_name_valid(bad[i]));
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_false(file_name_valid(huge));
}

static int write_and_delete(void)
{
	struct vaccel_blob *blob;
	int ret = vaccel_blob_from_buf(&blob, bytes, NR, true, "x", dir, false);

	return ret ? ret : vaccel_blob_delete(blob);
}

static int copy_and_delete(const struct vaccel_blob *source)
{
	struct vaccel_blob *blob;
	int ret = blob_copy_file(&blob, source, dir);

	return ret ? ret : vaccel_blob_delete(blob);
}

static void test_no_memory(void **state)
{
	struct vaccel_blob *blob;

	NOMEM_SWEEP(vaccel_blob_new(&blob, file));
	NOMEM_SWEEP(copy_and_delete(blob));
	assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
	NOMEM_SWEEP(vaccel_blob_from_buf(&blob, bytes, NR, true, "x", NULL, false));
	assert_int_equal(vaccel_blob_delete(blob), VACCEL_OK);
	NOMEM_SWEEP(write_and_delete());
	assert_int_equal(dir_count(dir), 1);
}

static int read_and_delete(void)
{
	struct vaccel_blob *blob;
	int ret = vaccel_blob_new(&blob, file);

	if (!ret)
		ret = vaccel_blob_read(blob);
	return ret ? ret : vaccel_blob_delete(blob);
}

static void test_no_descriptor_and_no_mapping_is_left(void **state)
{
	int before = descriptors(), mapped = mappings();

	for (int i = 0; i < 20; i++) {
		assert_int_equal(read_and_delete(), VACCEL_OK);
		assert_int_equal(write_and_delete(), VACCEL_OK);
	}
	assert_int_equal(descriptors(), before);
	/* The allocator may have taken a little more. */
	assert_true(mappings() < mapped + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_types),
		cmocka_unit_test_setup_teardown(test_from_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_data_reads_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_empty_file, setup, teardown),
		cmocka_unit_test(test_owned_and_borrowed),
		cmocka_unit_test_setup_teardown(test_data_taken_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_taken_name_gets_an_ending, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persist, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persist_randomized, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persist_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_released_or_null, setup, teardown),
		cmocka_unit_test(test_valid_needs_what_the_type_says),
		cmocka_unit_test_setup_teardown(test_file_gone_before_it_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_forked_child_removes_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_blob_write_keeps_the_buffer, setup, teardown),
		cmocka_unit_test(test_file_names),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptor_and_no_mapping_is_left, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
