// SPDX-License-Identifier: Apache-2.0
/*
 * Encoding. The first error stays with the encoder and turns all that follows
 * into nothing, so that only the end of a message asks whether it went well.
 * Relies on args_check() having seen a program's arguments; those that a backend
 * has filled in since are checked here.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/ops/describe.h>
#include <vaccel/utils/str.h>

#include "base/util.h"
#include "call/call.h"
#include "codec/codec.h"
#include "codec/frame.h"

#define HEAD_ROOM 256

static const char zeros[CODEC_ALIGN];

static void no_memory(struct encoder *encoder)
{
	if (encoder->field)
		encoder->error = vaccel_fail(VACCEL_ENOMEM, "%s: no memory to send '%s'",
					     encoder->op->name, encoder->field->name);
	else
		encoder->error = vaccel_fail(VACCEL_ENOMEM, "no memory to say what went wrong");
}

static bool grow_head(struct encoder *encoder, size_t needed)
{
	size_t room = MAX_OF(encoder->head_room, (size_t)HEAD_ROOM);
	unsigned char *head;

	while (room < needed && room <= PTRDIFF_MAX / 2)
		room *= 2;
	head = room < needed ? NULL : realloc(encoder->head, room);
	if (!head) {
		no_memory(encoder);
		return false;
	}
	encoder->head = head;
	encoder->head_room = room;
	return true;
}

/* Appends an item, which is small, and its padding. */
static void put(struct encoder *encoder, const void *item, size_t size)
{
	size_t padding = padding_of(size);
	size_t end = encoder->head_size + size + padding;

	if (!size || encoder->error || (end > encoder->head_room && !grow_head(encoder, end)))
		return;
	memcpy(encoder->head + encoder->head_size, item, size);
	memset(encoder->head + end - padding, 0, padding);
	encoder->head_size = end;
}

static void put_number(struct encoder *encoder, uint64_t number)
{
	put(encoder, &number, sizeof(number));
}

/* Whether there is more to say about the argument. */
static bool put_presence(struct encoder *encoder, const void *pointer)
{
	if (!field_has_presence(encoder->field))
		return true;
	put_number(encoder, pointer != NULL);
	return pointer;
}

static bool placed(struct encoder *encoder, const void *data, enum vaccel_dir dir,
		   struct payload *payload)
{
	const struct codec_hooks *hooks = encoder->hooks;

	return payload->size && hooks && hooks->place &&
	       hooks->place(hooks->context, data, dir, payload);
}

/* Bytes that travel. */
static void put_payload(struct encoder *encoder, const void *data, size_t size, enum vaccel_dir dir)
{
	struct payload payload = {.size = size, .place = PAYLOAD_INLINE};

	if (!data)
		payload = (struct payload){.place = PAYLOAD_NONE};
	else if (!placed(encoder, data, dir, &payload)) {
		payload.offset = encoder->payload.size;
		if (!encoder->error && pieces_add_padded(&encoder->payload, data, size, zeros))
			no_memory(encoder);
	}
	put(encoder, &payload, sizeof(payload));
}

/* Room for bytes that the reply will bring. */
static void put_room(struct encoder *encoder, const void *data, size_t size)
{
	struct payload payload = {.size = size, .place = PAYLOAD_INLINE};

	if (!data)
		payload = (struct payload){.place = PAYLOAD_NONE};
	else
		placed(encoder, data, VACCEL_DIR_OUT, &payload);
	put(encoder, &payload, sizeof(payload));
}

static size_t extent_bytes(struct encoder *encoder, struct extent extent,
			   const struct vaccel_field *field)
{
	size_t bytes = 0;

	if (!encoder->error &&
	    (__builtin_mul_overflow(extent.count, field->size, &bytes) || bytes > PTRDIFF_MAX))
		encoder->error =
			vaccel_fail(VACCEL_ERANGE, "%s: '%s' cannot have %zu elements of %zu bytes",
				    encoder->op->name, field->name, extent.count, field->size);
	return bytes;
}

static void put_span(struct encoder *encoder, struct extent extent,
		     const struct vaccel_field *field, enum vaccel_dir dir)
{
	put_payload(encoder, extent.data, extent_bytes(encoder, extent, field), dir);
}

static void put_string(struct encoder *encoder, const char *text, enum vaccel_dir dir)
{
	put_payload(encoder, text, text ? strlen(text) : 0, dir);
}

/* In a list that a backend made, no text is missing. */
static void check_text(struct encoder *encoder, const char *text, const struct vaccel_field *field,
		       size_t index)
{
	if (!text && !encoder->error)
		encoder->error =
			vaccel_fail(VACCEL_EBACKEND, "%s: '%s' of %s[%zu] is NULL",
				    encoder->op->name, field->name, encoder->field->name, index);
}

static void put_list(struct encoder *encoder, struct extent list, enum vaccel_dir dir)
{
	const struct vaccel_item *item = encoder->field->item;

	put_number(encoder, list.count);
	for (size_t i = 0; !encoder->error && i < list.count; i++) {
		const char *at = (const char *)list.data + i * item->size;

		for (size_t f = 0; f < item->nr_fields; f++) {
			const struct vaccel_field *field = &item->fields[f];

			if (field->kind == VACCEL_KIND_TEXT && dir == VACCEL_DIR_OUT)
				check_text(encoder, pointer_get(at, field), field, i);
			if (field->kind == VACCEL_KIND_ONE)
				put(encoder, at + field->offset, field->size);
			else if (field->kind == VACCEL_KIND_TEXT)
				put_string(encoder, pointer_get(at, field), dir);
			else
				put_span(encoder, extent_get(at, field), field, dir);
		}
	}
}

static void put_tensors(struct encoder *encoder, struct extent list, enum vaccel_dir dir)
{
	const struct vaccel_tensor *tensors = list.data;

	put_number(encoder, list.count);
	for (size_t i = 0; !encoder->error && i < list.count; i++) {
		const struct vaccel_tensor *tensor = &tensors[i];
		const uint32_t shape[] = {(uint32_t)tensor->data_type, (uint32_t)tensor->nr_dims};

		if (tensor->nr_dims > VACCEL_TENSOR_DIMS_MAX) {
			encoder->error = vaccel_fail(
				VACCEL_ERANGE, "%s: %s[%zu] has %zu dimensions; send at most %d",
				encoder->op->name, encoder->field->name, i, tensor->nr_dims,
				VACCEL_TENSOR_DIMS_MAX);
			return;
		}
		put(encoder, shape, sizeof(shape));
		put(encoder, tensor->dims, tensor->nr_dims * sizeof(*tensor->dims));
		put_payload(encoder, tensor->data, tensor->size, dir);
	}
}

static void put_user_args(struct encoder *encoder, struct extent list, enum vaccel_dir dir)
{
	const struct vaccel_arg *args = list.data;

	put_number(encoder, list.count);
	for (size_t i = 0; !encoder->error && i < list.count; i++) {
		const uint32_t types[] = {args[i].type, args[i].custom_type_id};

		put(encoder, types, sizeof(types));
		put_payload(encoder, args[i].buf, args[i].size, dir);
	}
}

static void put_one(struct encoder *encoder, const void *args)
{
	const struct vaccel_field *field = encoder->field;
	const void *value;

	if (field->dir == VACCEL_DIR_IN) {
		put(encoder, (const char *)args + field->offset, field->size);
		return;
	}
	value = pointer_get(args, field);
	if (put_presence(encoder, value))
		put(encoder, value, field->size);
}

static void put_text(struct encoder *encoder, const void *args)
{
	const struct vaccel_field *field = encoder->field;
	struct extent text;

	if (field->dir == VACCEL_DIR_IN) {
		put_string(encoder, pointer_get(args, field), VACCEL_DIR_IN);
		return;
	}
	text = extent_get(args, field);
	put_payload(encoder, text.data, text.data ? strnlen(text.data, text.count) : 0,
		    VACCEL_DIR_OUT);
}

static void put_resource(struct encoder *encoder, const void *args)
{
	const struct codec_hooks *hooks = encoder->hooks;
	struct vaccel_resource *resource = pointer_get(args, encoder->field);
	int64_t id = 0;

	if (encoder->error)
		return;
	if (hooks && hooks->resource_id)
		encoder->error = hooks->resource_id(hooks->context, resource, &id);
	else
		encoder->error = vaccel_fail(VACCEL_ENOTSUP,
					     "%s: '%s' is a resource, and none can be sent here",
					     encoder->op->name, encoder->field->name);
	put_number(encoder, (uint64_t)id);
}

/* An argument whose content this message carries, going in the direction @dir. */
static void put_content(struct encoder *encoder, const void *args, enum vaccel_dir dir)
{
	const struct vaccel_field *field = encoder->field;
	struct extent extent;

	switch (field->kind) {
	case VACCEL_KIND_ONE:
		put_one(encoder, args);
		return;
	case VACCEL_KIND_TEXT:
		put_text(encoder, args);
		return;
	case VACCEL_KIND_RESOURCE:
		put_resource(encoder, args);
		return;
	default:
		extent = extent_get(args, field);
	}
	if (field->kind == VACCEL_KIND_SPAN)
		put_span(encoder, extent, field, dir);
	else if (!put_presence(encoder, extent.data))
		return;
	else if (field->kind == VACCEL_KIND_LIST)
		put_list(encoder, extent, dir);
	else if (field->kind == VACCEL_KIND_TENSORS)
		put_tensors(encoder, extent, dir);
	else
		put_user_args(encoder, extent, dir);
}

/* In a request, an argument whose content only the reply has. */
static void put_wish(struct encoder *encoder, const void *args)
{
	const struct vaccel_field *field = encoder->field;
	struct extent extent;

	if (field->kind == VACCEL_KIND_ONE) {
		put_presence(encoder, pointer_get(args, field));
		return;
	}
	extent = extent_get(args, field);
	if (field->kind == VACCEL_KIND_TENSORS) {
		if (put_presence(encoder, extent.data))
			put_number(encoder, extent.count);
	} else if (!(field->marks & VACCEL_MARK_GROWS)) {
		put_room(encoder, extent.data, extent_bytes(encoder, extent, field));
	}
}

static void start(struct encoder *encoder, const struct vaccel_op *op)
{
	encoder->op = op;
	encoder->field = NULL;
	encoder->error = VACCEL_OK;
	encoder->head_size = 0;
	pieces_clear(&encoder->payload);
}

int encode_request(struct encoder *encoder, const struct vaccel_op *op, const void *args)
{
	start(encoder, op);
	for (size_t i = 0; i < op->nr_fields; i++) {
		encoder->field = &op->fields[i];
		if (encoder->field->dir & VACCEL_DIR_IN)
			put_content(encoder, args, encoder->field->dir);
		else
			put_wish(encoder, args);
	}
	return encoder->error;
}

int encode_reply(struct encoder *encoder, const struct vaccel_op *op, const void *args)
{
	start(encoder, op);
	for (size_t i = 0; i < op->nr_fields; i++) {
		encoder->field = &op->fields[i];
		if (encoder->field->dir & VACCEL_DIR_OUT)
			put_content(encoder, args, VACCEL_DIR_OUT);
	}
	return encoder->error;
}

int encode_argument(struct encoder *encoder, const struct vaccel_op *op,
		    const struct vaccel_field *field, const void *args)
{
	start(encoder, op);
	encoder->field = field;
	put_content(encoder, args, VACCEL_DIR_OUT);
	return encoder->error;
}

static void put_words(struct encoder *encoder, const char *words)
{
	size_t size = strnlen(words, FRAME_TEXT_MAX);
	char text[FRAME_TEXT_MAX + 1];

	memcpy(text, words, size);
	text[size] = '\0';
	vaccel_str_make_printable(text);
	put_number(encoder, size);
	put(encoder, text, size);
}

int encode_failure(struct encoder *encoder, const struct vaccel_op *op, const void *args,
		   const char *words)
{
	start(encoder, op);
	put_words(encoder, words);
	for (size_t i = 0; args && i < op->nr_fields; i++) {
		encoder->field = &op->fields[i];
		if (field_outlives_failure(encoder->field))
			put_content(encoder, args, VACCEL_DIR_OUT);
	}
	return encoder->error;
}

void encoder_release(struct encoder *encoder)
{
	free(encoder->head);
	pieces_release(&encoder->payload);
	*encoder = (struct encoder){.hooks = encoder->hooks};
}
