// SPDX-License-Identifier: Apache-2.0
/* Memory for one call: zeroed, aligned, apart from each other, and no more than permitted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "codec/arena.h"
#include "nomem.h"

static void test_pieces(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 500, 1000, 1024, 1025, 5000, 1, 2048, 3};
	struct arena arena = {.left = 1 << 20};
	const unsigned char *ends = NULL;

	for (size_t i = 0; i < 500; i++) {
		size_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
		unsigned char *memory = NULL;

		assert_int_equal(arena_alloc(&arena, size, (void **)&memory), VACCEL_OK);
		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
		for (size_t byte = 0; byte < size; byte++)
			assert_int_equal(memory[byte], 0);
		memset(memory, 0xff, size);
		assert_ptr_not_equal(memory, ends);
		ends = memory;
	}
	arena_release(&arena);
	arena_release(&arena);
	assert_null(arena.blocks);
}

/* What is kept for the next pieces tells nothing of the last ones. */
static void test_clear(void **state)
{
	struct arena arena = {.left = 1 << 20};
	const unsigned char nothing[1000] = {0};
	void *first, *small, *large;

	assert_int_equal(arena_alloc(&arena, 1000, &first), VACCEL_OK);
	memset(first, 0xff, 1000);
	assert_int_equal(arena_alloc(&arena, 5000, &large), VACCEL_OK);
	arena_clear(&arena);
	assert_int_equal(arena_alloc(&arena, 1000, &small), VACCEL_OK);
	assert_ptr_equal(small, first);
	assert_memory_equal(small, nothing, 1000);
	arena_clear(&arena);
	arena_release(&arena);
	arena_clear(&arena);
	assert_null(arena.blocks);
}

static void test_limit(void **state)
{
	struct arena arena = {.left = 100};
	void *memory = NULL;

	assert_int_equal(arena_charge(&arena, 101), VACCEL_EDQUOT);
	assert_int_equal(arena_charge(&arena, 52), VACCEL_OK);
	assert_int_equal(arena_alloc(&arena, 49, &memory), VACCEL_EDQUOT);
	assert_null(memory);
	assert_int_equal(arena_alloc(&arena, 48, &memory), VACCEL_OK);
	assert_int_equal(arena.left, 0);
	assert_int_equal(arena_alloc(&arena, 0, &memory), VACCEL_EDQUOT);
	arena_release(&arena);
	/* More than any machine has. */
	arena.left = SIZE_MAX;
	assert_int_equal(arena_alloc(&arena, SIZE_MAX, &memory), VACCEL_EDQUOT);
	assert_int_equal(arena_alloc(&arena, PTRDIFF_MAX - 7, &memory), VACCEL_ENOMEM);
	arena_release(&arena);
}

static void test_no_memory(void **state)
{
	struct arena arena = {.left = 1 << 20};
	void *memory;

	NOMEM_SWEEP(arena_alloc(&arena, 16, &memory));
	arena_release(&arena);
	/* A large piece needs a block for small ones, too. */
	NOMEM_SWEEP(arena_alloc(&arena, 5000, &memory));
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
