// SPDX-License-Identifier: Apache-2.0
/* Strings in lower case, and fit to be shown. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static void assert_printable(const char *text, const char *expected)
{
	char copy[64];

	strcpy(copy, text);
	vaccel_str_make_printable(copy);
	assert_string_equal(copy, expected);
}

static void test_printable(void **state)
{
	vaccel_str_make_printable(NULL);
	assert_printable("", "");
	assert_printable(" plain ~", " plain ~");
	assert_printable("a\033[2Jb\r\n\tc\177", "a?[2Jb???c?");
	assert_printable("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa2",
			 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa2");
	/* Half a pair, and what is beyond the last character. */
	assert_printable("\xed\xa0\x80 \xed\x9f\xbf", "??? \xed\x9f\xbf");
	assert_printable("\xf4\x90\x80\x80 \xf4\x8f\xbf\xbf", "???? \xf4\x8f\xbf\xbf");
	/* Control characters above 127, alone and in UTF-8; a no-break space is none. */
	assert_printable("\x9b"
			 "2J",
			 "?2J");
	assert_printable("\xc2\x9b"
			 "2J",
			 "??2J");
	assert_printable("\xc2\xa0", "\xc2\xa0");
	/* ESC written longer than it need be, bytes too many, cut short, and beyond Unicode. */
	assert_printable("\xc0\x9b \xe0\x80\x9b \xf0\x80\x80\x9b", "?? ??? ????");
	assert_printable("\x80", "?");
	assert_printable("\xe2\x82", "??");
	assert_printable("\xf5\x80\x80\x80", "????");
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
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
