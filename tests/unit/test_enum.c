// SPDX-License-Identifier: Apache-2.0
/* Names of enums: of one made here with gaps, and of the types of arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>
#include <vaccel/utils/enum.h>

#define FRUIT_LIST(X)        \
	X(FRUIT_APPLE, 1)    \
	X(FRUIT_RED_PEAR, 2) \
	X(FRUIT_FIG, 0x40)

VACCEL_ENUM_DECLARE(fruit, FRUIT, FRUIT_LIST)
VACCEL_ENUM_NAMES_DEFINE(fruit, FRUIT, FRUIT_LIST)

static void test_names(void **state)
{
	char buf[VACCEL_ENUM_STR_MAX];

	assert_string_equal(fruit_to_str(FRUIT_APPLE), "FRUIT_APPLE");
	assert_string_equal(fruit_to_base_str(FRUIT_RED_PEAR), "RED_PEAR");
	assert_ptr_equal(fruit_name(FRUIT_RED_PEAR, buf, sizeof(buf)), buf);
	assert_string_equal(buf, "red_pear");
	assert_int_equal(FRUIT_MAX, 0x41);
	assert_int_equal(VACCEL_ENUM_STR_MAX, 128);
}

static void test_unknown_numbers_and_gaps_read_as_max(void **state)
{
	static const int unknown[] = {-1, 0, 3, 0x3f, FRUIT_MAX, 0x7fffffff};
	char buf[VACCEL_ENUM_STR_MAX];

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_string_equal(fruit_to_str((fruit_t)unknown[i]), "FRUIT_MAX");
		assert_string_equal(fruit_to_base_str((fruit_t)unknown[i]), "MAX");
		assert_string_equal(fruit_name((fruit_t)unknown[i], buf, sizeof(buf)), "max");
	}
}

static void test_a_name_is_cut_and_always_ends(void **state)
{
	char buf[6] = "?????";

	assert_ptr_equal(fruit_name(FRUIT_FIG, buf, 3), buf);
	assert_memory_equal(buf, "fi\0??", 6);
	assert_ptr_equal(fruit_name(FRUIT_FIG, buf, 1), buf);
	assert_memory_equal(buf, "\0i\0??", 6);
	assert_ptr_equal(fruit_name(FRUIT_FIG, buf, 0), buf);
	assert_memory_equal(buf, "\0i\0??", 6);
	assert_null(fruit_name(FRUIT_FIG, NULL, 3));
}

/* The numbers that API.md fixes: pairs T, T_ARRAY from 1 on. */
static void test_types_of_arguments(void **state)
{
	static const char *const scalars[] = {"INT8",	"INT16",  "INT32",  "INT64",   "UINT8",
					      "UINT16", "UINT32", "UINT64", "FLOAT32", "FLOAT64",
					      "BOOL",	"CHAR",	  "UCHAR"};
	static const char *const last[] = {"STRING", "BUFFER", "CUSTOM", "MAX", "MAX"};
	char expected[64];
	int number = 1;

	assert_string_equal(vaccel_arg_type_to_str(VACCEL_ARG_RAW), "VACCEL_ARG_RAW");
	assert_int_equal(VACCEL_ARG_RAW, 0);
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		assert_string_equal(vaccel_arg_type_to_base_str((vaccel_arg_type_t)number++),
				    scalars[i]);
		strcpy(expected, scalars[i]);
		strcat(expected, "_ARRAY");
		assert_string_equal(vaccel_arg_type_to_base_str((vaccel_arg_type_t)number++),
				    expected);
	}
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		assert_string_equal(vaccel_arg_type_to_base_str((vaccel_arg_type_t)number++),
				    last[i]);
	assert_int_equal(VACCEL_ARG_MAX, VACCEL_ARG_CUSTOM + 1);
	assert_string_equal(vaccel_arg_type_name(VACCEL_ARG_FLOAT32_ARRAY, expected, 64),
			    "float32_array");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown_numbers_and_gaps_read_as_max),
		cmocka_unit_test(test_a_name_is_cut_and_always_ends),
		cmocka_unit_test(test_types_of_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
