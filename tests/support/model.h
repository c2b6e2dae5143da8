/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of plugins that run models. Whatever goes wrong in here fails the test. */
#ifndef TESTS_SUPPORT_MODEL_H
#define TESTS_SUPPORT_MODEL_H

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

/* The test's session. */
extern struct vaccel_session session;

/* What the plugin reports under @key; valid until the next call. */
const char *reported(const char *key);

/* A MODEL of a path, registered with the test's session. */
void open_model(struct vaccel_resource *model, const char *path);
void close_model(struct vaccel_resource *model);

/* A file's bytes, and a NUL; the caller frees. */
void *read_file(const char *path, size_t *ret_size);

/* That a call fails so, and says so, in one line. */
#define assert_fails(call, code, words)                                                 \
	do {                                                                            \
		assert_int_equal(call, code);                                           \
		if (!strstr(vaccel_error_text(), words))                                \
			fail_msg("'%s' does not say '%s'", vaccel_error_text(), words); \
		assert_null(strchr(vaccel_error_text(), '\n'));                         \
	} while (0)

#endif
