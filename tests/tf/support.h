/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the tf plugin. Whatever goes wrong in here fails the test. */
#ifndef TESTS_TF_SUPPORT_H
#define TESTS_TF_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel.h>

#define MODEL(name) MODELS "/" name ".pb"

/* For each test: the plugin loaded anew, and a session. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The test's session. */
extern struct vaccel_session session;

/* The plugin is loaded anew, as after a change of knobs; or the one that VACCEL_PLUGINS names. */
void reload(void);

/* What the plugin reports under @key; valid until the next call. */
const char *reported(const char *key);

/* A MODEL of a path, registered with the test's session. */
void open_model(struct vaccel_resource *model, const char *path);
void close_model(struct vaccel_resource *model);

/* A file's bytes; the caller frees. */
void *read_file(const char *path, size_t *ret_size);

/* A tensor in memory of the test's own: its dimensions end in -1. */
struct vaccel_tf_tensor tensor(enum vaccel_tf_data_type type, void *data, size_t size,
			       int64_t *dims);

#define DIMS(...)               \
	(int64_t[])             \
	{                       \
		__VA_ARGS__, -1 \
	}

/* That an output is of that type and shape, and has that data; it is deleted. */
void check_output(struct vaccel_tf_tensor *out, enum vaccel_tf_data_type type, const int64_t *dims,
		  const void *data, size_t size);

/* That a call fails so, and says so. */
#define assert_fails(call, code, words)                                                 \
	do {                                                                            \
		assert_int_equal(call, code);                                           \
		if (!strstr(vaccel_error_text(), words))                                \
			fail_msg("'%s' does not say '%s'", vaccel_error_text(), words); \
	} while (0)

#endif
