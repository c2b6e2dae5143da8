// SPDX-License-Identifier: Apache-2.0
/*
 * Text is taken as UTF-8. Numbers that JSON does not have are text. What an operation's
 * outputs were before the call is not said, since it means nothing.
 */
#include "args_json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <vaccel/ops/describe.h>

#include "base/util.h"
#include "call/call.h"
#include "codec/codec.h"

void put_text(FILE *to, const char *text)
{
	if (!text) {
		fputs("null", to);
		return;
	}
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		if ((unsigned char)*text < ' ')
			fprintf(to, "\\u%04x", (unsigned int)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

void put_hex(FILE *to, const void *bytes, size_t size)
{
	fputc('"', to);
	for (size_t i = 0; i < size; i++)
		fprintf(to, "%02x", ((const unsigned char *)bytes)[i]);
	fputc('"', to);
}

/* So many digits tell each number of the type from any other. */
static void put_float(FILE *to, double value, int digits)
{
	if (isnan(value))
		fputs("\"NaN\"", to);
	else if (isinf(value))
		fputs(value < 0 ? "\"-Infinity\"" : "\"Infinity\"", to);
	else
		fprintf(to, "%.*g", digits, value);
}

/* A value of one of the types i8 to f64, which lies anywhere. */
static void put_scalar(FILE *to, const char *type, const void *at, size_t size)
{
	union {
		float f32;
		double f64;
		uint64_t whole;
	} value = {.whole = 0};

	memcpy(&value, at, size);
	if (!strcmp(type, "f32")) {
		put_float(to, (double)value.f32, 9);
	} else if (!strcmp(type, "f64")) {
		put_float(to, value.f64, 17);
	} else if (type[0] == 'i') {
		unsigned int unused = 64 - 8 * (unsigned int)size;

		fprintf(to, "%" PRId64, (int64_t)(value.whole << unused) >> unused);
	} else {
		fprintf(to, "%" PRIu64, value.whole);
	}
}

static bool put_place(FILE *to, const struct json_hooks *hooks, const void *data, size_t size)
{
	return hooks->put_place && hooks->put_place(to, data, size);
}

static void put_bytes(FILE *to, const struct json_hooks *hooks, const void *data, size_t size)
{
	if (!data)
		fputs("null", to);
	else if (!put_place(to, hooks, data, size))
		put_hex(to, data, size);
}

static void put_span(FILE *to, const struct json_hooks *hooks, const struct vaccel_field *field,
		     struct extent span)
{
	if (!span.data || field->size == 1) {
		put_bytes(to, hooks, span.data, span.count);
		return;
	}
	if (put_place(to, hooks, span.data, span.count * field->size))
		return;
	fputc('[', to);
	for (size_t i = 0; i < span.count; i++) {
		fputs(i ? ", " : "", to);
		put_scalar(to, field->type, (const char *)span.data + i * field->size, field->size);
	}
	fputc(']', to);
}

static void put_item(FILE *to, const struct json_hooks *hooks, const struct vaccel_item *item,
		     const char *at)
{
	fputc('{', to);
	for (size_t i = 0; i < item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i];

		fprintf(to, "%s\"%s\": ", i ? ", " : "", field->name);
		if (field->kind == VACCEL_KIND_ONE)
			put_scalar(to, field->type, at + field->offset, field->size);
		else if (field->kind == VACCEL_KIND_TEXT)
			put_text(to, pointer_get(at, field));
		else
			put_span(to, hooks, field, extent_get(at, field));
	}
	fputc('}', to);
}

static void put_tensor(FILE *to, const struct json_hooks *hooks, const struct vaccel_tensor *tensor)
{
	fprintf(to, "{\"type\": %d, \"dims\": [", (int)tensor->data_type);
	for (size_t i = 0; i < tensor->nr_dims; i++)
		fprintf(to, "%s%" PRId64, i ? ", " : "", tensor->dims[i]);
	fputs("], \"data\": ", to);
	put_bytes(to, hooks, tensor->data, tensor->size);
	fputc('}', to);
}

static void put_user_arg(FILE *to, const struct json_hooks *hooks, const struct vaccel_arg *arg)
{
	fprintf(to, "{\"type\": %d, \"custom_type\": %" PRIu32 ", \"data\": ", (int)arg->type,
		arg->custom_type_id);
	put_bytes(to, hooks, arg->buf, arg->size);
	fputc('}', to);
}

static void put_elements(FILE *to, const struct json_hooks *hooks, const struct vaccel_field *field,
			 struct extent list)
{
	if (!list.data && field_has_presence(field)) {
		fputs("null", to);
		return;
	}
	fputc('[', to);
	for (size_t i = 0; list.data && i < list.count; i++) {
		const char *at = (const char *)list.data + i * field->size;

		fputs(i ? ", " : "", to);
		if (field->kind == VACCEL_KIND_LIST)
			put_item(to, hooks, field->item, at);
		else if (field->kind == VACCEL_KIND_TENSORS)
			put_tensor(to, hooks, (const struct vaccel_tensor *)at);
		else
			put_user_arg(to, hooks, (const struct vaccel_arg *)at);
	}
	fputc(']', to);
}

static void put_one(FILE *to, const struct vaccel_field *field, const void *args)
{
	const void *at = field->dir == VACCEL_DIR_IN ? (const char *)args + field->offset
						     : pointer_get(args, field);

	if (at)
		put_scalar(to, field->type, at, field->size);
	else
		fputs("null", to);
}

/* Whether an output's size is the caller's to say. */
static bool is_room(const struct vaccel_field *field)
{
	return field->dir & VACCEL_DIR_OUT && !(field->marks & VACCEL_MARK_GROWS);
}

static void put_content(FILE *to, const struct json_hooks *hooks, const struct vaccel_field *field,
			const void *args)
{
	if (field->kind == VACCEL_KIND_ONE) {
		put_one(to, field, args);
	} else if (field->kind == VACCEL_KIND_RESOURCE) {
		hooks->put_resource(to, pointer_get(args, field));
	} else if (field->kind == VACCEL_KIND_TEXT) {
		/* Nothing can be in no room. */
		if (is_room(field) && !extent_get(args, field).count)
			put_text(to, extent_get(args, field).data ? "" : NULL);
		else
			put_text(to, pointer_get(args, field));
	} else if (field->kind == VACCEL_KIND_SPAN) {
		put_span(to, hooks, field, extent_get(args, field));
	} else {
		put_elements(to, hooks, field, extent_get(args, field));
	}
}

/* Whether a request says something of an output. */
static bool is_wished(const struct vaccel_field *field)
{
	if (field->kind == VACCEL_KIND_ONE)
		return field_has_presence(field);
	return field->kind == VACCEL_KIND_TENSORS || !(field->marks & VACCEL_MARK_GROWS);
}

static void put_wish(FILE *to, const struct json_hooks *hooks, const struct vaccel_field *field,
		     const void *args)
{
	struct extent extent;

	if (field->kind == VACCEL_KIND_ONE) {
		fputs(pointer_get(args, field) ? "true" : "false", to);
		return;
	}
	extent = extent_get(args, field);
	if (!extent.data)
		fputs("null", to);
	else if (field->kind == VACCEL_KIND_TENSORS)
		fprintf(to, "%zu", extent.count);
	else if (!put_place(to, hooks, extent.data, extent.count * field->size))
		fprintf(to, "{\"room\": %zu}", extent.count * field->size);
}

static bool has_content(const struct vaccel_field *field, enum form form)
{
	if (form == FORM_FAILURE)
		return field_outlives_failure(field);
	return field->dir & (form == FORM_REQUEST ? VACCEL_DIR_IN : VACCEL_DIR_OUT);
}

void put_arguments(FILE *to, const struct json_hooks *hooks, const struct vaccel_op *op,
		   const void *args, enum form form)
{
	const char *comma = "";

	fputc('{', to);
	for (size_t i = 0; i < op->nr_fields; i++) {
		const struct vaccel_field *field = &op->fields[i];
		bool content = has_content(field, form);

		if (!content && (form != FORM_REQUEST || !is_wished(field)))
			continue;
		fprintf(to, "%s\"%s\": ", comma, field->name);
		comma = ", ";
		if (content)
			put_content(to, hooks, field, args);
		else
			put_wish(to, hooks, field, args);
	}
	fputc('}', to);
}
