/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the torch plugin. Whatever goes wrong in here fails the test. */
#ifndef TESTS_TORCH_SUPPORT_H
#define TESTS_TORCH_SUPPORT_H

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

#define MODEL(name) MODELS "/" name ".pt"

/* For each test: the plugin loaded anew, and a session. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The test's session. */
extern struct vaccel_session session;

/* The plugin is loaded anew, as after a change of knobs; the code of that. */
int reload(void);

/* What the plugin reports under @key; valid until the next call. */
const char *reported(const char *key);

/* A MODEL of a path, registered with the test's session. */
void open_model(struct vaccel_resource *model, const char *path);
void close_model(struct vaccel_resource *model);

/* A file's bytes; the caller frees. */
void *read_file(const char *path, size_t *ret_size);

/* A tensor in memory of the test's own: its dimensions end in -1. */
struct vaccel_torch_tensor tensor(enum vaccel_torch_data_type type, void *data, size_t size,
				  int64_t *dims);

#define DIMS(...)               \
	(int64_t[])             \
	{                       \
		__VA_ARGS__, -1 \
	}

/* One of floats, in one dimension. */
#define FLOATS(...)                                                                        \
	tensor(VACCEL_TORCH_FLOAT, (float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}), \
	       DIMS(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

/* Runs a model with one input and one output. */
int run(struct vaccel_session *sess, struct vaccel_resource *model,
	const struct vaccel_torch_tensor *in, struct vaccel_torch_tensor **ret_out);

/* That an output is of that type and shape, and has that data; it is deleted. */
void check_output(struct vaccel_torch_tensor *out, enum vaccel_torch_data_type type,
		  const int64_t *dims, const void *data, size_t size);

/* That a call fails so, and says so, in one line. */
#define assert_fails(call, code, words)                                                 \
	do {                                                                            \
		assert_int_equal(call, code);                                           \
		if (!strstr(vaccel_error_text(), words))                                \
			fail_msg("'%s' does not say '%s'", vaccel_error_text(), words); \
		assert_null(strchr(vaccel_error_text(), '\n'));                         \
	} while (0)

#endif
