// SPDX-License-Identifier: Apache-2.0
#include "base/copy.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__

#include <emmintrin.h>

#define PAST_CACHE ((size_t)16 << 20)
#define LINE	   64

static bool overlap(const void *one, const void *other, size_t size)
{
	uintptr_t a = (uintptr_t)one;
	uintptr_t b = (uintptr_t)other;

	return (a < b ? b - a : a - b) < size;
}

/* Whole lines; @to is the first one's start. */
static void copy_past_cache(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i += LINE) {
		__m128i *line = (__m128i *)(to + i);
		const __m128i *bytes = (const __m128i *)(from + i);
		__m128i first = _mm_loadu_si128(bytes);
		__m128i second = _mm_loadu_si128(bytes + 1);
		__m128i third = _mm_loadu_si128(bytes + 2);
		__m128i fourth = _mm_loadu_si128(bytes + 3);

		_mm_stream_si128(line, first);
		_mm_stream_si128(line + 1, second);
		_mm_stream_si128(line + 2, third);
		_mm_stream_si128(line + 3, fourth);
	}
	/* Such stores keep no order with those that say that the bytes are there. */
	_mm_sfence();
}

void copy_bulk(void *to, const void *from, size_t size)
{
	size_t start = -(uintptr_t)to % LINE;
	size_t lines;

	if (size < PAST_CACHE || overlap(to, from, size)) {
		memmove(to, from, size);
		return;
	}
	lines = (size - start) / LINE * LINE;
	memcpy(to, from, start);
	copy_past_cache((char *)to + start, (const char *)from + start, lines);
	start += lines;
	memcpy((char *)to + start, (const char *)from + start, size - start);
}

#else

void copy_bulk(void *to, const void *from, size_t size)
{
	memmove(to, from, size);
}

#endif
