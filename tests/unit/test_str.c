// SPDX-License-Identifier: Apache-2.0
/* Strings in lower case. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/utils/str.h>

#include "nomem.h"

static void test_into_a_buffer(void **state)
{
	char out[16];

	assert_int_equal(vaccel_str_to_lower("Hello, WORLD [@Z`]", out, sizeof(out), NULL),
			 VACCEL_OK);
	assert_string_equal(out, "hello, world [@");
	assert_int_equal(vaccel_str_to_lower("HELLO", out, 6, NULL), VACCEL_OK);
	assert_string_equal(out, "hello");
	assert_int_equal(vaccel_str_to_lower("HELLO", out, 1, NULL), VACCEL_OK);
	assert_string_equal(out, "");
	assert_int_equal(vaccel_str_to_lower("", out, sizeof(out), NULL), VACCEL_OK);
	assert_string_equal(out, "");
}

static void test_only_as_far_as_needed(void **state)
{
	char out[8] = "xxxxxxx";

	assert_int_equal(vaccel_str_to_lower("AB", out, sizeof(out), NULL), VACCEL_OK);
	assert_memory_equal(out, "ab\0xxxx", 8);
}

static void test_other_bytes_are_kept(void **state)
{
	char out[16];

	assert_int_equal(vaccel_str_to_lower("\xc3\x84\xff[{", out, sizeof(out), NULL), VACCEL_OK);
	assert_string_equal(out, "\xc3\x84\xff[{");
}

static void test_allocated(void **state)
{
	char *copy = NULL, unused = 'x';

	assert_int_equal(vaccel_str_to_lower("LONG and Short", NULL, 0, &copy), VACCEL_OK);
	assert_string_equal(copy, "long and short");
	free(copy);
	assert_int_equal(vaccel_str_to_lower("AB", &unused, 1, &copy), VACCEL_OK);
	assert_string_equal(copy, "ab");
	assert_int_equal(unused, 'x');
	free(copy);
}

static void test_nonsense(void **state)
{
	char out[4] = "abc", *copy = out;

	assert_int_equal(vaccel_str_to_lower(NULL, out, sizeof(out), NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower("X", NULL, 4, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower("X", out, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_str_to_lower(NULL, NULL, 0, &copy), VACCEL_EINVAL);
	assert_string_equal(out, "abc");
	assert_ptr_equal(copy, out);
}

static void test_no_memory(void **state)
{
	char *copy = NULL;

	NOMEM_SWEEP(vaccel_str_to_lower("ABC", NULL, 0, &copy));
	assert_string_equal(copy, "abc");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_into_a_buffer),
		cmocka_unit_test(test_only_as_far_as_needed),
		cmocka_unit_test(test_other_bytes_are_kept),
		cmocka_unit_test(test_allocated),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
