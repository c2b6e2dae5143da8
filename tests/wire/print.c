// SPDX-License-Identifier: Apache-2.0
/* Arguments as JSON, from their description alone; docs/protocol.md, "Vectors", has the form. */
#include <inttypes.h>
#include <string.h>

#include <vaccel/ops/describe.h>

#include "base/util.h"
#include "call/call.h"
#include "wire.h"

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
		fputc(*text, to);
	}
	fputc('"', to);
}

static void put_hex(FILE *to, const unsigned char *bytes, size_t size)
{
	fputc('"', to);
	for (size_t i = 0; i < size; i++)
		fprintf(to, "%02x", bytes[i]);
	fputc('"', to);
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
		fprintf(to, "%.9g", (double)value.f32);
	} else if (!strcmp(type, "f64")) {
		fprintf(to, "%.17g", value.f64);
	} else if (type[0] == 'i') {
		unsigned int unused = 64 - 8 * (unsigned int)size;

		fprintf(to, "%" PRId64, (int64_t)(value.whole << unused) >> unused);
	} else {
		fprintf(to, "%" PRIu64, value.whole);
	}
}

static bool put_region(FILE *to, const void *data, size_t size)
{
	uintptr_t offset = (uintptr_t)data - (uintptr_t)wire_region;

	if (offset >= WIRE_REGION_SIZE)
		return false;
	fprintf(to, "{\"region\": %d, \"offset\": %zu, \"size\": %zu}", WIRE_REGION, (size_t)offset,
		size);
	return true;
}

static void put_bytes(FILE *to, const void *data, size_t size)
{
	if (!data)
		fputs("null", to);
	else if (!put_region(to, data, size))
		put_hex(to, data, size);
}

static void put_span(FILE *to, const struct vaccel_field *field, struct extent span)
{
	if (!span.data || field->size == 1) {
		put_bytes(to, span.data, span.count);
		return;
	}
	if (put_region(to, span.data, span.count * field->size))
		return;
	fputc('[', to);
	for (size_t i = 0; i < span.count; i++) {
		fputs(i ? ", " : "", to);
		put_scalar(to, field->type, (const char *)span.data + i * field->size, field->size);
	}
	fputc(']', to);
}

static void put_item(FILE *to, const struct vaccel_item *item, const char *at)
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
			put_span(to, field, extent_get(at, field));
	}
	fputc('}', to);
}

static void put_tensor(FILE *to, const struct vaccel_tensor *tensor)
{
	fprintf(to, "{\"type\": %d, \"dims\": [", (int)tensor->data_type);
	for (size_t i = 0; i < tensor->nr_dims; i++)
		fprintf(to, "%s%" PRId64, i ? ", " : "", tensor->dims[i]);
	fputs("], \"data\": ", to);
	put_bytes(to, tensor->data, tensor->size);
	fputc('}', to);
}

static void put_user_arg(FILE *to, const struct vaccel_arg *arg)
{
	fprintf(to, "{\"type\": %d, \"custom_type\": %" PRIu32 ", \"data\": ", (int)arg->type,
		arg->custom_type_id);
	put_bytes(to, arg->buf, arg->size);
	fputc('}', to);
}

static void put_elements(FILE *to, const struct vaccel_field *field, struct extent list)
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
			put_item(to, field->item, at);
		else if (field->kind == VACCEL_KIND_TENSORS)
			put_tensor(to, (const struct vaccel_tensor *)at);
		else
			put_user_arg(to, (const struct vaccel_arg *)at);
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

static void put_content(FILE *to, const struct vaccel_field *field, const void *args)
{
	if (field->kind == VACCEL_KIND_ONE) {
		put_one(to, field, args);
	} else if (field->kind == VACCEL_KIND_RESOURCE) {
		int64_t id;

		wire_hooks.resource_id(NULL, pointer_get(args, field), &id);
		fprintf(to, "%" PRId64, id);
	} else if (field->kind == VACCEL_KIND_TEXT) {
		put_text(to, pointer_get(args, field));
	} else if (field->kind == VACCEL_KIND_SPAN) {
		put_span(to, field, extent_get(args, field));
	} else {
		put_elements(to, field, extent_get(args, field));
	}
}

/* Whether a request says something of an output. */
static bool is_wished(const struct vaccel_field *field)
{
	if (field->kind == VACCEL_KIND_ONE)
		return field_has_presence(field);
	return field->kind == VACCEL_KIND_TENSORS || !(field->marks & VACCEL_MARK_GROWS);
}

static void put_wish(FILE *to, const struct vaccel_field *field, const void *args)
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
	else if (!put_region(to, extent.data, extent.count * field->size))
		fprintf(to, "{\"room\": %zu}", extent.count * field->size);
}

static bool has_content(const struct vaccel_field *field, enum form form)
{
	if (form == FORM_FAILURE)
		return field_outlives_failure(field);
	return field->dir & (form == FORM_REQUEST ? VACCEL_DIR_IN : VACCEL_DIR_OUT);
}

void put_arguments(FILE *to, const struct vaccel_op *op, const void *args, enum form form)
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
			put_content(to, field, args);
		else
			put_wish(to, field, args);
	}
	fputc('}', to);
}
