// SPDX-License-Identifier: Apache-2.0
/* The other half of random_args.h: a backend that answers at random, and comparing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/ops/describe.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "call/call.h"
#include "random_args.h"

/* Room for an output that GROWS. */
static void *out(struct vaccel_call *call, const struct vaccel_field *field, size_t size)
{
	void *memory = vaccel_call_out(call, (char *)call->args + field->offset, size);

	if (!memory)
		abort();
	return memory;
}

static size_t fill_text(struct random *random, char *to, size_t room)
{
	size_t length = random_below(random, room);

	for (size_t i = 0; i < length; i++)
		to[i] = (char)(1 + random_below(random, 255));
	if (room)
		to[length] = '\0';
	return length;
}

static void answer_list(struct vaccel_call *call, const struct vaccel_field *list,
			struct random *random)
{
	const struct vaccel_item *item = list->item;
	const size_t each = 24; /* bytes for what a field points to */
	size_t count = random_below(random, 6), cells = count * item->nr_fields;
	char *items = out(call, list, count * item->size + cells * each);
	char *tail = items + count * item->size;

	extent_set(call->args, list, (struct extent){items, count});
	for (size_t i = 0; i < cells; i++, tail += each) {
		const struct vaccel_field *field = &item->fields[i % item->nr_fields];
		char *at = items + i / item->nr_fields * item->size;

		if (field->kind == VACCEL_KIND_ONE) {
			random_bytes(random, at + field->offset, field->size);
		} else if (field->kind == VACCEL_KIND_TEXT) {
			fill_text(random, tail, each);
			pointer_set(at, field, tail);
		} else {
			random_bytes(random, tail, each);
			extent_set(at, field,
				   (struct extent){tail, random_below(random, each / field->size)});
		}
	}
}

static void answer_tensors(struct vaccel_call *call, const struct vaccel_field *field,
			   struct random *random)
{
	struct extent extent = extent_get(call->args, field);
	struct vaccel_tensor *tensors = extent.data;

	for (size_t i = 0; i < extent.count; i++) {
		int64_t dims[4];

		random_bytes(random, dims, sizeof(dims));
		if (vaccel_call_out_tensor(call, &tensors[i], (int32_t)random_below(random, 23),
					   random_below(random, 5), dims, random_below(random, 99)))
			abort();
		random_bytes(random, tensors[i].data, tensors[i].size);
	}
}

static void answer_user_args(struct extent list, struct random *random)
{
	struct vaccel_arg *args = list.data;

	for (size_t i = 0; i < list.count; i++) {
		random_bytes(random, args[i].buf, args[i].size);
		if (random_below(random, 2))
			args[i].size = random_below(random, args[i].size + 1);
	}
}

static void answer_growing(struct vaccel_call *call, const struct vaccel_field *field,
			   struct random *random)
{
	size_t count = random_below(random, 50);
	void *memory;

	/* A backend may leave it out. */
	if (!random_below(random, 4))
		return;
	if (field->kind == VACCEL_KIND_LIST) {
		answer_list(call, field, random);
		return;
	}
	memory = out(call, field, count * field->size);
	if (field->kind == VACCEL_KIND_TEXT) {
		fill_text(random, memory, count);
		return;
	}
	random_bytes(random, memory, count * field->size);
	extent_set(call->args, field, (struct extent){memory, count});
}

static void answer(struct vaccel_call *call, const struct vaccel_field *field,
		   struct random *random)
{
	struct extent extent;

	if (field->kind == VACCEL_KIND_ONE) {
		if (pointer_get(call->args, field))
			random_bytes(random, pointer_get(call->args, field), field->size);
		return;
	}
	if (field->kind == VACCEL_KIND_TENSORS) {
		answer_tensors(call, field, random);
		return;
	}
	if (field->marks & VACCEL_MARK_GROWS) {
		answer_growing(call, field, random);
		return;
	}
	extent = extent_get(call->args, field);
	if (field->kind == VACCEL_KIND_ARGS)
		answer_user_args(extent, random);
	else if (field->kind == VACCEL_KIND_TEXT)
		fill_text(random, extent.data, extent.count);
	else
		random_bytes(random, extent.data, extent.count * field->size);
}

void random_args_answer(const struct vaccel_op *op, void *args, struct random *random)
{
	struct vaccel_call call = {.op = op, .args = args};

	for (size_t i = 0; i < op->nr_fields; i++)
		if (op->fields[i].dir & VACCEL_DIR_OUT)
			answer(&call, &op->fields[i], random);
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
	return (a != NULL) == (b != NULL) && (!a || !size || !memcmp(a, b, size));
}

static bool same_text(const char *a, const char *b)
{
	return (a != NULL) == (b != NULL) && (!a || !strcmp(a, b));
}

/* How much there is; of a text that GROWS the size is that of its block, and free. */
static bool same_extent(struct extent a, struct extent b)
{
	return (a.data != NULL) == (b.data != NULL) && a.count == b.count;
}

static bool same_list(const struct vaccel_item *item, struct extent a, struct extent b)
{
	for (size_t i = 0; i < a.count * item->nr_fields; i++) {
		const struct vaccel_field *field = &item->fields[i % item->nr_fields];
		size_t offset = i / item->nr_fields * item->size;
		const char *at = (const char *)a.data + offset,
			   *other = (const char *)b.data + offset;
		struct extent span, other_span;

		if (field->kind == VACCEL_KIND_ONE) {
			if (memcmp(at + field->offset, other + field->offset, field->size))
				return false;
			continue;
		}
		if (field->kind == VACCEL_KIND_TEXT) {
			if (!same_text(pointer_get(at, field), pointer_get(other, field)))
				return false;
			continue;
		}
		span = extent_get(at, field);
		other_span = extent_get(other, field);
		if (!same_extent(span, other_span) ||
		    !same_bytes(span.data, other_span.data, span.count * field->size))
			return false;
	}
	return true;
}

static bool same_tensors(struct extent a, struct extent b)
{
	const struct vaccel_tensor *one = a.data, *other = b.data;

	for (size_t i = 0; i < a.count; i++)
		if (one[i].data_type != other[i].data_type || one[i].nr_dims != other[i].nr_dims ||
		    one[i].size != other[i].size ||
		    !same_bytes(one[i].dims, other[i].dims, one[i].nr_dims * sizeof(int64_t)) ||
		    !same_bytes(one[i].data, other[i].data, one[i].size))
			return false;
	return true;
}

static bool same_user_args(struct extent a, struct extent b)
{
	const struct vaccel_arg *one = a.data, *other = b.data;

	for (size_t i = 0; i < a.count; i++)
		if (one[i].type != other[i].type ||
		    one[i].custom_type_id != other[i].custom_type_id ||
		    one[i].size != other[i].size ||
		    !same_bytes(one[i].buf, other[i].buf, one[i].size))
			return false;
	return true;
}

static bool same_one(const struct vaccel_field *field, const void *a, const void *b, bool content)
{
	if (field->dir == VACCEL_DIR_IN)
		return !memcmp((const char *)a + field->offset, (const char *)b + field->offset,
			       field->size);
	return same_bytes(pointer_get(a, field), pointer_get(b, field), content ? field->size : 0);
}

static bool same(const struct vaccel_field *field, const void *a, const void *b, bool content)
{
	bool text = field->kind == VACCEL_KIND_TEXT;
	struct extent one, other;

	if (field->kind == VACCEL_KIND_ONE)
		return same_one(field, a, b, content);
	if (field->kind == VACCEL_KIND_RESOURCE)
		return pointer_get(a, field) == pointer_get(b, field);
	if (text && field->dir == VACCEL_DIR_IN)
		return same_text(pointer_get(a, field), pointer_get(b, field));
	one = extent_get(a, field);
	other = extent_get(b, field);
	if (!content)
		return same_extent(one, other);
	if (text)
		return (one.data != NULL) == (other.data != NULL) &&
		       (!one.data ||
			!strncmp(one.data, other.data, MIN_OF(one.count, other.count)));
	if (!same_extent(one, other))
		return false;
	if (field->kind == VACCEL_KIND_SPAN)
		return same_bytes(one.data, other.data, one.count * field->size);
	if (field->kind == VACCEL_KIND_LIST)
		return same_list(field->item, one, other);
	return field->kind == VACCEL_KIND_TENSORS ? same_tensors(one, other)
						  : same_user_args(one, other);
}

const char *random_args_differ_in_request(const struct vaccel_op *op, const void *a, const void *b)
{
	for (size_t i = 0; i < op->nr_fields; i++) {
		const struct vaccel_field *field = &op->fields[i];

		if (!same(field, a, b, field->dir & VACCEL_DIR_IN))
			return field->name;
	}
	return NULL;
}

const char *random_args_differ_in_reply(const struct vaccel_op *op, const void *a, const void *b)
{
	for (size_t i = 0; i < op->nr_fields; i++)
		if (op->fields[i].dir & VACCEL_DIR_OUT && !same(&op->fields[i], a, b, true))
			return op->fields[i].name;
	return NULL;
}
