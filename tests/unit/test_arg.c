// SPDX-License-Identifier: Apache-2.0
/* One argument: copied, zeroed, empty, borrowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "nomem.h"

static void assert_released(const struct vaccel_arg *arg)
{
	assert_null(arg->buf);
	assert_int_equal(arg->size, 0);
	assert_int_equal(arg->type, VACCEL_ARG_MAX);
	assert_int_equal(arg->custom_type_id, 0);
	assert_false(arg->owned);
}

static void test_init_copies(void **state)
{
	int32_t value = 7;
	struct vaccel_arg arg;

	assert_int_equal(vaccel_arg_init(&arg, &value, sizeof(value), VACCEL_ARG_CUSTOM, 42),
			 VACCEL_OK);
	assert_ptr_not_equal(arg.buf, &value);
	assert_memory_equal(arg.buf, &value, sizeof(value));
	assert_int_equal(arg.size, sizeof(value));
	assert_int_equal(arg.type, VACCEL_ARG_CUSTOM);
	assert_int_equal(arg.custom_type_id, 42);
	assert_true(arg.owned);
	assert_int_equal(vaccel_arg_release(&arg), VACCEL_OK);
	assert_released(&arg);
	assert_int_equal(vaccel_arg_release(&arg), VACCEL_OK);
}

static void test_init_zeroes_without_a_buffer(void **state)
{
	static const char zeros[100];
	struct vaccel_arg arg;

	assert_int_equal(vaccel_arg_init(&arg, NULL, sizeof(zeros), VACCEL_ARG_BUFFER, 0),
			 VACCEL_OK);
	assert_memory_equal(arg.buf, zeros, sizeof(zeros));
	assert_int_equal(arg.size, sizeof(zeros));
	assert_true(arg.owned);
	assert_int_equal(vaccel_arg_release(&arg), VACCEL_OK);
}

static void test_empty(void **state)
{
	struct vaccel_arg arg;

	assert_int_equal(vaccel_arg_init(&arg, NULL, 0, VACCEL_ARG_RAW, 0), VACCEL_OK);
	assert_null(arg.buf);
	assert_int_equal(arg.size, 0);
	assert_int_equal(arg.type, VACCEL_ARG_RAW);
	assert_true(arg.owned);
	assert_int_equal(vaccel_arg_release(&arg), VACCEL_OK);

	assert_int_equal(vaccel_arg_init_from_buf(&arg, NULL, 0, VACCEL_ARG_RAW, 0), VACCEL_OK);
	assert_null(arg.buf);
	assert_false(arg.owned);
	assert_int_equal(vaccel_arg_release(&arg), VACCEL_OK);
}

static void test_from_buf_borrows(void **state)
{
	int32_t value = 7;
	struct vaccel_arg arg, *made = NULL;

	assert_int_equal(vaccel_arg_init_from_buf(&arg, &value, sizeof(value), VACCEL_ARG_INT32, 0),
			 VACCEL_OK);
	assert_ptr_equal(arg.buf, &value);
	assert_int_equal(arg.size, sizeof(value));
	assert_int_equal(arg.type, VACCEL_ARG_INT32);
	assert_false(arg.owned);
	assert_int_equal(vaccel_arg_release(&arg), VACCEL_OK);
	assert_released(&arg);

	assert_int_equal(vaccel_arg_from_buf(&made, &value, sizeof(value), VACCEL_ARG_CUSTOM, 9),
			 VACCEL_OK);
	assert_ptr_equal(made->buf, &value);
	assert_int_equal(made->custom_type_id, 9);
	assert_int_equal(vaccel_arg_delete(made), VACCEL_OK);
	assert_int_equal(value, 7);
}

static void test_new_and_delete(void **state)
{
	const char text[] = "text";
	struct vaccel_arg *arg = NULL;

	assert_int_equal(vaccel_arg_new(&arg, text, sizeof(text), VACCEL_ARG_STRING, 0), VACCEL_OK);
	assert_string_equal(arg->buf, text);
	assert_true(arg->owned);
	assert_int_equal(vaccel_arg_delete(arg), VACCEL_OK);
}

static void test_nonsense_changes_nothing(void **state)
{
	int32_t value = 7;
	struct vaccel_arg arg, before, *made = &arg;

	memset(&arg, 0x5a, sizeof(arg));
	before = arg;
	assert_int_equal(vaccel_arg_init(NULL, &value, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init(&arg, &value, 0, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init(&arg, &value, 4, VACCEL_ARG_MAX, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init(&arg, &value, 4, (vaccel_arg_type_t)-1, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init_from_buf(NULL, &value, 4, VACCEL_ARG_RAW, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init_from_buf(&arg, &value, 0, VACCEL_ARG_RAW, 0),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init_from_buf(&arg, NULL, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_init_from_buf(&arg, &value, 4, VACCEL_ARG_MAX, 0),
			 VACCEL_EINVAL);
	assert_memory_equal(&arg, &before, sizeof(arg));

	assert_int_equal(vaccel_arg_new(NULL, &value, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_new(&made, &value, 0, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_from_buf(NULL, &value, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_from_buf(&made, NULL, 4, VACCEL_ARG_RAW, 0), VACCEL_EINVAL);
	assert_ptr_equal(made, &arg);
	assert_int_equal(vaccel_arg_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_delete(NULL), VACCEL_EINVAL);
	assert_string_not_equal(vaccel_error_text(), "");
}

static void test_no_memory(void **state)
{
	int32_t value = 7;
	struct vaccel_arg *arg = NULL;

	NOMEM_SWEEP(vaccel_arg_new(&arg, &value, sizeof(value), VACCEL_ARG_INT32, 0));
	vaccel_arg_delete(arg);
	NOMEM_SWEEP(vaccel_arg_new(&arg, NULL, sizeof(value), VACCEL_ARG_INT32, 0));
	vaccel_arg_delete(arg);
	NOMEM_SWEEP(vaccel_arg_from_buf(&arg, &value, sizeof(value), VACCEL_ARG_INT32, 0));
	vaccel_arg_delete(arg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_copies),
		cmocka_unit_test(test_init_zeroes_without_a_buffer),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_from_buf_borrows),
		cmocka_unit_test(test_new_and_delete),
		cmocka_unit_test(test_nonsense_changes_nothing),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
