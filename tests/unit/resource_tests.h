/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of resources share: two sessions, a few files, and a look at
 * the end whether a resource or a file is left.
 */
#ifndef TESTS_UNIT_RESOURCE_TESTS_H
#define TESTS_UNIT_RESOURCE_TESTS_H

#include <vaccel/core.h>
#include <vaccel/resource.h>
#include <vaccel/session.h>

#include "file/rundir.h"
#include "files.h"
#include "nomem.h"
#include "object/resource.h"

#define TEXT "what it holds"
#define NR   (sizeof(TEXT) - 1)

#define DATA  VACCEL_RESOURCE_DATA
#define LIB   VACCEL_RESOURCE_LIB
#define MODEL VACCEL_RESOURCE_MODEL

static char *dir, *file, *other, *folder;
static struct vaccel_session sess, second;
static uint8_t buf[] = TEXT;

static inline int start(void **state)
{
	struct vaccel_config config = {.plugins = (char *)"noop", .log_level = VACCEL_LOG_ERROR};

	return vaccel_bootstrap_with_config(&config);
}

static inline int stop(void **state)
{
	return vaccel_cleanup();
}

static inline int setup(void **state)
{
	dir = dir_new();
	setenv("XDG_RUNTIME_DIR", dir, 1);
	file = file_new(dir, "one.bin", TEXT);
	other = file_new(dir, "two.bin", "");
	folder = path_in(dir, "folder");
	assert_int_equal(mkdir(folder, 0700), 0);
	memcpy(buf, TEXT, NR);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&second, 0), VACCEL_OK);
	return 0;
}

/* No test leaves a resource, or a file. */
static inline int teardown(void **state)
{
	struct vaccel_resource *left;

	for (int type = 0; type < VACCEL_RESOURCE_MAX; type++)
		assert_int_equal(vaccel_resource_get_by_type(&left, (vaccel_resource_type_t)type),
				 VACCEL_ENOENT);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	assert_int_equal(vaccel_session_release(&second), VACCEL_OK);
	if (rundir_path())
		assert_int_equal(dir_count(rundir_path()), 0);
	rundir_cleanup();
	free(file);
	free(other);
	free(folder);
	dir_remove(dir);
	return 0;
}

static inline void fill_folder(void)
{
	dir_make(folder, "sub");
	dir_make(folder, "sub/deep");
	dir_make(folder, "bare");
	free(file_new(folder, "z", "last"));
	free(file_new(folder, "sub/deep/x", "deep"));
	free(file_new(folder, "sub/a", "sub"));
	free(file_new(folder, ".hidden", ""));
}

static inline void assert_all_zero(const struct vaccel_resource *res)
{
	static const struct vaccel_resource zero;

	assert_memory_equal(res, &zero, sizeof(zero));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
