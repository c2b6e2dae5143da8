/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the codec: messages put together by hand, and what becomes of them. */
#ifndef TESTS_UNIT_CODEC_MADE_H
#define TESTS_UNIT_CODEC_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "codec_support.h"

#define MEMORY 4096
#define COUNT  100

/* A head put together by hand. */
struct made {
	unsigned char bytes[512];
	size_t size;
};

static inline void number(struct made *made, uint64_t value)
{
	memcpy(made->bytes + made->size, &value, sizeof(value));
	made->size += sizeof(value);
}

static inline void pair(struct made *made, uint32_t first, uint32_t second)
{
	number(made, first | (uint64_t)second << 32);
}

static inline void payload(struct made *made, uint64_t size, uint32_t place, uint32_t region,
			   uint64_t offset)
{
	number(made, size);
	pair(made, place, region);
	number(made, offset);
}

/* Changes bytes that are there already. */
static inline void put(struct made *made, size_t offset, const void *bytes, size_t size)
{
	memcpy(made->bytes + offset, bytes, size);
}

static inline void assert_says(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("\"%s\" does not say \"%s\"", vaccel_error_text(), words);
}

/* Of the test that runs. */
static struct decoder decoder;
static _Alignas(8) unsigned char section[256];

static inline void set_bytes(unsigned char *to, const char *bytes, size_t size)
{
	memcpy(to, bytes, size);
}

static int setup(void **state)
{
	decoder = (struct decoder){.hooks = &codec_hooks, .limits = {MEMORY, COUNT}};
	memset(section, 0, sizeof(section));
	return 0;
}

static int teardown(void **state)
{
	decoder_release(&decoder);
	return 0;
}

#define WIRE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
