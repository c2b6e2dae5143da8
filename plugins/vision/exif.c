/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the orientation in an EXIF block: a TIFF file whose first directory
 * holds it as one 16-bit number. The block is a stranger's: each read is checked
 * against its end, and whatever is not understood means "upright", since the
 * pixels are good without it.
 */
#include <stdbool.h>

#include "vision/decode.h"

enum {
	TIFF_HEADER_SIZE = 8,
	TIFF_ENTRY_SIZE = 12,
	TIFF_TYPE_SHORT = 3,
	TAG_ORIENTATION = 0x0112,
};

struct tiff {
	const uint8_t *data;
	size_t size;
	bool little_endian;
};

static uint32_t get_u16(const struct tiff *tiff, size_t at)
{
	const uint8_t *p = tiff->data + at;

	return tiff->little_endian ? p[0] | p[1] << 8 : p[0] << 8 | p[1];
}

static uint32_t get_u32(const struct tiff *tiff, size_t at)
{
	uint32_t first = get_u16(tiff, at);
	uint32_t second = get_u16(tiff, at + 2);

	return tiff->little_endian ? first | second << 16 : first << 16 | second;
}

unsigned int exif_orientation(const uint8_t *data, size_t size)
{
	struct tiff tiff = {data, size, false};
	size_t at, entries;

	if (size < TIFF_HEADER_SIZE)
		return ORIENTATION_UPRIGHT;
	if (data[0] == 'I' && data[1] == 'I')
		tiff.little_endian = true;
	else if (data[0] != 'M' || data[1] != 'M')
		return ORIENTATION_UPRIGHT;
	at = get_u32(&tiff, 4);
	if (get_u16(&tiff, 2) != 42 || at > size - 2)
		return ORIENTATION_UPRIGHT;
	entries = get_u16(&tiff, at);
	at += 2;
	for (; entries > 0 && size - at >= TIFF_ENTRY_SIZE; entries--, at += TIFF_ENTRY_SIZE) {
		uint32_t value = get_u16(&tiff, at + 8);

		if (get_u16(&tiff, at) != TAG_ORIENTATION)
			continue;
		if (get_u16(&tiff, at + 2) != TIFF_TYPE_SHORT || get_u32(&tiff, at + 4) != 1)
			break;
		if (value >= ORIENTATION_UPRIGHT && value <= ORIENTATION_LAST)
			return value;
		break;
	}
	return ORIENTATION_UPRIGHT;
}
