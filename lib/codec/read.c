// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of a head one item after the other, each checked before it is
 * believed. Relies on the head being the decoder's own: nobody changes it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/tensor.h>

#include "base/util.h"
#include "codec/read.h"

void read_fail(struct decoder *decoder, int code, const char *format, ...)
{
	char sentence[256];
	va_list args;

	if (decoder->error)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (decoder->field)
		decoder->error = vaccel_fail(code, "%s: '%s' of the %s %s", decoder->op->name,
					     decoder->field->name, decoder->what, sentence);
	else
		decoder->error = vaccel_fail(code, "%s: the %s %s", decoder->op->name,
					     decoder->what, sentence);
}

void read_no_memory(struct decoder *decoder, int code, uint64_t size)
{
	if (code == VACCEL_EDQUOT)
		read_fail(decoder, code, "needs %" PRIu64 " bytes more than the %zu permitted",
			  size, decoder->limits.memory);
	else
		read_fail(decoder, code, "needs %" PRIu64 " bytes, and there is no memory", size);
}

void *read_make(struct decoder *decoder, size_t size)
{
	void *memory = NULL;
	int ret = decoder->error ? VACCEL_OK : arena_alloc(&decoder->arena, size, &memory);

	if (ret)
		read_no_memory(decoder, ret, size);
	return memory;
}

void read_start(struct decoder *decoder, const struct vaccel_op *op, const char *what,
		const struct codec_message *message)
{
	decoder->op = op;
	decoder->field = NULL;
	decoder->what = what;
	decoder->malformed = VACCEL_EINVAL;
	decoder->error = VACCEL_OK;
	decoder->head = message->head;
	decoder->head_left = message->head_size;
	decoder->section = message->payload;
	decoder->section_size = message->payload_size;
	decoder->section_used = 0;
	decoder->arena.left = decoder->limits.memory;
}

int read_end(struct decoder *decoder)
{
	size_t left = decoder->section_size - decoder->section_used;

	decoder->field = NULL;
	if (decoder->head_left || left)
		read_fail(decoder, decoder->malformed,
			  "has %zu bytes of arguments and %zu of payload too many",
			  decoder->head_left, left);
	return decoder->error;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
	unsigned char all = 0;

	for (size_t i = 0; i < size; i++)
		all |= bytes[i];
	return !all;
}

void read_item(struct decoder *decoder, void *ret_item, size_t size)
{
	size_t padding = padding_of(size);

	if (!decoder->error && decoder->head_left < size + padding)
		read_fail(decoder, decoder->malformed, "is cut short: %zu bytes where %zu belong",
			  decoder->head_left, size + padding);
	else if (!decoder->error && !is_zero(decoder->head + size, padding))
		read_fail(decoder, decoder->malformed, "has padding that is not zero");
	if (decoder->error) {
		memset(ret_item, 0, size);
		return;
	}
	memcpy(ret_item, decoder->head, size);
	decoder->head += size + padding;
	decoder->head_left -= size + padding;
}

uint64_t read_number(struct decoder *decoder)
{
	uint64_t number;

	read_item(decoder, &number, sizeof(number));
	return number;
}

bool read_presence(struct decoder *decoder)
{
	uint64_t present;

	if (!field_has_presence(decoder->field))
		return !decoder->error;
	present = read_number(decoder);
	if (present > 1)
		read_fail(decoder, decoder->malformed,
			  "has %" PRIu64 " where 1 says that it is there and 0 that it is not",
			  present);
	return !decoder->error && present;
}

size_t read_count(struct decoder *decoder, size_t wire_size)
{
	uint64_t count = read_number(decoder);

	if (count > decoder->limits.count)
		read_fail(decoder, VACCEL_EDQUOT, "has %" PRIu64 " elements; %zu are permitted",
			  count, decoder->limits.count);
	else if (wire_size && count > decoder->head_left / wire_size)
		read_fail(decoder, decoder->malformed,
			  "is cut short: %" PRIu64 " elements in %zu bytes", count,
			  decoder->head_left);
	return decoder->error ? 0 : (size_t)count;
}

size_t read_item_wire_size(const struct vaccel_item *item)
{
	size_t size = 0;

	for (size_t i = 0; i < item->nr_fields; i++)
		size += item->fields[i].kind == VACCEL_KIND_ONE ? NUMBER_WIRE_SIZE
								: PAYLOAD_WIRE_SIZE;
	return size;
}

struct shape read_shape(struct decoder *decoder)
{
	struct shape shape;

	read_item(decoder, &shape, sizeof(shape));
	if (shape.nr_dims > VACCEL_TENSOR_DIMS_MAX) {
		read_fail(decoder, decoder->malformed, "has a tensor of %" PRIu32 " dimensions",
			  shape.nr_dims);
		shape.nr_dims = 0;
	}
	return shape;
}

static void check_inline(struct decoder *decoder, const struct payload *payload)
{
	size_t left = decoder->section_size - decoder->section_used;

	if (payload->region || payload->offset != decoder->section_used)
		read_fail(decoder, decoder->malformed,
			  "starts at byte %" PRIu64 " of the payload, not at byte %zu",
			  payload->offset, decoder->section_used);
	else if (payload->size > left || padding_of(payload->size) > left - payload->size)
		read_fail(decoder, decoder->malformed,
			  "is cut short: %" PRIu64 " bytes, of which %zu are there", payload->size,
			  left);
	else
		decoder->section_used += (size_t)payload->size + padding_of(payload->size);
}

struct payload read_payload(struct decoder *decoder)
{
	struct payload payload;

	read_item(decoder, &payload, sizeof(payload));
	if (payload.size > PTRDIFF_MAX)
		read_fail(decoder, VACCEL_ERANGE, "cannot have %" PRIu64 " bytes", payload.size);
	else if (payload.place == PAYLOAD_INLINE)
		check_inline(decoder, &payload);
	else if (payload.place > PAYLOAD_PAGES)
		read_fail(decoder, decoder->malformed, "is in place %" PRIu32 "; there is none",
			  payload.place);
	else if (payload.place == PAYLOAD_NONE && (payload.size | payload.region | payload.offset))
		read_fail(decoder, decoder->malformed, "is nowhere, with %" PRIu64 " bytes",
			  payload.size);
	return decoder->error ? (struct payload){.place = PAYLOAD_NONE} : payload;
}

void *read_at(struct decoder *decoder, const struct payload *payload, enum vaccel_dir dir)
{
	const struct codec_hooks *hooks = decoder->hooks;
	void *data = NULL;

	if (!payload->size)
		read_fail(decoder, decoder->malformed, "is in region %" PRIu32 ", with no bytes",
			  payload->region);
	else if (payload->offset % CODEC_ALIGN)
		read_fail(decoder, decoder->malformed,
			  "is at byte %" PRIu64 " of a region, which is no multiple of %d",
			  payload->offset, CODEC_ALIGN);
	if (decoder->error)
		return NULL;
	if (hooks && hooks->at)
		decoder->error = hooks->at(hooks->context, payload, dir, &data);
	else
		read_fail(decoder, decoder->malformed,
			  "is in region %" PRIu32 ", and this connection has none",
			  payload->region);
	return decoder->error ? NULL : data;
}

size_t read_elements(struct decoder *decoder, const struct payload *payload,
		     const struct vaccel_field *field)
{
	if (payload->size % field->size)
		read_fail(decoder, decoder->malformed,
			  "has %" PRIu64 " bytes, which are no whole elements of %zu",
			  payload->size, field->size);
	return (size_t)payload->size / field->size;
}

void decoder_clear(struct decoder *decoder)
{
	arena_clear(&decoder->arena);
	pieces_clear(&decoder->payload);
}

void decoder_release(struct decoder *decoder)
{
	arena_release(&decoder->arena);
	pieces_release(&decoder->payload);
	*decoder = (struct decoder){.hooks = decoder->hooks, .limits = decoder->limits};
}
