// SPDX-License-Identifier: Apache-2.0
#include "tf/proto.h"

#include <stdlib.h>
#include <string.h>

static bool read_number(struct part *part, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64 && part->size; shift += 7) {
		uint8_t byte = *part->data++;

		part->size--;
		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_number = number;
			return true;
		}
	}
	return false;
}

static bool skip(struct part *part, uint64_t size)
{
	if (size > part->size)
		return false;
	part->data += size;
	part->size -= (size_t)size;
	return true;
}

bool part_next(struct part *part, struct field *field)
{
	enum { NUMBER, EIGHT_BYTES, BYTES, FOUR_BYTES = 5 };
	struct part rest = *part;
	uint64_t key, value;
	bool whole;

	*field = (struct field){0};
	if (!read_number(&rest, &key))
		return false;
	field->number = (uint32_t)(key >> 3);
	switch (key & 7) {
	case NUMBER:
		whole = read_number(&rest, &field->value);
		break;
	case EIGHT_BYTES:
		whole = skip(&rest, 8);
		break;
	case FOUR_BYTES:
		whole = skip(&rest, 4);
		break;
	case BYTES:
		whole = read_number(&rest, &value);
		field->bytes = (struct part){rest.data, whole ? (size_t)value : 0};
		whole = whole && skip(&rest, value);
		break;
	default:
		whole = false;
	}
	if (whole)
		*part = rest;
	return whole;
}

static struct field find(struct part message, uint32_t number)
{
	struct field found = {0}, field;

	while (part_next(&message, &field))
		if (field.number == number)
			found = field;
	return found;
}

struct part part_find(struct part message, uint32_t number)
{
	return find(message, number).bytes;
}

uint64_t part_number(struct part message, uint32_t number)
{
	return find(message, number).value;
}

bool part_is(struct part part, const char *text)
{
	return part.data && part.size == strlen(text) && !memcmp(part.data, text, part.size);
}

char *part_text(struct part part)
{
	char *text = malloc(part.size + 1);

	if (!text)
		return NULL;
	if (part.size)
		memcpy(text, part.data, part.size);
	text[part.size] = '\0';
	return text;
}
