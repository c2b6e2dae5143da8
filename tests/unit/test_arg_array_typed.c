// SPDX-License-Identifier: Apache-2.0
/* Adding, getting and setting arguments of every type. */
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

static int setup(void **state)
{
	return vaccel_arg_array_new((struct vaccel_arg_array **)state, 1);
}

static int teardown(void **state)
{
	return vaccel_arg_array_delete(*state);
}

static void assert_added(const struct vaccel_arg_array *array, const void *buf, size_t size,
			 vaccel_arg_type_t type, uint32_t custom_id)
{
	const struct vaccel_arg *arg = &array->args[array->count - 1];

	assert_ptr_equal(arg->buf, buf);
	assert_int_equal(arg->size, size);
	assert_int_equal(arg->type, type);
	assert_int_equal(arg->custom_type_id, custom_id);
	assert_false(arg->owned);
}

/* An expression that fails, and leaves the position where it was. */
#define REFUSED(code, expression)                           \
	do {                                                \
		size_t before_ = array->position;           \
                                                            \
		assert_int_equal(expression, code);         \
		assert_int_equal(array->position, before_); \
	} while (0)

#define TEST_NUMERIC(suffix, c_type, scalar_type, array_type)                                      \
	static void test_one_##suffix(void **state)                                                \
	{                                                                                          \
		struct vaccel_arg_array *array = *state;                                           \
		c_type stored = 1, got = 0, next = 0;                                              \
                                                                                                   \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_##suffix(NULL, &stored));              \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_##suffix(array, NULL));                \
		assert_int_equal(vaccel_arg_array_add_##suffix(array, &stored), VACCEL_OK);        \
		assert_added(array, &stored, sizeof(stored), scalar_type, 0);                      \
                                                                                                   \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_##suffix(NULL, &got));                 \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_##suffix(array, NULL));                \
		assert_int_equal(vaccel_arg_array_get_##suffix(array, &got), VACCEL_OK);           \
		assert_true(got == 1);                                                             \
		assert_int_equal(array->position, 1);                                              \
		REFUSED(VACCEL_ERANGE, vaccel_arg_array_get_##suffix(array, &got));                \
		REFUSED(VACCEL_ERANGE, vaccel_arg_array_set_##suffix(array, &next));               \
                                                                                                   \
		vaccel_arg_array_reset_position(array);                                            \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix(NULL, &next));                \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix(array, NULL));                \
		assert_int_equal(vaccel_arg_array_set_##suffix(array, &next), VACCEL_OK);          \
		assert_int_equal(array->position, 1);                                              \
		assert_true(stored == 0);                                                          \
                                                                                                   \
		assert_int_equal(vaccel_arg_array_add_buffer(array, &stored, sizeof(stored)),      \
				 VACCEL_OK);                                                       \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_##suffix(array, &got));                \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix(array, &next));               \
	}                                                                                          \
                                                                                                   \
	static void test_many_##suffix(void **state)                                               \
	{                                                                                          \
		struct vaccel_arg_array *array = *state;                                           \
		c_type stored[4] = {1, 1, 1, 1}, next[3] = {0, 0, 0}, *got = NULL;                 \
		size_t count = 0;                                                                  \
                                                                                                   \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_##suffix##_array(NULL, stored, 4));    \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_##suffix##_array(array, NULL, 4));     \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_##suffix##_array(array, stored, 0));   \
		assert_int_equal(vaccel_arg_array_add_##suffix##_array(array, stored, 4),          \
				 VACCEL_OK);                                                       \
		assert_added(array, stored, sizeof(stored), array_type, 0);                        \
                                                                                                   \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_##suffix##_array(NULL, &got, &count)); \
		REFUSED(VACCEL_EINVAL,                                                             \
			vaccel_arg_array_get_##suffix##_array(array, NULL, &count));               \
		assert_int_equal(vaccel_arg_array_get_##suffix##_array(array, &got, &count),       \
				 VACCEL_OK);                                                       \
		assert_ptr_equal(got, stored);                                                     \
		assert_int_equal(count, 4);                                                        \
		assert_int_equal(array->position, 1);                                              \
		REFUSED(VACCEL_ERANGE,                                                             \
			vaccel_arg_array_get_##suffix##_array(array, &got, &count));               \
                                                                                                   \
		vaccel_arg_array_reset_position(array);                                            \
		assert_int_equal(vaccel_arg_array_get_##suffix##_array(array, &got, NULL),         \
				 VACCEL_OK);                                                       \
                                                                                                   \
		vaccel_arg_array_reset_position(array);                                            \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix##_array(NULL, next, 3));      \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix##_array(array, NULL, 3));     \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix##_array(array, next, 0));     \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix##_array(array, next, 5));     \
		assert_int_equal(vaccel_arg_array_set_##suffix##_array(array, next, 3),            \
				 VACCEL_OK);                                                       \
		assert_int_equal(array->position, 1);                                              \
		assert_int_equal(array->args[0].size, sizeof(stored));                             \
		assert_true(stored[0] == 0 && stored[1] == 0 && stored[2] == 0 && stored[3] == 1); \
                                                                                                   \
		assert_int_equal(vaccel_arg_array_add_##suffix(array, stored), VACCEL_OK);         \
		REFUSED(VACCEL_EINVAL,                                                             \
			vaccel_arg_array_get_##suffix##_array(array, &got, &count));               \
		REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_##suffix##_array(array, next, 1));     \
	}

VACCEL_ARG_NUMERIC_TYPES(TEST_NUMERIC)

static void test_sizes_that_do_not_fit_the_type(void **state)
{
	struct vaccel_arg_array *array = *state;
	int32_t stored[2] = {0}, *got = NULL, one = 1;

	assert_int_equal(vaccel_arg_array_add_int32(array, stored), VACCEL_OK);
	array->args[0].size = 3;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_int32(array, &one));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_int32(array, &one));
	array->args[0].size = 8;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_int32(array, &one));
	array->args[0].type = VACCEL_ARG_INT32_ARRAY;
	array->args[0].size = 7;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_int32_array(array, &got, NULL));
	assert_null(got);
	array->args[0].size = 0;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_int32_array(array, &got, NULL));
	array->args[0].size = 8;
	array->args[0].buf = NULL;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_int32_array(array, &got, NULL));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_int32_array(array, stored, 1));
}

static void test_counts_that_overflow(void **state)
{
	struct vaccel_arg_array *array = *state;
	int64_t stored = 0;

	assert_int_equal(vaccel_arg_array_add_int64_array(array, &stored, SIZE_MAX / 8 + 2),
			 VACCEL_ERANGE);
	assert_int_equal(array->count, 0);
	assert_int_equal(vaccel_arg_array_add_int64_array(array, &stored, 1), VACCEL_OK);
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_int64_array(array, &stored, SIZE_MAX / 8 + 2));
}

static void test_raw_and_buffer(void **state)
{
	static const struct {
		vaccel_arg_type_t type;
		int (*add)(struct vaccel_arg_array *array, void *buf, size_t size);
		int (*get)(struct vaccel_arg_array *array, void **buf, size_t *size);
		int (*set)(struct vaccel_arg_array *array, const void *buf, size_t size);
	} kinds[] = {
		{VACCEL_ARG_RAW, vaccel_arg_array_add_raw, vaccel_arg_array_get_raw,
		 vaccel_arg_array_set_raw},
		{VACCEL_ARG_BUFFER, vaccel_arg_array_add_buffer, vaccel_arg_array_get_buffer,
		 vaccel_arg_array_set_buffer},
	};
	struct vaccel_arg_array *array = *state;

	for (size_t i = 0; i < 2; i++) {
		char stored[] = "abc";
		void *got = NULL;
		size_t size = 0;

		vaccel_arg_array_clear(array);
		REFUSED(VACCEL_EINVAL, kinds[i].add(NULL, stored, 4));
		REFUSED(VACCEL_EINVAL, kinds[i].add(array, NULL, 4));
		REFUSED(VACCEL_EINVAL, kinds[i].add(array, stored, 0));
		assert_int_equal(kinds[i].add(array, stored, 4), VACCEL_OK);
		assert_added(array, stored, 4, kinds[i].type, 0);

		REFUSED(VACCEL_EINVAL, kinds[i].get(NULL, &got, &size));
		REFUSED(VACCEL_EINVAL, kinds[i].get(array, NULL, &size));
		REFUSED(VACCEL_EINVAL, kinds[i].get(array, &got, NULL));
		REFUSED(VACCEL_EINVAL, kinds[1 - i].get(array, &got, &size));
		assert_int_equal(kinds[i].get(array, &got, &size), VACCEL_OK);
		assert_ptr_equal(got, stored);
		assert_int_equal(size, 4);
		REFUSED(VACCEL_ERANGE, kinds[i].get(array, &got, &size));

		vaccel_arg_array_reset_position(array);
		REFUSED(VACCEL_EINVAL, kinds[i].set(NULL, "x", 1));
		REFUSED(VACCEL_EINVAL, kinds[i].set(array, NULL, 1));
		REFUSED(VACCEL_EINVAL, kinds[i].set(array, "x", 0));
		REFUSED(VACCEL_EINVAL, kinds[i].set(array, "12345", 5));
		REFUSED(VACCEL_EINVAL, kinds[1 - i].set(array, "x", 1));
		assert_int_equal(kinds[i].set(array, "xy", 2), VACCEL_OK);
		assert_string_equal(stored, "xyc");
		assert_int_equal(array->args[0].size, 4);
		REFUSED(VACCEL_ERANGE, kinds[i].set(array, "x", 1));

		vaccel_arg_array_reset_position(array);
		assert_int_equal(kinds[i].set(array, stored + 1, 3), VACCEL_OK);
		assert_memory_equal(stored, "yc\0", 4);
	}
}

static void test_string(void **state)
{
	struct vaccel_arg_array *array = *state;
	char stored[] = "text1", *got = NULL;

	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_string(NULL, stored));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_string(array, NULL));
	assert_int_equal(vaccel_arg_array_add_string(array, stored), VACCEL_OK);
	assert_added(array, stored, 6, VACCEL_ARG_STRING, 0);

	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_string(NULL, &got));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_string(array, NULL));
	assert_int_equal(vaccel_arg_array_get_string(array, &got), VACCEL_OK);
	assert_ptr_equal(got, stored);
	REFUSED(VACCEL_ERANGE, vaccel_arg_array_get_string(array, &got));

	vaccel_arg_array_reset_position(array);
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_string(NULL, "x"));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_string(array, NULL));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_string(array, "text_2"));
	assert_int_equal(vaccel_arg_array_set_string(array, "text2"), VACCEL_OK);
	assert_string_equal(stored, "text2");
	vaccel_arg_array_reset_position(array);
	assert_int_equal(vaccel_arg_array_set_string(array, "t"), VACCEL_OK);
	assert_string_equal(stored, "t");
	assert_int_equal(array->args[0].size, 6);

	/* What came from elsewhere may lack its end. */
	vaccel_arg_array_reset_position(array);
	memset(stored, 'x', 6);
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_string(array, &got));
	array->args[0].type = VACCEL_ARG_CHAR_ARRAY;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_string(array, &got));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_string(array, "x"));
}

#define EVEN_ID 77

static bool is_even(const void *buf, size_t size, uint32_t custom_id)
{
	int value;

	assert_non_null(buf);
	assert_true(size > 0);
	if (size != sizeof(value) || custom_id != EVEN_ID)
		return false;
	memcpy(&value, buf, sizeof(value));
	return value % 2 == 0;
}

static void test_custom(void **state)
{
	struct vaccel_arg_array *array = *state;
	int stored = 2, odd = 3, next = 4;
	void *got = NULL;
	size_t n = sizeof(int), size = 0;

	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_custom(NULL, EVEN_ID, &stored, n, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_custom(array, EVEN_ID, NULL, n, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_custom(array, EVEN_ID, &stored, 0, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_custom(array, EVEN_ID, &stored, n, NULL));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_add_custom(array, EVEN_ID, &odd, n, is_even));
	assert_int_equal(vaccel_arg_array_add_custom(array, EVEN_ID, &stored, n, is_even),
			 VACCEL_OK);
	assert_added(array, &stored, n, VACCEL_ARG_CUSTOM, EVEN_ID);

	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(NULL, EVEN_ID, &got, &size, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(array, EVEN_ID, &got, &size, NULL));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(array, EVEN_ID, NULL, &size, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(array, EVEN_ID, &got, NULL, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(array, 1, &got, &size, is_even));
	stored = 5;
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(array, EVEN_ID, &got, &size, is_even));
	assert_null(got);
	stored = 2;
	assert_int_equal(vaccel_arg_array_get_custom(array, EVEN_ID, &got, &size, is_even),
			 VACCEL_OK);
	assert_ptr_equal(got, &stored);
	assert_int_equal(size, n);
	REFUSED(VACCEL_ERANGE, vaccel_arg_array_get_custom(array, EVEN_ID, &got, &size, is_even));
	REFUSED(VACCEL_ERANGE, vaccel_arg_array_set_custom(array, EVEN_ID, &next, n, is_even));

	vaccel_arg_array_reset_position(array);
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_custom(NULL, EVEN_ID, &next, n, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_custom(array, EVEN_ID, &next, n, NULL));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_custom(array, EVEN_ID, &odd, n, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_custom(array, EVEN_ID, NULL, n, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_custom(array, 1, &next, n, is_even));
	assert_int_equal(vaccel_arg_array_set_custom(array, EVEN_ID, &next, n, is_even), VACCEL_OK);
	assert_int_equal(stored, 4);

	assert_int_equal(vaccel_arg_array_add_raw(array, &stored, n), VACCEL_OK);
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_get_custom(array, EVEN_ID, &got, &size, is_even));
	REFUSED(VACCEL_EINVAL, vaccel_arg_array_set_custom(array, EVEN_ID, &next, n, is_even));
}

/* A value that is not plain memory: serialized as its count, then its numbers. */
struct numbers {
	uint32_t count;
	uint32_t *at;
};

#define NUMBERS_ID 5

static int numbers_write(const void *data, size_t data_size, uint32_t custom_id, void **buf,
			 size_t *size)
{
	const struct numbers *numbers = data;
	uint32_t *out;

	if (data_size != sizeof(*numbers) || custom_id != NUMBERS_ID)
		return VACCEL_EINVAL;
	*size = (numbers->count + 1) * sizeof(*out);
	out = malloc(*size);
	if (!out)
		return VACCEL_ENOMEM;
	out[0] = numbers->count;
	memcpy(out + 1, numbers->at, numbers->count * sizeof(*out));
	*buf = out;
	return VACCEL_OK;
}

static int numbers_read(const void *buf, size_t size, uint32_t custom_id, size_t data_size,
			void *data)
{
	struct numbers *numbers = data;
	const uint32_t *in = buf;

	if (data_size != sizeof(*numbers) || custom_id != NUMBERS_ID ||
	    size != (in[0] + 1) * sizeof(*in))
		return VACCEL_EBACKEND;
	numbers->count = in[0];
	memcpy(numbers->at, in + 1, in[0] * sizeof(*in));
	return VACCEL_OK;
}

static int write_nothing(const void *data, size_t data_size, uint32_t custom_id, void **buf,
			 size_t *size)
{
	*buf = data_size == 1 ? malloc(1) : NULL;
	*size = data_size == 1 ? 0 : 1;
	return VACCEL_OK;
}

static int add_numbers(struct vaccel_arg_array *array, const struct numbers *numbers)
{
	return vaccel_arg_array_add_serialized(array, VACCEL_ARG_CUSTOM, NUMBERS_ID, numbers,
					       sizeof(*numbers), numbers_write);
}

static int get_numbers(struct vaccel_arg_array *array, struct numbers *numbers)
{
	return vaccel_arg_array_get_serialized(array, VACCEL_ARG_CUSTOM, NUMBERS_ID, numbers,
					       sizeof(*numbers), numbers_read);
}

static int set_numbers(struct vaccel_arg_array *array, const struct numbers *numbers)
{
	return vaccel_arg_array_set_serialized(array, VACCEL_ARG_CUSTOM, NUMBERS_ID, numbers,
					       sizeof(*numbers), numbers_write);
}

static void test_serialized(void **state)
{
	struct vaccel_arg_array *array = *state;
	uint32_t three[] = {1, 2, 3}, other[] = {7, 8, 9}, room[3] = {0};
	struct numbers in = {3, three}, next = {3, other}, out = {0, room};

	assert_int_equal(add_numbers(array, &in), VACCEL_OK);
	assert_int_equal(array->args[0].type, VACCEL_ARG_CUSTOM);
	assert_int_equal(array->args[0].custom_type_id, NUMBERS_ID);
	assert_int_equal(array->args[0].size, 16);
	assert_true(array->args[0].owned);

	assert_int_equal(get_numbers(array, &out), VACCEL_OK);
	assert_int_equal(array->position, 1);
	assert_int_equal(out.count, 3);
	assert_memory_equal(room, three, sizeof(three));
	REFUSED(VACCEL_ERANGE, get_numbers(array, &out));
	REFUSED(VACCEL_ERANGE, set_numbers(array, &next));

	vaccel_arg_array_reset_position(array);
	assert_int_equal(set_numbers(array, &next), VACCEL_OK);
	assert_int_equal(array->position, 1);
	vaccel_arg_array_reset_position(array);
	assert_int_equal(get_numbers(array, &out), VACCEL_OK);
	assert_memory_equal(room, other, sizeof(other));

	/* Exactly as many bytes, not fewer. */
	vaccel_arg_array_reset_position(array);
	next.count = 2;
	REFUSED(VACCEL_EINVAL, set_numbers(array, &next));
}

static void test_serialized_refuses(void **state)
{
	struct vaccel_arg_array *array = *state;
	uint32_t three[] = {1, 2, 3};
	struct numbers in = {3, three};
	const vaccel_arg_type_t custom = VACCEL_ARG_CUSTOM;
	const size_t n = sizeof(in);

#define ADD vaccel_arg_array_add_serialized
	REFUSED(VACCEL_EINVAL, add_numbers(NULL, &in));
	REFUSED(VACCEL_EINVAL, add_numbers(array, NULL));
	REFUSED(VACCEL_EINVAL, ADD(array, custom, NUMBERS_ID, &in, 0, numbers_write));
	REFUSED(VACCEL_EINVAL, ADD(array, custom, NUMBERS_ID, &in, n, NULL));
	REFUSED(VACCEL_EINVAL, ADD(array, custom, NUMBERS_ID + 1, &in, n, numbers_write));
	REFUSED(VACCEL_EINVAL, ADD(array, VACCEL_ARG_MAX, NUMBERS_ID, &in, n, numbers_write));
	REFUSED(VACCEL_EINVAL, ADD(array, custom, NUMBERS_ID, &in, 1, write_nothing));
	REFUSED(VACCEL_EINVAL, ADD(array, custom, NUMBERS_ID, &in, 2, write_nothing));
	assert_int_equal(array->count, 0);
	assert_int_equal(add_numbers(array, &in), VACCEL_OK);

#define GET vaccel_arg_array_get_serialized
	REFUSED(VACCEL_EINVAL, get_numbers(NULL, &in));
	REFUSED(VACCEL_EINVAL, get_numbers(array, NULL));
	REFUSED(VACCEL_EINVAL, GET(array, custom, NUMBERS_ID, &in, 0, numbers_read));
	REFUSED(VACCEL_EINVAL, GET(array, custom, NUMBERS_ID, &in, n, NULL));
	REFUSED(VACCEL_EINVAL, GET(array, custom, 0, &in, n, numbers_read));
	REFUSED(VACCEL_EINVAL, GET(array, VACCEL_ARG_RAW, NUMBERS_ID, &in, n, numbers_read));
	REFUSED(VACCEL_EBACKEND, GET(array, custom, NUMBERS_ID, &in, n - 1, numbers_read));

#define SET vaccel_arg_array_set_serialized
	REFUSED(VACCEL_EINVAL, set_numbers(NULL, &in));
	REFUSED(VACCEL_EINVAL, set_numbers(array, NULL));
	REFUSED(VACCEL_EINVAL, SET(array, custom, NUMBERS_ID, &in, 0, numbers_write));
	REFUSED(VACCEL_EINVAL, SET(array, custom, NUMBERS_ID, &in, n, NULL));
	REFUSED(VACCEL_EINVAL, SET(array, custom, 0, &in, n, numbers_write));
	REFUSED(VACCEL_EINVAL, SET(array, VACCEL_ARG_RAW, NUMBERS_ID, &in, n, numbers_write));
	REFUSED(VACCEL_EINVAL, SET(array, custom, NUMBERS_ID, &in, n - 1, numbers_write));
	assert_int_equal(get_numbers(array, &(struct numbers){0, (uint32_t[3]){0}}), VACCEL_OK);
}

static void test_no_memory(void **state)
{
	struct vaccel_arg_array *array = *state;
	uint32_t three[] = {1, 2, 3};
	struct numbers in = {3, three};

	assert_int_equal(add_numbers(array, &in), VACCEL_OK);
	NOMEM_SWEEP(add_numbers(array, &in));
	assert_int_equal(array->count, 2);
	NOMEM_SWEEP(set_numbers(array, &in));
	assert_int_equal(array->position, 1);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define EACH_NUMERIC(suffix, c_type, scalar, array_type) \
	EACH(test_one_##suffix), EACH(test_many_##suffix),

int main(void)
{
	const struct CMUnitTest tests[] = {
		VACCEL_ARG_NUMERIC_TYPES(EACH_NUMERIC) EACH(test_sizes_that_do_not_fit_the_type),
		EACH(test_counts_that_overflow),
		EACH(test_raw_and_buffer),
		EACH(test_string),
		EACH(test_custom),
		EACH(test_serialized),
		EACH(test_serialized_refuses),
		EACH(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
