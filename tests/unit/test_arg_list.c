// SPDX-License-Identifier: Apache-2.0
/* The deprecated list of arguments, used as programs use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "nomem.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Bytes of a string, without its NUL; nothing for an empty one. */
static void *string_to_bytes(void *string, uint32_t *size)
{
	*size = (uint32_t)strlen(string);
	return strdup(string);
}

static void *make_nothing(void *string, uint32_t *size)
{
	*size = 4;
	return NULL;
}

static void *bytes_to_string(void *bytes, uint32_t size)
{
	char *string = calloc(1, size + 1U);

	memcpy(string, bytes, size);
	return string;
}

static void test_serial(void **state)
{
	struct vaccel_arg_list *read = vaccel_args_init(2), *write = vaccel_args_init(1);
	int32_t in = 15, output = 0, answer = 30;

	assert_int_equal(read->size, 2);
	assert_non_null(read->list);
	assert_int_equal(vaccel_add_serial_arg(read, &in, sizeof(in)), VACCEL_OK);
	assert_int_equal(read->curr_idx, 1);
	assert_ptr_equal(read->list[0].buf, &in);
	assert_int_equal(read->list[0].size, sizeof(in));
	assert_int_equal(read->list[0].type, VACCEL_ARG_RAW);
	assert_int_equal(vaccel_add_serial_arg(read, &in, sizeof(in)), VACCEL_OK);
	assert_int_equal(vaccel_add_serial_arg(read, &in, sizeof(in)), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_serial_arg(write, &output, sizeof(output)), VACCEL_OK);

	assert_ptr_equal(vaccel_extract_serial_arg(read->list, 1), &in);
	assert_int_equal(vaccel_write_serial_arg(write->list, 0, &answer), VACCEL_OK);
	assert_int_equal(output, 30);
	assert_ptr_equal(vaccel_extract_serial_arg(write->list, 0), &output);
	assert_int_equal(vaccel_delete_args(read), VACCEL_OK);
	assert_int_equal(vaccel_delete_args(write), VACCEL_OK);
}

static void test_nonserial(void **state)
{
	struct vaccel_arg_list *read = vaccel_args_init(1), *write = vaccel_args_init(1);
	char in[] = "something", *out;

	assert_int_equal(vaccel_add_nonserial_arg(read, in, 0, string_to_bytes), VACCEL_OK);
	assert_ptr_not_equal(read->list[0].buf, in);
	assert_int_equal(read->list[0].size, 9);
	assert_int_equal(vaccel_expect_nonserial_arg(write, 20), VACCEL_OK);
	assert_int_equal(write->list[0].size, 20);
	assert_false(write->list[0].owned);

	assert_int_equal(vaccel_write_nonserial_arg(write->list, 0, in, string_to_bytes),
			 VACCEL_OK);
	assert_int_equal(write->list[0].size, 20);
	out = vaccel_extract_nonserial_arg(write->list, 0, bytes_to_string);
	assert_string_equal(out, in);
	free(out);
	assert_int_equal(vaccel_delete_args(read), VACCEL_OK);
	assert_int_equal(vaccel_delete_args(write), VACCEL_OK);
}

/* Go programs give a buffer to the list so. */
static void test_a_program_may_hand_over_a_buffer(void **state)
{
	struct vaccel_arg_list *args = vaccel_args_init(2);

	assert_int_equal(vaccel_add_serial_arg(args, strdup("text"), 4), VACCEL_OK);
	args->idcs_allocated_space[args->curr_idx - 1] = 1;
	assert_int_equal(vaccel_delete_args(args), VACCEL_OK);
}

static void test_an_empty_list(void **state)
{
	struct vaccel_arg_list *args = vaccel_args_init(0);
	char byte = 0;

	assert_int_equal(args->size, 0);
	assert_non_null(args->list);
	assert_int_equal(vaccel_add_serial_arg(args, &byte, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_nonserial_arg(args, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_delete_args(args), VACCEL_OK);
}

static void test_nonsense(void **state)
{
	struct vaccel_arg_list *args = vaccel_args_init(4), hollow = {.size = 1};
	char byte = 1, empty[] = "", text[] = "long text";

	assert_int_equal(vaccel_delete_args(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_delete_args(&hollow), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(NULL, &byte, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(&hollow, &byte, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(args, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(args, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(args, &byte, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_serial_arg(args, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(NULL, text, 0, string_to_bytes), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(args, NULL, 0, string_to_bytes), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(args, text, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(args, empty, 0, string_to_bytes), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_nonserial_arg(args, text, 0, make_nothing), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_nonserial_arg(args, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_expect_nonserial_arg(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(args->curr_idx, 0);

	assert_null(vaccel_extract_serial_arg(NULL, 0));
	assert_null(vaccel_extract_serial_arg(args->list, -1));
	assert_null(vaccel_extract_nonserial_arg(NULL, 0, bytes_to_string));
	assert_null(vaccel_extract_nonserial_arg(args->list, -1, bytes_to_string));
	assert_null(vaccel_extract_nonserial_arg(args->list, 0, NULL));
	assert_int_equal(vaccel_write_serial_arg(NULL, 0, &byte), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_serial_arg(args->list, -1, &byte), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_serial_arg(args->list, 0, &byte), VACCEL_EINVAL);
	assert_int_equal(vaccel_add_serial_arg(args, &byte, 1), VACCEL_OK);
	assert_int_equal(vaccel_write_serial_arg(args->list, 0, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(args->list, 0, text, string_to_bytes),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(args->list, 0, text, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_write_nonserial_arg(args->list, 0, empty, string_to_bytes),
			 VACCEL_EINVAL);
	assert_int_equal(byte, 1);
	assert_int_equal(vaccel_delete_args(args), VACCEL_OK);
}

static int init_and_expect(void)
{
	struct vaccel_arg_list *args = vaccel_args_init(1);
	int ret = args ? vaccel_expect_nonserial_arg(args, 8) : VACCEL_ENOMEM;

	if (args)
		vaccel_delete_args(args);
	return ret;
}

static void test_no_memory(void **state)
{
	NOMEM_SWEEP(init_and_expect());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_nonserial),
		cmocka_unit_test(test_a_program_may_hand_over_a_buffer),
		cmocka_unit_test(test_an_empty_list),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
