// SPDX-License-Identifier: Apache-2.0
/* Arrays of arguments themselves: life, growth, position, ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/arg.h>
#include <vaccel/error.h>

#include "nomem.h"

static int32_t values[32];

/* An array of @count INT32 arguments, each of its own element of values. */
static void make(struct vaccel_arg_array *array, size_t count)
{
	assert_int_equal(vaccel_arg_array_init(array, 0), VACCEL_OK);
	for (size_t i = 0; i < count; i++) {
		values[i] = (int32_t)i;
		assert_int_equal(vaccel_arg_array_add_int32(array, &values[i]), VACCEL_OK);
	}
}

static void test_init_and_release(void **state)
{
	struct vaccel_arg_array array;

	assert_int_equal(vaccel_arg_array_init(&array, 0), VACCEL_OK);
	assert_non_null(array.args);
	assert_int_equal(array.count, 0);
	assert_int_equal(array.capacity, 8);
	assert_int_equal(array.position, 0);
	assert_true(array.owned);
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_OK);
	assert_null(array.args);
	assert_int_equal(array.count, 0);
	assert_int_equal(array.capacity, 0);
	assert_int_equal(array.position, 0);
	assert_false(array.owned);
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_OK);

	assert_int_equal(vaccel_arg_array_init(&array, 3), VACCEL_OK);
	assert_int_equal(array.capacity, 3);
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_OK);
}

static void test_new_and_delete(void **state)
{
	struct vaccel_arg_array *array = NULL;

	assert_int_equal(vaccel_arg_array_new(&array, 1), VACCEL_OK);
	assert_int_equal(array->capacity, 1);
	assert_int_equal(vaccel_arg_array_delete(array), VACCEL_OK);
}

static void test_it_doubles(void **state)
{
	static const size_t capacities[] = {1, 2, 4, 4, 8, 8, 8, 8, 16};
	struct vaccel_arg_array array;
	int32_t value = 1;

	assert_int_equal(vaccel_arg_array_init(&array, 1), VACCEL_OK);
	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		assert_int_equal(vaccel_arg_array_add_int32(&array, &value), VACCEL_OK);
		assert_int_equal(array.count, i + 1);
		assert_int_equal(array.capacity, capacities[i]);
	}
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_OK);
}

static void test_wrap(void **state)
{
	int32_t value = 5;
	struct vaccel_arg args[2];
	struct vaccel_arg_array array;

	for (size_t i = 0; i < 2; i++)
		vaccel_arg_init(&args[i], &value, sizeof(value), VACCEL_ARG_INT32, 0);
	assert_int_equal(vaccel_arg_array_wrap(&array, args, 2), VACCEL_OK);
	assert_ptr_equal(array.args, args);
	assert_int_equal(array.count, 2);
	assert_int_equal(array.capacity, 2);
	assert_int_equal(array.position, 0);
	assert_false(array.owned);

	assert_int_equal(vaccel_arg_array_add_int32(&array, &value), VACCEL_ERANGE);
	assert_int_equal(array.count, 2);
	value = 0;
	assert_int_equal(vaccel_arg_array_get_int32(&array, &value), VACCEL_OK);
	assert_int_equal(value, 5);

	/* The arguments are the caller's, and outlive the array. */
	assert_int_equal(vaccel_arg_array_release(&array), VACCEL_OK);
	assert_null(array.args);
	assert_int_equal(*(int32_t *)args[1].buf, 5);
	for (size_t i = 0; i < 2; i++)
		vaccel_arg_release(&args[i]);

	assert_int_equal(vaccel_arg_array_wrap(&array, NULL, 0), VACCEL_OK);
	assert_int_equal(vaccel_arg_array_get_int32(&array, &value), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_wrap(&array, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_wrap(NULL, args, 2), VACCEL_EINVAL);
}

static void test_clear_keeps_the_room(void **state)
{
	struct vaccel_arg_array array, copy;
	struct vaccel_arg *args;
	int32_t value;

	make(&array, 3);
	assert_int_equal(vaccel_arg_array_init(&copy, 3), VACCEL_OK);
	assert_int_equal(vaccel_arg_array_add_all(&copy, &array, true), VACCEL_OK);
	assert_int_equal(vaccel_arg_array_get_int32(&copy, &value), VACCEL_OK);
	args = copy.args;
	vaccel_arg_array_clear(&copy);
	assert_ptr_equal(copy.args, args);
	assert_int_equal(copy.capacity, 3);
	assert_int_equal(copy.count, 0);
	assert_int_equal(copy.position, 0);
	assert_null(copy.args[0].buf);
	vaccel_arg_array_clear(NULL);
	vaccel_arg_array_release(&copy);
	vaccel_arg_array_clear(&copy);
	vaccel_arg_array_release(&array);
}

static void test_position(void **state)
{
	struct vaccel_arg_array array;
	int32_t value;

	make(&array, 4);
	assert_int_equal(vaccel_arg_array_count(&array), 4);
	assert_int_equal(vaccel_arg_array_position(&array), 0);
	assert_int_equal(vaccel_arg_array_remaining_count(&array), 4);
	assert_ptr_equal(vaccel_arg_array_raw(&array), array.args);

	vaccel_arg_array_set_position(&array, 3);
	assert_int_equal(vaccel_arg_array_remaining_count(&array), 1);
	assert_int_equal(vaccel_arg_array_get_int32(&array, &value), VACCEL_OK);
	assert_int_equal(value, 3);
	assert_int_equal(vaccel_arg_array_remaining_count(&array), 0);
	vaccel_arg_array_set_position(&array, 5);
	assert_int_equal(vaccel_arg_array_position(&array), 4);
	vaccel_arg_array_reset_position(&array);
	assert_int_equal(vaccel_arg_array_position(&array), 0);

	/* A program may have set it itself. */
	array.position = 9;
	assert_int_equal(vaccel_arg_array_remaining_count(&array), 0);
	assert_int_equal(vaccel_arg_array_get_int32(&array, &value), VACCEL_ERANGE);
	vaccel_arg_array_release(&array);
}

static void test_null_reads_as_empty(void **state)
{
	assert_int_equal(vaccel_arg_array_count(NULL), 0);
	assert_int_equal(vaccel_arg_array_position(NULL), 0);
	assert_int_equal(vaccel_arg_array_remaining_count(NULL), 0);
	assert_null(vaccel_arg_array_raw(NULL));
	vaccel_arg_array_set_position(NULL, 1);
	vaccel_arg_array_reset_position(NULL);
}

static void test_get_remaining(void **state)
{
	struct vaccel_arg_array array;
	struct vaccel_arg *args = NULL;
	size_t count = 0;

	make(&array, 4);
	vaccel_arg_array_set_position(&array, 1);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, &args, &count), VACCEL_OK);
	assert_ptr_equal(args, &array.args[1]);
	assert_int_equal(count, 3);
	assert_int_equal(array.position, 1);

	assert_int_equal(vaccel_arg_array_get_remaining(NULL, &args, &count), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, NULL, &count), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, &args, NULL), VACCEL_EINVAL);
	assert_int_equal(count, 3);

	vaccel_arg_array_set_position(&array, 4);
	assert_int_equal(vaccel_arg_array_get_remaining(&array, &args, &count), VACCEL_OK);
	assert_null(args);
	assert_int_equal(count, 0);
	vaccel_arg_array_release(&array);
}

static void assert_range(const struct vaccel_arg_array *array, size_t at, size_t first,
			 size_t count, bool copied)
{
	for (size_t i = 0; i < count; i++) {
		const struct vaccel_arg *arg = &array->args[at + i];

		assert_int_equal(arg->type, VACCEL_ARG_INT32);
		assert_int_equal(arg->size, sizeof(int32_t));
		assert_int_equal(arg->owned, copied);
		assert_int_equal(arg->buf == &values[first + i], !copied);
		assert_int_equal(*(int32_t *)arg->buf, values[first + i]);
	}
}

static void test_add_range(void **state)
{
	struct vaccel_arg_array array, dest;

	make(&array, 6);
	for (int copy = 0; copy < 2; copy++) {
		assert_int_equal(vaccel_arg_array_init(&dest, 2), VACCEL_OK);
		assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 1, 0, copy), VACCEL_OK);
		assert_int_equal(dest.count, 0);
		assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 6, 0, copy), VACCEL_OK);
		assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 1, 3, copy), VACCEL_OK);
		assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 4, 2, copy), VACCEL_OK);
		assert_int_equal(dest.count, 5);
		assert_range(&dest, 0, 1, 3, copy);
		assert_range(&dest, 3, 4, 2, copy);
		vaccel_arg_array_release(&dest);
	}

	/* To itself, which moves the arguments when it grows. */
	assert_int_equal(vaccel_arg_array_add_range(&array, &array, 0, 6, false), VACCEL_OK);
	assert_int_equal(array.count, 12);
	assert_range(&array, 6, 0, 6, false);
	vaccel_arg_array_release(&array);
}

static void test_add_remaining_and_all(void **state)
{
	struct vaccel_arg_array array, dest;

	make(&array, 5);
	vaccel_arg_array_set_position(&array, 3);
	assert_int_equal(vaccel_arg_array_init(&dest, 0), VACCEL_OK);
	assert_int_equal(vaccel_arg_array_add_remaining(&dest, &array, true), VACCEL_OK);
	assert_int_equal(dest.count, 2);
	assert_range(&dest, 0, 3, 2, true);
	assert_int_equal(vaccel_arg_array_add_all(&dest, &array, false), VACCEL_OK);
	assert_int_equal(dest.count, 7);
	assert_range(&dest, 2, 0, 5, false);
	assert_int_equal(array.position, 3);

	vaccel_arg_array_set_position(&array, 5);
	assert_int_equal(vaccel_arg_array_add_remaining(&dest, &array, true), VACCEL_OK);
	assert_int_equal(dest.count, 7);
	vaccel_arg_array_release(&dest);
	vaccel_arg_array_release(&array);
}

static void test_add_range_refuses(void **state)
{
	struct vaccel_arg_array array, dest, fixed;
	struct vaccel_arg slot;

	make(&array, 6);
	assert_int_equal(vaccel_arg_array_init(&dest, 0), VACCEL_OK);
	assert_int_equal(vaccel_arg_array_add_range(NULL, &array, 1, 3, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_range(&dest, NULL, 1, 3, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 7, 0, false), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 1, 6, false), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_range(&dest, &array, 1, SIZE_MAX, true),
			 VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_add_remaining(NULL, &array, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_remaining(&dest, NULL, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_all(NULL, &array, false), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_all(&dest, NULL, false), VACCEL_EINVAL);

	/* One bad argument, and none is added. */
	vaccel_arg_release(&array.args[4]);
	for (int copy = 0; copy < 2; copy++)
		assert_int_equal(vaccel_arg_array_add_all(&dest, &array, copy), VACCEL_EINVAL);
	assert_int_equal(dest.count, 0);

	assert_int_equal(vaccel_arg_array_wrap(&fixed, &slot, 1), VACCEL_OK);
	assert_int_equal(vaccel_arg_array_add_range(&fixed, &array, 0, 1, false), VACCEL_ERANGE);
	fixed.count = 0;
	assert_int_equal(vaccel_arg_array_add_range(&fixed, &array, 2, 1, false), VACCEL_OK);
	assert_range(&fixed, 0, 2, 1, false);
	vaccel_arg_array_release(&dest);
	vaccel_arg_array_release(&array);
}

static void test_nonsense(void **state)
{
	struct vaccel_arg_array array = {.count = SIZE_MAX, .capacity = SIZE_MAX};
	int32_t value = 1;

	assert_int_equal(vaccel_arg_array_init(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_new(NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_delete(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_arg_array_add_int32(&array, &value), VACCEL_ERANGE);
	assert_int_equal(vaccel_arg_array_init(&array, SIZE_MAX), VACCEL_ENOMEM);
	assert_int_equal(vaccel_arg_array_init(&array, SIZE_MAX / sizeof(struct vaccel_arg) + 1),
			 VACCEL_ENOMEM);
}

static void test_no_memory(void **state)
{
	struct vaccel_arg_array array, dest, *made = NULL;
	int32_t value = 1;

	NOMEM_SWEEP(vaccel_arg_array_new(&made, 1));
	assert_int_equal(vaccel_arg_array_add_int32(made, &value), VACCEL_OK);
	NOMEM_SWEEP(vaccel_arg_array_add_int32(made, &value));
	assert_int_equal(made->count, 2);
	assert_int_equal(vaccel_arg_array_delete(made), VACCEL_OK);

	make(&array, 5);
	assert_int_equal(vaccel_arg_array_init(&dest, 1), VACCEL_OK);
	NOMEM_SWEEP(vaccel_arg_array_add_all(&dest, &array, true));
	assert_int_equal(dest.count, 5);
	assert_range(&dest, 0, 0, 5, true);
	vaccel_arg_array_release(&dest);
	vaccel_arg_array_release(&array);
}

/* The test of huge sizes needs an allocator that says no rather than aborts. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_and_release),
		cmocka_unit_test(test_new_and_delete),
		cmocka_unit_test(test_it_doubles),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_clear_keeps_the_room),
		cmocka_unit_test(test_position),
		cmocka_unit_test(test_null_reads_as_empty),
		cmocka_unit_test(test_get_remaining),
		cmocka_unit_test(test_add_range),
		cmocka_unit_test(test_add_remaining_and_all),
		cmocka_unit_test(test_add_range_refuses),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
