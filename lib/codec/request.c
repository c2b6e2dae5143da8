// SPDX-License-Identifier: Apache-2.0
/*
 * A request's bytes become arguments for vaccel_call(). Bulk bytes are used where
 * they are; lists, texts and dimensions are built in the decoder's arena, and so
 * is the room for outputs.
 */
#include <inttypes.h>
#include <string.h>

#include <vaccel/ops/describe.h>

#include "base/copy.h"
#include "base/util.h"
#include "call/call.h"
#include "codec/read.h"

/* What an empty payload points to: there, and of no bytes. */
static uint64_t nothing;

static void *make_array(struct decoder *decoder, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		read_fail(decoder, VACCEL_ERANGE, "cannot have %zu elements", count);
		return NULL;
	}
	return read_make(decoder, bytes);
}

static void *make_copy(struct decoder *decoder, const void *from, size_t size)
{
	void *copy = read_make(decoder, size);

	if (copy && size)
		copy_bulk(copy, from, size);
	return copy;
}

/* Where a payload's bytes are; NULL if there is none. */
static void *find(struct decoder *decoder, const struct payload *payload, enum vaccel_dir dir)
{
	void *data;

	if (payload->place == PAYLOAD_NONE)
		return NULL;
	if (payload->place == PAYLOAD_INLINE)
		return payload->size ? decoder->section + payload->offset : (void *)&nothing;
	data = read_at(decoder, payload, dir);
	/* The other end could still change them, and a parser be led astray. */
	if (data && decoder->field->marks & VACCEL_MARK_STABLE)
		data = make_copy(decoder, data, (size_t)payload->size);
	return data;
}

static struct extent read_span(struct decoder *decoder, const struct vaccel_field *field,
			       enum vaccel_dir dir)
{
	struct payload payload = read_payload(decoder);
	size_t count = read_elements(decoder, &payload, field);

	return (struct extent){find(decoder, &payload, dir), count};
}

static char *read_text(struct decoder *decoder)
{
	struct payload payload = read_payload(decoder);
	const char *from = find(decoder, &payload, VACCEL_DIR_IN);
	char *text = from ? read_make(decoder, (size_t)payload.size + 1) : NULL;

	if (!text)
		return NULL;
	/* Checked after it is copied, since what lies in a region may change. */
	memcpy(text, from, (size_t)payload.size);
	if (memchr(text, '\0', (size_t)payload.size))
		read_fail(decoder, decoder->malformed, "is a text with a NUL in it");
	return text;
}

static void read_list_item(struct decoder *decoder, char *at)
{
	const struct vaccel_item *item = decoder->field->item;

	for (size_t i = 0; i < item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i];

		if (field->kind == VACCEL_KIND_ONE)
			read_item(decoder, at + field->offset, field->size);
		else if (field->kind == VACCEL_KIND_TEXT)
			pointer_set(at, field, read_text(decoder));
		else
			extent_set(at, field, read_span(decoder, field, VACCEL_DIR_IN));
	}
}

static struct extent read_list(struct decoder *decoder)
{
	const struct vaccel_item *item = decoder->field->item;
	size_t count = read_count(decoder, read_item_wire_size(item));
	char *items = make_array(decoder, count, item->size);

	for (size_t i = 0; !decoder->error && i < count; i++)
		read_list_item(decoder, items + i * item->size);
	return (struct extent){items, count};
}

static void read_tensor(struct decoder *decoder, struct vaccel_tensor *tensor)
{
	struct shape shape = read_shape(decoder);
	struct payload payload;

	tensor->data_type = (int32_t)shape.type;
	tensor->nr_dims = shape.nr_dims;
	tensor->dims = make_array(decoder, shape.nr_dims, sizeof(*tensor->dims));
	if (!decoder->error)
		read_item(decoder, tensor->dims, shape.nr_dims * sizeof(*tensor->dims));
	payload = read_payload(decoder);
	tensor->data = find(decoder, &payload, VACCEL_DIR_IN);
	tensor->size = (size_t)payload.size;
}

static struct extent read_tensors(struct decoder *decoder)
{
	size_t count = read_count(decoder, TENSOR_WIRE_SIZE);
	struct vaccel_tensor *tensors = make_array(decoder, count, sizeof(*tensors));

	for (size_t i = 0; !decoder->error && i < count; i++)
		read_tensor(decoder, &tensors[i]);
	return (struct extent){tensors, count};
}

static struct extent read_user_args(struct decoder *decoder)
{
	size_t count = read_count(decoder, USER_ARG_WIRE_SIZE);
	struct vaccel_arg *list = make_array(decoder, count, sizeof(*list));

	for (size_t i = 0; !decoder->error && i < count; i++) {
		struct payload payload;
		uint32_t types[2];

		read_item(decoder, types, sizeof(types));
		payload = read_payload(decoder);
		list[i] = (struct vaccel_arg){
			.buf = find(decoder, &payload, decoder->field->dir),
			.size = (size_t)payload.size,
			.type = (vaccel_arg_type_t)types[0],
			.custom_type_id = types[1],
		};
	}
	return (struct extent){list, count};
}

/* Room for an output: in the memory that the reference names, or made here. */
static void *read_room(struct decoder *decoder, size_t *ret_size)
{
	struct payload payload;

	read_item(decoder, &payload, sizeof(payload));
	*ret_size = (size_t)payload.size;
	if (payload.size > PTRDIFF_MAX)
		read_fail(decoder, VACCEL_ERANGE, "cannot have room for %" PRIu64 " bytes",
			  payload.size);
	else if (payload.place > PAYLOAD_PAGES)
		read_fail(decoder, decoder->malformed, "has room in place %" PRIu32, payload.place);
	else if (payload.place >= PAYLOAD_REGION)
		return read_at(decoder, &payload, VACCEL_DIR_OUT);
	else if (payload.region | payload.offset)
		read_fail(decoder, decoder->malformed, "has room at byte %" PRIu64 " of nothing",
			  payload.offset);
	else if (payload.place == PAYLOAD_INLINE)
		return read_make(decoder, (size_t)payload.size);
	else if (payload.size)
		read_fail(decoder, decoder->malformed, "is absent, with room for %" PRIu64 " bytes",
			  payload.size);
	return NULL;
}

static void read_resource(struct decoder *decoder, void *args)
{
	const struct codec_hooks *hooks = decoder->hooks;
	int64_t id = (int64_t)read_number(decoder);
	struct vaccel_resource *resource = NULL;

	if (decoder->error)
		return;
	if (hooks && hooks->resource)
		decoder->error = hooks->resource(hooks->context, id, &resource);
	else
		read_fail(decoder, VACCEL_ENOTSUP, "is a resource, and there are none here");
	pointer_set(args, decoder->field, resource);
}

static void read_one(struct decoder *decoder, char *args)
{
	const struct vaccel_field *field = decoder->field;
	void *value;

	if (field->dir == VACCEL_DIR_IN) {
		read_item(decoder, args + field->offset, field->size);
		return;
	}
	if (!read_presence(decoder))
		return;
	value = read_make(decoder, field->size);
	if (value && field->dir == VACCEL_DIR_INOUT)
		read_item(decoder, value, field->size);
	pointer_set(args, field, value);
}

/* Nothing half done is left where outputs may be looked for. */
static void set_extent(const struct decoder *decoder, void *args, struct extent extent)
{
	if (!decoder->error)
		extent_set(args, decoder->field, extent);
}

static void read_content(struct decoder *decoder, void *args)
{
	const struct vaccel_field *field = decoder->field;

	if (field->kind == VACCEL_KIND_ONE)
		read_one(decoder, args);
	else if (field->kind == VACCEL_KIND_TEXT)
		pointer_set(args, field, read_text(decoder));
	else if (field->kind == VACCEL_KIND_RESOURCE)
		read_resource(decoder, args);
	else if (field->kind == VACCEL_KIND_SPAN)
		set_extent(decoder, args, read_span(decoder, field, field->dir));
	else if (!read_presence(decoder))
		return;
	else if (field->kind == VACCEL_KIND_LIST)
		set_extent(decoder, args, read_list(decoder));
	else if (field->kind == VACCEL_KIND_TENSORS)
		set_extent(decoder, args, read_tensors(decoder));
	else
		set_extent(decoder, args, read_user_args(decoder));
}

static struct extent read_tensor_wish(struct decoder *decoder)
{
	size_t count = read_count(decoder, 0);

	return (struct extent){make_array(decoder, count, sizeof(struct vaccel_tensor)), count};
}

static void read_wish(struct decoder *decoder, void *args)
{
	const struct vaccel_field *field = decoder->field;
	struct extent extent;

	if (field->kind == VACCEL_KIND_ONE) {
		read_one(decoder, args);
	} else if (field->kind == VACCEL_KIND_TENSORS) {
		if (read_presence(decoder))
			set_extent(decoder, args, read_tensor_wish(decoder));
	} else if (!(field->marks & VACCEL_MARK_GROWS)) {
		extent.data = read_room(decoder, &extent.count);
		if (extent.count % field->size)
			read_fail(decoder, decoder->malformed,
				  "has room for %zu bytes, which are no whole elements of %zu",
				  extent.count, field->size);
		extent.count /= field->size;
		set_extent(decoder, args, extent);
	}
}

static void read_argument(struct decoder *decoder, const struct vaccel_field *field, void *args)
{
	decoder->field = field;
	if (field->dir & VACCEL_DIR_IN)
		read_content(decoder, args);
	else
		read_wish(decoder, args);
}

int decode_request(struct decoder *decoder, const struct vaccel_op *op,
		   const struct codec_message *message, void **ret_args)
{
	void *args;
	int ret;

	read_start(decoder, op, "request", message);
	args = read_make(decoder, op->args_size);
	for (size_t i = 0; !decoder->error && i < op->nr_fields; i++)
		read_argument(decoder, &op->fields[i], args);
	ret = read_end(decoder);
	if (!ret)
		*ret_args = args;
	return ret;
}

int decode_argument(struct decoder *decoder, const struct vaccel_op *op,
		    const struct vaccel_field *field, const struct codec_message *message,
		    void *args)
{
	read_start(decoder, op, "list", message);
	read_argument(decoder, field, args);
	return read_end(decoder);
}
