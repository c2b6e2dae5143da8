// SPDX-License-Identifier: Apache-2.0
/* See messages.h. Sizes in frames are brought in line with what is there, but for now and then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "codec/codec.h"
#include "codec/frame.h"
#include "messages.h"

#define AT_SIZES 48 /* of the head and of the payload section, in a frame */
#define STARTS	 64 /* messages of an input that are changed at most */

uint64_t messages_taken;

/* For tools/run-fuzz, which adds them up. */
__attribute__((destructor)) static void tell(void)
{
	fprintf(stderr, "%" PRIu64 " messages\n", messages_taken);
}

static uint64_t get(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void put(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

void *exact_copy(const uint8_t *from, size_t size)
{
	void *to = malloc(size ? size : 1);

	if (!to)
		abort();
	memcpy(to, from, size);
	return to;
}

bool piece_next(const uint8_t *data, size_t size, size_t *offset, struct piece *ret_piece)
{
	const uint8_t *at = data + *offset;
	size_t left = size - *offset;
	uint64_t head, payload;

	if (left < FRAME_SIZE)
		return false;
	left -= FRAME_SIZE;
	head = MIN_OF(get(at + AT_SIZES), left);
	payload = MIN_OF(get(at + AT_SIZES + 8), left - head);
	*ret_piece = (struct piece){
		.frame = at,
		.head = at + FRAME_SIZE,
		.head_size = (size_t)head,
		.payload = at + FRAME_SIZE + head,
		.payload_size = (size_t)payload,
	};
	*offset += FRAME_SIZE + (size_t)(head + payload);
	return true;
}

static unsigned int below(unsigned int *seed, size_t bound)
{
	return bound ? (unsigned int)rand_r(seed) % (unsigned int)bound : 0;
}

/* Numbers that sizes, offsets and counts go wrong at. */
static uint64_t number(unsigned int *seed)
{
	static const uint64_t numbers[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		24,
		64,
		255,
		4096,
		65536,
		INT32_MAX,
		UINT32_MAX,
		1ull << 32,
		1ull << 40,
		1ull << 62,
		INT64_MAX,
		1ull << 63,
		UINT64_MAX - 7,
		UINT64_MAX,
	};
	uint64_t picked = numbers[below(seed, ARRAY_SIZE(numbers))];

	return below(seed, 4) ? picked : picked + below(seed, 17) - 8;
}

/* Changes an item somewhere behind the frame, or a field in it. */
static void change_item(uint8_t *at, size_t size, unsigned int *seed)
{
	uint8_t *item;

	if (size < 8)
		return;
	item = at + 8 * below(seed, size / 8);
	switch (below(seed, 4)) {
	case 0:
		put(item, number(seed));
		break;
	case 1:
		put(item, get(item) + below(seed, 33) - 16);
		break;
	case 2:
		put(item, get(item) ^ 1ull << below(seed, 64));
		break;
	default:
		put(item, get(at + 8 * below(seed, size / 8)));
	}
}

/* Changes what is between frame and end of one message as the library sees fit. */
static size_t change_content(uint8_t *data, size_t size, size_t max_size, const struct piece *piece)
{
	size_t from = (size_t)(piece->head - data);
	size_t old = piece->head_size + piece->payload_size;
	size_t behind = size - from - old;
	size_t room = max_size - from - behind;
	uint8_t *content = room ? malloc(room) : NULL;
	size_t new;

	/* libFuzzer makes at least one byte. */
	if (!content)
		return size;
	memcpy(content, data + from, old);
	new = LLVMFuzzerMutate(content, old, room);
	memmove(data + from + new, data + from + old, behind);
	memcpy(data + from, content, new);
	free(content);
	/* What came or went did so in the payload section, as far as it can. */
	put(data + from - 16, MIN_OF(piece->head_size, new));
	put(data + from - 8, new - MIN_OF(piece->head_size, new));
	return from + new + behind;
}

static size_t repeat(uint8_t *data, size_t size, size_t max_size, size_t start, size_t end)
{
	if (end - start > max_size - size)
		return size;
	memmove(data + end, data + start, size - start);
	return size + end - start;
}

static size_t take_out(uint8_t *data, size_t size, size_t start, size_t end)
{
	memmove(data + start, data + end, size - end);
	return size - (end - start);
}

static size_t change_one(uint8_t *data, size_t size, size_t max_size, unsigned int *seed)
{
	size_t starts[STARTS], count = 0, offset = 0, start;
	struct piece piece;

	while (count < STARTS) {
		starts[count] = offset;
		if (!piece_next(data, size, &offset, &piece))
			break;
		count++;
	}
	if (!count)
		return LLVMFuzzerMutate(data, size, max_size);
	start = offset = starts[below(seed, count)];
	piece_next(data, size, &offset, &piece);
	switch (below(seed, 10)) {
	case 0:
		return LLVMFuzzerMutate(data, size, max_size);
	case 1:
		return repeat(data, size, max_size, start, offset);
	case 2:
		return count > 1 ? take_out(data, size, start, offset) : size;
	case 3:
	case 4:
		return change_content(data, size, max_size, &piece);
	case 5:
		change_item(data + start, FRAME_SIZE, seed);
		return size;
	default:
		change_item(data + start + FRAME_SIZE, offset - start - FRAME_SIZE, seed);
		return size;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	unsigned int changes = 1 + below(&seed, 4);

	while (changes--)
		size = change_one(data, size, max_size, &seed);
	return size;
}
