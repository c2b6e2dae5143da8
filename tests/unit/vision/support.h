/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of pictures and model cards share. */
#ifndef TEST_VISION_SUPPORT_H
#define TEST_VISION_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <vaccel/error.h>

#include "vision/picture.h"

/* A file's bytes in memory of exactly their size, so that sanitizers see its end. */
struct bytes {
	uint8_t *data;
	size_t size;
};

/* From tests/data/pictures/; release with free(). */
struct bytes load_bytes(const char *name);

/* A PPM from tests/data/pictures/. */
struct picture load_ppm(const char *name);

/* A file of its own under the temporary directory; the path is free()d by the caller. */
char *write_temporary(const char *text, size_t size);

void assert_same_picture(const struct picture *picture, const struct picture *expected);

/* That a call failed with this code, and that its words contain these. */
void assert_failed(int err, int code, const char *words);

/* The same numbers on every run. */
uint32_t next_random(uint32_t *state);

#endif
