/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conformance suite of backends: what any plugin, here or behind any carrier,
 * must do with each operation. Which one is asked is the environment's affair
 * (VACCEL_PLUGINS, VACCEL_RPC_ADDRESS); the suite sees a session and nothing else.
 */
#ifndef TESTS_CONFORM_CONFORM_H
#define TESTS_CONFORM_CONFORM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel.h>

/* The session under test. */
extern struct vaccel_session conform_sess;

/* Whether results are those of the operation; else only their shapes are, as the noop plugin's. */
extern bool conform_computes;

/* A library with the functions of tests/support/functions.c, where the work is done; or NULL. */
extern const char *conform_library;

/* The directory that gather_models.py made; or NULL. */
extern const char *conform_models;

/* Whether its models are the default ones of the backend, for pictures. */
extern bool conform_pictures;

/*
 * Ends the test as skipped if a well-formed call returned VACCEL_ENOTSUP, unless
 * the operation was promised on the command line. It must say so in words.
 */
void skip_unless_offered(int ret, const char *op);

/* A number from least to most, of a sequence that --seed starts. */
int64_t random_between(int64_t least, int64_t most);

/* One of the small numbers with fractions that floats hold exactly. */
float random_float(void);

/* The call refused its arguments, and says why. */
#define assert_refused(call)                                      \
	do {                                                      \
		assert_int_equal(call, VACCEL_EINVAL);            \
		assert_string_not_equal(vaccel_error_text(), ""); \
	} while (0)

extern const struct CMUnitTest number_tests[];
extern const size_t nr_number_tests;
extern const struct CMUnitTest model_tests[];
extern const size_t nr_model_tests;
extern const struct CMUnitTest picture_tests[];
extern const size_t nr_picture_tests;
extern const struct CMUnitTest pair_tests[];
extern const size_t nr_pair_tests;
extern const struct CMUnitTest exec_tests[];
extern const size_t nr_exec_tests;

#endif
