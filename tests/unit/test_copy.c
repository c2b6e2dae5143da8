// SPDX-License-Identifier: Apache-2.0
/* Copies around the size from which on they go past the cache: every byte, and none beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/copy.h"
#include "base/util.h"

#define PAST_CACHE ((size_t)16 << 20)
#define ROOM	   (PAST_CACHE + 8192)
#define BESIDE	   0xee

static unsigned char *make_pattern(void)
{
	unsigned char *bytes = aligned_alloc(64, ROOM);

	assert_non_null(bytes);
	for (size_t i = 0; i < ROOM; i++)
		bytes[i] = (unsigned char)(i * 7 + (i >> 8) + (i >> 16));
	return bytes;
}

static void assert_only(const unsigned char *bytes, size_t size, unsigned char value)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], value);
}

static void check_copy(unsigned char *to, size_t to_offset, const unsigned char *from, size_t size)
{
	memset(to, BESIDE, ROOM);
	copy_bulk(to + to_offset, from, size);
	assert_memory_equal(to + to_offset, from, size);
	assert_only(to, to_offset, BESIDE);
	assert_only(to + to_offset + size, ROOM - to_offset - size, BESIDE);
}

static void test_every_byte(void **state)
{
	static const size_t sizes[] = {0, 1, 100, PAST_CACHE - 1, PAST_CACHE, PAST_CACHE + 203};
	static const size_t offsets[] = {0, 1, 8, 63};
	unsigned char *to = aligned_alloc(64, ROOM);
	unsigned char *from = make_pattern();

	assert_non_null(to);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t j = 0; j < ARRAY_SIZE(offsets); j++) {
			check_copy(to, offsets[j], from, sizes[i]);
			check_copy(to, offsets[j], from + 5, sizes[i]);
		}
	free(from);
	free(to);
}

/* A reply may name a place in the memory that it is to be copied to. */
static void test_overlap(void **state)
{
	unsigned char *expected = make_pattern();
	unsigned char *bytes = make_pattern();

	copy_bulk(bytes + 100, bytes, PAST_CACHE);
	assert_memory_equal(bytes + 100, expected, PAST_CACHE);
	copy_bulk(bytes, bytes + 100, PAST_CACHE);
	assert_memory_equal(bytes, expected, PAST_CACHE);
	free(bytes);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
