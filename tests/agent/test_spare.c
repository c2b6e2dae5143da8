// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent/worker/spare.h"

#define MIB ((size_t)1 << 20)

/* What is kept cannot be had twice, and a pointer that malloc() gives again says nothing. */
static void test_large_memory_is_kept(void **state)
{
	struct spare spare = {.memory = NULL};
	void *memory = spare_take(&spare, 8 * MIB);

	assert_non_null(memory);
	assert_false(spare_is_there(&spare));
	spare_give(&spare, memory);
	assert_true(spare_is_there(&spare));
	assert_ptr_equal(spare_take(&spare, 7 * MIB), memory);
	assert_false(spare_is_there(&spare));
	spare_give(&spare, memory);
	spare_release(&spare);
	assert_false(spare_is_there(&spare));
}

static void test_small_memory_is_not(void **state)
{
	struct spare spare = {.memory = NULL};

	spare_give(&spare, spare_take(&spare, MIB / 2));
	assert_false(spare_is_there(&spare));
	spare_give(&spare, NULL);
	assert_false(spare_is_there(&spare));
}

/* Too little for the one, and much too much for the other. */
static void test_memory_of_another_size_is_freed(void **state)
{
	static const size_t sizes[] = {8 * MIB, 2 * MIB};
	struct spare spare = {.memory = NULL};

	for (size_t i = 0; i < 2; i++) {
		void *memory;

		spare_give(&spare, spare_take(&spare, 5 * MIB));
		memory = spare_take(&spare, sizes[i]);
		assert_non_null(memory);
		assert_false(spare_is_there(&spare));
		assert_true(malloc_usable_size(memory) / 2 <= sizes[i]);
		free(memory);
	}
}

static void test_who_is_not_wanted_goes(void **state)
{
	struct spare spare = {.memory = NULL};

	spare_give(&spare, spare_take(&spare, 2 * MIB));
	spare_age(&spare);
	assert_true(spare_is_there(&spare));
	spare_give(&spare, spare_take(&spare, 2 * MIB));
	spare_age(&spare);
	assert_true(spare_is_there(&spare));
	spare_age(&spare);
	assert_false(spare_is_there(&spare));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_memory_is_kept),
		cmocka_unit_test(test_small_memory_is_not),
		cmocka_unit_test(test_memory_of_another_size_is_freed),
		cmocka_unit_test(test_who_is_not_wanted_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
