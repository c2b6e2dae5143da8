/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the onnx plugin. Whatever goes wrong in here fails the test. */
#ifndef TESTS_ONNX_SUPPORT_H
#define TESTS_ONNX_SUPPORT_H

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
#include <vaccel/plugin.h>

#define DIGITS_MODEL DIGITS "/model.onnx"

/*
 * For each test: a directory of its own, the plugin loaded anew, a session. The
 * log goes to a file in the directory.
 */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The test's session. */
extern struct vaccel_session session;

/* The plugin is loaded anew, as after a change of knobs. */
void reload(void);

/* The path of @name in the test's directory; valid until the next call but three. */
const char *path_in(const char *name);

/* Makes a directory in the test's own, and gives its path. */
const char *make_dir(const char *name);

void write_file(const char *path, const void *data, size_t size);
void write_text(const char *path, const char *text);
void copy_file(const char *from, const char *to);

/* A file's bytes; the caller frees. */
void *read_file(const char *path, size_t *ret_size);

/* How often @text is in the log. */
size_t count_in_log(const char *text);

/* How often a model was loaded so far. */
size_t count_loads(void);

/* What the plugin reports under @key; valid until the next call. */
const char *reported(const char *key);

/* A MODEL of a path, registered with the test's session. */
void open_model(struct vaccel_resource *model, const char *path);
void close_model(struct vaccel_resource *model);

/* That a call fails so, and says so. */
#define assert_fails(call, code, words)                                                 \
	do {                                                                            \
		assert_int_equal(call, code);                                           \
		if (!strstr(vaccel_error_text(), words))                                \
			fail_msg("'%s' does not say '%s'", vaccel_error_text(), words); \
	} while (0)

/* A picture of one colour, 1×1, in PNG; the caller frees. @channel: 0 red, 1 green, 2 blue, 3 black */
void *colour(int channel, size_t *ret_size);

#endif
