// SPDX-License-Identifier: Apache-2.0
#include "model/strings.h"

#include <stdint.h>
#include <string.h>

static uint32_t word(const void *data, size_t index)
{
	uint32_t value;

	memcpy(&value, (const char *)data + index * sizeof(value), sizeof(value));
	return value;
}

bool strings_are_whole(const void *data, size_t size, size_t count)
{
	size_t words = size / sizeof(uint32_t);
	uint32_t end;

	if (size > INT32_MAX || words < 2 || count > words - 2 || word(data, 0) != count)
		return false;
	end = (uint32_t)((count + 2) * sizeof(uint32_t));
	for (size_t i = 0; i <= count; i++) {
		uint32_t offset = word(data, 1 + i);

		if (offset < end || offset > size || (i == 0 && offset != end))
			return false;
		end = offset;
	}
	return end == size;
}
