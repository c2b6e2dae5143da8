// SPDX-License-Identifier: Apache-2.0
/*
 * A reply goes into the memory of the program that made the call. The head says
 * how much of what there is; bulk bytes are placed by whoever reads them, at the
 * pieces listed here, so that no one copies them on the way. The agent is not
 * trusted: nothing grows beyond what the program gave or the limits permit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/ops/describe.h>
#include <vaccel/utils/str.h>

#include "base/copy.h"
#include "base/util.h"
#include "call/call.h"
#include "codec/frame.h"
#include "codec/read.h"

/* A text whose bytes are on their way. */
struct text {
	struct text *next;
	char *from;
	size_t size;
	char *to;
	size_t room;
};

/* Lets the bytes of a payload go to @to, which has room for them; NULL where there are none. */
static void deliver(struct decoder *decoder, const struct payload *payload, void *to)
{
	size_t size = (size_t)payload->size;
	const void *from;

	if (decoder->error || !to)
		return;
	if (payload->place == PAYLOAD_INLINE) {
		if (pieces_add_padded(&decoder->payload, to, size, decoder->padding))
			read_no_memory(decoder, VACCEL_ENOMEM, size);
		return;
	}
	from = read_at(decoder, payload, VACCEL_DIR_IN);
	/* The program's memory may be the region's. */
	if (from && from != to)
		copy_bulk(to, from, size);
}

/*
 * The same for a text that goes to @to, which has room for @room bytes. What is
 * too long is read elsewhere, and cut when its bytes are there.
 */
static void deliver_text(struct decoder *decoder, const struct payload *payload, char *to,
			 size_t room)
{
	struct text *text = read_make(decoder, sizeof(*text));
	size_t size = (size_t)payload->size;

	if (!text)
		return;
	*text = (struct text){decoder->texts, size < room ? to : read_make(decoder, size), size, to,
			      room};
	decoder->texts = text;
	deliver(decoder, payload, text->from);
}

/* For the program to free; NULL after an error. */
static void *grow(struct decoder *decoder, size_t size)
{
	void *memory = NULL;
	int ret;

	if (decoder->error)
		return NULL;
	ret = arena_charge(&decoder->arena, size);
	if (!ret) {
		memory = calloc(1, size ? size : 1);
		ret = memory ? VACCEL_OK : VACCEL_ENOMEM;
	}
	if (ret)
		read_no_memory(decoder, ret, size);
	return memory;
}

/* What an item's text or span takes in the block behind the items. */
static size_t room_of(const struct payload *payload, const struct vaccel_field *field)
{
	size_t size = (size_t)payload->size + (field->kind == VACCEL_KIND_TEXT);

	return size + padding_of(size);
}

/* Whether an argument is there exactly if the program asked for it. */
static void check_asked(struct decoder *decoder, bool there, const void *to)
{
	if (!decoder->error && there != (to != NULL))
		read_fail(decoder, decoder->malformed, there ? "was not asked for" : "is missing");
}

static void check_room(struct decoder *decoder, const struct payload *payload, const void *to,
		       size_t room)
{
	check_asked(decoder, payload->place != PAYLOAD_NONE, to);
	if (payload->size > room)
		read_fail(decoder, decoder->malformed,
			  "has %" PRIu64 " bytes, and there is room for %zu", payload->size, room);
}

static void read_one(struct decoder *decoder, void *args)
{
	void *to = pointer_get(args, decoder->field);
	bool present = read_presence(decoder);

	check_asked(decoder, present, to);
	if (!decoder->error && present)
		read_item(decoder, to, decoder->field->size);
}

static void read_span(struct decoder *decoder, void *args)
{
	const struct vaccel_field *field = decoder->field;
	struct extent extent = extent_get(args, field);
	struct payload payload = read_payload(decoder);
	size_t count = read_elements(decoder, &payload, field);

	if (field->marks & VACCEL_MARK_GROWS) {
		if (payload.place == PAYLOAD_NONE)
			return;
		extent = (struct extent){grow(decoder, (size_t)payload.size), count};
		if (extent.data)
			extent_set(args, field, extent);
	} else {
		check_room(decoder, &payload, extent.data, extent.count * field->size);
	}
	deliver(decoder, &payload, extent.data);
}

static void read_text(struct decoder *decoder, void *args)
{
	const struct vaccel_field *field = decoder->field;
	struct extent text = extent_get(args, field);
	struct payload payload = read_payload(decoder);

	if (field->marks & VACCEL_MARK_GROWS) {
		if (payload.place == PAYLOAD_NONE)
			return;
		text.count = (size_t)payload.size + 1;
		text.data = grow(decoder, text.count);
		if (text.data)
			extent_set(args, field, text);
	} else {
		check_asked(decoder, payload.place != PAYLOAD_NONE, text.data);
	}
	if (!decoder->error && text.data)
		deliver_text(decoder, &payload, text.data, text.count);
}

/*
 * Bytes of what the items point to: all of it in the block behind them. Of texts, none is
 * missing, as programs rely on.
 */
static size_t measure_items(struct decoder *decoder, size_t count)
{
	const struct vaccel_item *item = decoder->field->item;
	struct payload payload;
	uint64_t value;
	size_t size = 0;

	for (size_t i = 0; !decoder->error && i < count * item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i % item->nr_fields];

		if (field->kind == VACCEL_KIND_ONE) {
			read_item(decoder, &value, field->size);
			continue;
		}
		payload = read_payload(decoder);
		if (field->kind == VACCEL_KIND_TEXT && payload.place == PAYLOAD_NONE)
			read_fail(decoder, decoder->malformed, "has an element without its '%s'",
				  field->name);
		if (__builtin_add_overflow(size, room_of(&payload, field), &size))
			read_fail(decoder, VACCEL_ERANGE, "is more than memory can be");
	}
	return size;
}

/* Reads an item, and hands out of @tail what it points to. */
static void read_list_item(struct decoder *decoder, char *at, char **tail)
{
	const struct vaccel_item *item = decoder->field->item;

	for (size_t i = 0; !decoder->error && i < item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i];
		struct payload payload;
		size_t elements;

		if (field->kind == VACCEL_KIND_ONE) {
			read_item(decoder, at + field->offset, field->size);
			continue;
		}
		payload = read_payload(decoder);
		elements = read_elements(decoder, &payload, field);
		if (payload.place == PAYLOAD_NONE)
			continue;
		if (field->kind == VACCEL_KIND_TEXT) {
			pointer_set(at, field, *tail);
			deliver_text(decoder, &payload, *tail, elements + 1);
		} else {
			extent_set(at, field, (struct extent){*tail, elements});
			deliver(decoder, &payload, *tail);
		}
		*tail += room_of(&payload, field);
	}
}

/* Two rounds over the items: the first finds out how large the block must be. */
static void read_list(struct decoder *decoder, void *args)
{
	const struct vaccel_field *field = decoder->field;
	size_t count = read_count(decoder, read_item_wire_size(field->item));
	const struct decoder start = *decoder;
	size_t behind = measure_items(decoder, count);
	size_t items, size = 0;
	char *block, *tail;

	if (__builtin_mul_overflow(count, field->size, &items) ||
	    __builtin_add_overflow(items, padding_of(items), &items) ||
	    __builtin_add_overflow(items, behind, &size))
		read_fail(decoder, VACCEL_ERANGE, "is more than memory can be");
	block = grow(decoder, size);
	if (!block)
		return;
	extent_set(args, field, (struct extent){block, count});
	decoder->head = start.head;
	decoder->head_left = start.head_left;
	decoder->section_used = start.section_used;
	tail = block + items;
	for (size_t i = 0; i < count; i++)
		read_list_item(decoder, block + i * field->size, &tail);
}

static void check_count(struct decoder *decoder, size_t count, size_t asked)
{
	if (!decoder->error && count != asked)
		read_fail(decoder, decoder->malformed, "has %zu elements; %zu were asked for",
			  count, asked);
}

static void read_tensor(struct decoder *decoder, struct vaccel_tensor *tensor)
{
	struct shape shape = read_shape(decoder);
	size_t dims = shape.nr_dims * sizeof(*tensor->dims);
	struct payload payload;

	tensor->dims = grow(decoder, dims);
	if (tensor->dims)
		read_item(decoder, tensor->dims, dims);
	payload = read_payload(decoder);
	if (payload.place != PAYLOAD_NONE)
		tensor->data = grow(decoder, (size_t)payload.size);
	tensor->owned = tensor->data != NULL;
	tensor->size = (size_t)payload.size;
	tensor->nr_dims = shape.nr_dims;
	tensor->data_type = (int32_t)shape.type;
	deliver(decoder, &payload, tensor->data);
}

static void read_tensors(struct decoder *decoder, struct extent list)
{
	struct vaccel_tensor *tensors = list.data;

	check_count(decoder, read_count(decoder, TENSOR_WIRE_SIZE), list.count);
	for (size_t i = 0; !decoder->error && i < list.count; i++)
		read_tensor(decoder, &tensors[i]);
}

/* A callee may have lowered the size of an argument; all else stays the program's. */
static void read_user_args(struct decoder *decoder, struct extent list)
{
	struct vaccel_arg *args = list.data;

	check_count(decoder, read_count(decoder, USER_ARG_WIRE_SIZE), list.count);
	for (size_t i = 0; !decoder->error && i < list.count; i++) {
		struct payload payload;

		read_number(decoder);
		payload = read_payload(decoder);
		check_room(decoder, &payload, args[i].buf, args[i].size);
		if (decoder->error)
			return;
		args[i].size = (size_t)payload.size;
		deliver(decoder, &payload, args[i].buf);
	}
}

static void read_elements_of(struct decoder *decoder, void *args)
{
	const struct vaccel_field *field = decoder->field;
	struct extent list = extent_get(args, field);
	bool present = read_presence(decoder);

	if (field->kind == VACCEL_KIND_LIST) {
		if (present)
			read_list(decoder, args);
		return;
	}
	if (field_has_presence(field))
		check_asked(decoder, present, list.data);
	if (decoder->error || !present)
		return;
	if (field->kind == VACCEL_KIND_TENSORS)
		read_tensors(decoder, list);
	else
		read_user_args(decoder, list);
}

static void read_argument(struct decoder *decoder, const struct vaccel_field *field, void *args)
{
	decoder->field = field;
	if (field->kind == VACCEL_KIND_ONE)
		read_one(decoder, args);
	else if (field->kind == VACCEL_KIND_SPAN)
		read_span(decoder, args);
	else if (field->kind == VACCEL_KIND_TEXT)
		read_text(decoder, args);
	else
		read_elements_of(decoder, args);
}

int decode_reply(struct decoder *decoder, const struct vaccel_op *op, const void *head,
		 size_t head_size, size_t payload_size, void *args)
{
	const struct codec_message message = {head, head_size, NULL, payload_size};

	args_drop_outputs(op, args);
	read_start(decoder, op, "reply", &message);
	decoder->malformed = VACCEL_EREMOTEIO;
	decoder->texts = NULL;
	pieces_clear(&decoder->payload);
	for (size_t i = 0; !decoder->error && i < op->nr_fields; i++)
		if (op->fields[i].dir & VACCEL_DIR_OUT)
			read_argument(decoder, &op->fields[i], args);
	return read_end(decoder);
}

int decode_reply_end(struct decoder *decoder)
{
	for (struct text *text = decoder->texts; text; text = text->next) {
		size_t kept = MIN_OF(text->size + 1, text->room);

		if (memchr(text->from, '\0', text->size))
			read_fail(decoder, decoder->malformed, "has a text with a NUL in it");
		if (!kept)
			continue;
		if (text->from != text->to)
			memcpy(text->to, text->from, kept - 1);
		text->to[kept - 1] = '\0';
	}
	return decoder->error;
}

/* The words of an error, which are the peer's: whatever they are, they end and can be shown. */
static void read_words(struct decoder *decoder, char words[FRAME_TEXT_MAX + 1])
{
	uint64_t size = read_number(decoder);

	if (size > FRAME_TEXT_MAX) {
		read_fail(decoder, decoder->malformed,
			  "has %" PRIu64 " bytes of words; %d are permitted", size, FRAME_TEXT_MAX);
		size = 0;
	}
	read_item(decoder, words, (size_t)size);
	words[size] = '\0';
	if (strlen(words) != size)
		read_fail(decoder, decoder->malformed, "has words with a NUL in them");
	vaccel_str_make_printable(words);
}

/* A scalar that the backend had not come to is zero, and leaves the program's as it is. */
static void read_scalar_said(struct decoder *decoder, void *args)
{
	static const char nothing[sizeof(uint64_t)];
	void *to = pointer_get(args, decoder->field);
	bool present = read_presence(decoder);
	char value[sizeof(nothing)];

	check_asked(decoder, present, to);
	if (decoder->error || !present)
		return;
	read_item(decoder, value, decoder->field->size);
	if (!decoder->error && memcmp(value, nothing, decoder->field->size))
		memcpy(to, value, decoder->field->size);
}

static void read_said(struct decoder *decoder, const struct vaccel_field *field, void *args)
{
	decoder->field = field;
	if (field->kind == VACCEL_KIND_ONE)
		read_scalar_said(decoder, args);
	else
		read_argument(decoder, field, args);
}

int decode_failure(struct decoder *decoder, const struct vaccel_op *op, const void *head,
		   size_t head_size, size_t payload_size, void *args,
		   char ret_words[FRAME_TEXT_MAX + 1])
{
	const struct codec_message message = {head, head_size, NULL, payload_size};
	char words[FRAME_TEXT_MAX + 1];

	read_start(decoder, op, "failure", &message);
	decoder->malformed = VACCEL_EREMOTEIO;
	decoder->texts = NULL;
	pieces_clear(&decoder->payload);
	read_words(decoder, words);
	decoder->has_run = decoder->head_left > 0;
	for (size_t i = 0; args && decoder->has_run && i < op->nr_fields; i++)
		if (field_outlives_failure(&op->fields[i]))
			read_said(decoder, &op->fields[i], args);
	if (!args)
		decoder->head_left = 0;
	if (!read_end(decoder))
		strcpy(ret_words, words);
	return decoder->error;
}
