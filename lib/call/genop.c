// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel_genop(): a list of arguments becomes an operation's struct by its
 * description, and what the operation puts out goes back into the list. Bulk bytes
 * are used where they are. Relies on vaccel_call() for all that holds of arguments
 * in general.
 */
#include <inttypes.h>
#include <string.h>

#include <vaccel/ops/describe.h>
#include <vaccel/ops/genop.h>
#include <vaccel/ops/image.h>

#include "base/util.h"
#include "call/call.h"
#include "codec/codec.h"

/* A list in the codec's form starts with the size of its head. */
#define ENCODED_START sizeof(uint64_t)

/* Arguments that are still to be used. */
struct queue {
	struct vaccel_arg *next;
	size_t left;
};

struct generic {
	const struct vaccel_op *op;
	struct vaccel_session *sess;
	struct queue read, write;
	struct decoder decoder; /* owns the lists */
	void *args;
};

static const struct {
	const char *name;
	vaccel_arg_type_t type;
} one_types[] = {
	{"i8", VACCEL_ARG_INT8},     {"i16", VACCEL_ARG_INT16},	 {"i32", VACCEL_ARG_INT32},
	{"i64", VACCEL_ARG_INT64},   {"u8", VACCEL_ARG_UINT8},	 {"u16", VACCEL_ARG_UINT16},
	{"u32", VACCEL_ARG_UINT32},  {"u64", VACCEL_ARG_UINT64}, {"f32", VACCEL_ARG_FLOAT32},
	{"f64", VACCEL_ARG_FLOAT64}, {"char", VACCEL_ARG_CHAR},
};

static bool is_one(const struct vaccel_field *field, const struct vaccel_arg *arg)
{
	if (arg->size != field->size)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(one_types); i++)
		if (one_types[i].type == arg->type && !strcmp(one_types[i].name, field->type))
			return true;
	return arg->type == VACCEL_ARG_RAW;
}

static bool is_bytes(const struct vaccel_arg *arg)
{
	return arg->type == VACCEL_ARG_RAW || arg->type == VACCEL_ARG_BUFFER;
}

static bool is_text(const struct vaccel_arg *arg)
{
	switch (arg->type) {
	case VACCEL_ARG_RAW:
	case VACCEL_ARG_BUFFER:
	case VACCEL_ARG_STRING:
	case VACCEL_ARG_CHAR_ARRAY:
	case VACCEL_ARG_UCHAR_ARRAY:
	case VACCEL_ARG_INT8_ARRAY:
	case VACCEL_ARG_UINT8_ARRAY:
		return true;
	default:
		return false;
	}
}

static int misfit(const struct generic *call, const struct vaccel_field *field,
		  const struct vaccel_arg *arg, const char *wanted)
{
	return vaccel_fail(VACCEL_EINVAL,
			   "genop: '%s' of %s is an argument of type %s with %zu bytes; give %s",
			   field->name, call->op->name, vaccel_arg_type_to_base_str(arg->type),
			   arg->size, wanted);
}

static int put_one(struct generic *call, const struct vaccel_field *field,
		   const struct vaccel_arg *arg)
{
	char wanted[64];

	if (!is_one(field, arg)) {
		snprintf(wanted, sizeof(wanted), "one %s, or RAW of %zu bytes", field->type,
			 field->size);
		return misfit(call, field, arg, wanted);
	}
	if (field->dir == VACCEL_DIR_IN)
		memcpy((char *)call->args + field->offset, arg->buf, field->size);
	else
		pointer_set(call->args, field, arg->buf);
	return VACCEL_OK;
}

static int put_span(struct generic *call, const struct vaccel_field *field,
		    const struct vaccel_arg *arg)
{
	char wanted[64];

	if (arg->size % field->size) {
		snprintf(wanted, sizeof(wanted), "whole elements of %zu bytes", field->size);
		return misfit(call, field, arg, wanted);
	}
	extent_set(call->args, field, (struct extent){arg->buf, arg->size / field->size});
	return VACCEL_OK;
}

static int put_text(struct generic *call, const struct vaccel_field *field,
		    const struct vaccel_arg *arg)
{
	if (!is_text(arg))
		return misfit(call, field, arg, "a STRING or bytes");
	if (field->dir != VACCEL_DIR_IN) {
		extent_set(call->args, field, (struct extent){arg->buf, arg->size});
		return VACCEL_OK;
	}
	if (arg->size && !memchr(arg->buf, '\0', arg->size))
		return misfit(call, field, arg, "text that ends in NUL");
	pointer_set(call->args, field, arg->size ? arg->buf : NULL);
	return VACCEL_OK;
}

static int put_resource(struct generic *call, const struct vaccel_field *field,
			const struct vaccel_arg *arg)
{
	struct vaccel_resource *resource;
	int64_t id;
	int ret;

	if (arg->type != VACCEL_ARG_INT64 || arg->size != sizeof(id))
		return misfit(call, field, arg, "the id of a resource, INT64");
	memcpy(&id, arg->buf, sizeof(id));
	ret = vaccel_session_resource_by_id(call->sess, &resource, id);
	if (ret == VACCEL_ENOENT)
		return vaccel_fail(VACCEL_EPERM,
				   "genop: resource %" PRId64 ", '%s' of %s, is not registered "
				   "with the session; call vaccel_resource_register() first",
				   id, field->name, call->op->name);
	if (!ret)
		pointer_set(call->args, field, resource);
	return ret;
}

/*
 * LIST and TENSORS: the size of the head, the head, the payload section. Of
 * outputs only what a request says of them is there, and then room.
 */
static int put_encoded(struct generic *call, const struct vaccel_field *field,
		       const struct vaccel_arg *arg)
{
	struct codec_message message = {.head = (const char *)arg->buf + ENCODED_START};
	uint64_t head_size = 0;

	if (!is_bytes(arg) || arg->size < ENCODED_START || (uintptr_t)arg->buf % CODEC_ALIGN)
		return misfit(call, field, arg,
			      "RAW or a BUFFER of its encoded form, aligned to 8");
	memcpy(&head_size, arg->buf, sizeof(head_size));
	if (head_size > arg->size - ENCODED_START)
		return misfit(call, field, arg, "as many bytes as its first 8 say");
	message.head_size = (size_t)head_size;
	if (field->dir == VACCEL_DIR_IN) {
		message.payload = (char *)arg->buf + ENCODED_START + message.head_size;
		message.payload_size = arg->size - ENCODED_START - message.head_size;
	}
	return decode_argument(&call->decoder, call->op, field, &message, call->args);
}

static int put(struct generic *call, const struct vaccel_field *field, const struct vaccel_arg *arg)
{
	if (arg->size && !arg->buf)
		return misfit(call, field, arg, "memory for them");
	if (!arg->size && field->marks & VACCEL_MARK_OPTIONAL)
		return VACCEL_OK;
	if (field->marks & VACCEL_MARK_GROWS && field->kind != VACCEL_KIND_TENSORS)
		return VACCEL_OK;
	switch (field->kind) {
	case VACCEL_KIND_ONE:
		return put_one(call, field, arg);
	case VACCEL_KIND_SPAN:
		return put_span(call, field, arg);
	case VACCEL_KIND_TEXT:
		return put_text(call, field, arg);
	case VACCEL_KIND_RESOURCE:
		return put_resource(call, field, arg);
	default:
		return put_encoded(call, field, arg);
	}
}

static struct queue *queue_of(struct generic *call, const struct vaccel_field *field)
{
	return field->dir == VACCEL_DIR_IN ? &call->read : &call->write;
}

/* The argument that a field means, or the first of all that are left; NULL if none is. */
static struct vaccel_arg *take(struct generic *call, const struct vaccel_field *field)
{
	struct queue *queue = queue_of(call, field);
	struct vaccel_arg *arg = queue->next;
	size_t count = field->kind == VACCEL_KIND_ARGS ? queue->left : MIN_OF(queue->left, 1u);

	queue->next += count;
	queue->left -= count;
	return count ? arg : NULL;
}

static void name_fields(const struct vaccel_op *op, bool read, char *names, size_t size)
{
	size_t used = 0;

	snprintf(names, size, "nothing");
	for (size_t i = 0; i < op->nr_fields; i++) {
		const struct vaccel_field *field = &op->fields[i];

		if ((field->dir == VACCEL_DIR_IN) != read || used >= size)
			continue;
		used += (size_t)snprintf(names + used, size - used, "%s%s%s", used ? ", " : "",
					 field->name, field->kind == VACCEL_KIND_ARGS ? "…" : "");
	}
}

static int wrong_count(const struct vaccel_op *op, size_t nr_read, size_t nr_write)
{
	char read[256], write[256];

	name_fields(op, true, read, sizeof(read));
	name_fields(op, false, write, sizeof(write));
	return vaccel_fail(VACCEL_EINVAL,
			   "genop: %zu arguments to read and %zu to write do not fit %s, which "
			   "reads its number, then %s, and writes %s",
			   nr_read, nr_write, op->name, read, write);
}

static int put_all(struct generic *call)
{
	const struct queue read = call->read, write = call->write;
	bool enough = true;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && enough && i < call->op->nr_fields; i++) {
		const struct vaccel_field *field = &call->op->fields[i];
		size_t left = queue_of(call, field)->left;
		struct vaccel_arg *arg = take(call, field);

		if (field->kind == VACCEL_KIND_ARGS)
			extent_set(call->args, field, (struct extent){arg, left});
		else if (arg)
			ret = put(call, field, arg);
		else
			enough = false;
	}
	if (!ret && (!enough || call->read.left || call->write.left))
		ret = wrong_count(call->op, read.left + 1, write.left);
	return ret;
}

static int no_room(const struct generic *call, const struct vaccel_field *field, uint64_t needed,
		   size_t room)
{
	return vaccel_fail(VACCEL_ENOSPC,
			   "genop: '%s' of %s needs %" PRIu64 " bytes, and there is room for %zu",
			   field->name, call->op->name, needed, room);
}

static int get_encoded(struct generic *call, const struct vaccel_field *field,
		       struct vaccel_arg *arg)
{
	struct encoder encoder = {0};
	int ret = encode_argument(&encoder, call->op, field, call->args);
	uint64_t size = ENCODED_START + encoder.head_size + encoder.payload.size;
	uint64_t head_size = encoder.head_size;
	char *to = arg->buf;

	if (!ret && size > arg->size)
		ret = no_room(call, field, size, arg->size);
	if (!ret) {
		memcpy(to, &head_size, sizeof(head_size));
		memcpy(to + ENCODED_START, encoder.head, encoder.head_size);
		pieces_gather(&encoder.payload, to + ENCODED_START + encoder.head_size);
		arg->size = (size_t)size;
	}
	encoder_release(&encoder);
	return ret;
}

/* Brings an output that GROWS, the others being in their place, back to its argument. */
static int get(struct generic *call, const struct vaccel_field *field, struct vaccel_arg *arg)
{
	struct extent extent;

	if (!arg->size && field->marks & VACCEL_MARK_OPTIONAL)
		return VACCEL_OK;
	if (field->kind == VACCEL_KIND_LIST || field->kind == VACCEL_KIND_TENSORS)
		return get_encoded(call, field, arg);
	extent = extent_get(call->args, field);
	extent.count *= field->size;
	if (extent.count > arg->size)
		return no_room(call, field, extent.count, arg->size);
	if (extent.count)
		memcpy(arg->buf, extent.data, extent.count);
	arg->size = extent.count;
	return VACCEL_OK;
}

static int get_all(struct generic *call, struct queue write)
{
	int ret = VACCEL_OK;

	call->write = write;
	for (size_t i = 0; !ret && i < call->op->nr_fields; i++) {
		const struct vaccel_field *field = &call->op->fields[i];
		struct vaccel_arg *arg = field->dir == VACCEL_DIR_IN ? NULL : take(call, field);

		if (arg && field->marks & VACCEL_MARK_GROWS)
			ret = get(call, field, arg);
	}
	return ret;
}

static const struct vaccel_op *op_of(const struct vaccel_arg *number)
{
	uint32_t value = 0;

	if (!number->buf ||
	    !((number->type == VACCEL_ARG_UINT8 && number->size == sizeof(uint8_t)) ||
	      (number->type == VACCEL_ARG_UINT32 && number->size == sizeof(uint32_t)))) {
		vaccel_fail(VACCEL_EINVAL, "genop: the first argument to read is the number of an "
					   "operation; give it as one UINT8 or UINT32");
		return NULL;
	}
	memcpy(&value, number->buf, number->size);
	if (!vaccel_op_by_number(value))
		vaccel_fail(VACCEL_EINVAL,
			    "genop: no operation has the number %" PRIu32
			    "; `vaccel ops` lists them",
			    value);
	return vaccel_op_by_number(value);
}

static bool annotates(const struct vaccel_op *op)
{
	return op == &vaccel_op_image_detect || op == &vaccel_op_image_segment ||
	       op == &vaccel_op_image_pose || op == &vaccel_op_image_depth;
}

int vaccel_genop(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		 struct vaccel_arg *write, int nr_write)
{
	struct generic call = {.sess = sess, .decoder.limits = {SIZE_MAX, SIZE_MAX}};
	_cleanup_(freep) void *args = NULL;
	struct queue outputs;
	int ret;

	if (!read || nr_read < 1 || nr_write < 0 || (!write && nr_write))
		return vaccel_fail(VACCEL_EINVAL,
				   "genop: %d arguments to read at %p, %d to write at %p", nr_read,
				   (void *)read, nr_write, (void *)write);
	call.op = op_of(read);
	if (!call.op)
		return VACCEL_EINVAL;
	args = calloc(1, call.op->args_size);
	if (!args)
		return vaccel_fail(VACCEL_ENOMEM, "genop: no memory for the arguments of %s",
				   call.op->name);
	call.args = args;
	call.read = (struct queue){read + 1, (size_t)nr_read - 1};
	call.write = outputs = (struct queue){write, (size_t)nr_write};
	ret = put_all(&call);
	if (!ret)
		ret = annotates(call.op) ? vaccel_image_annotate(sess, call.op, args)
					 : vaccel_call(sess, call.op, args);
	if (!ret)
		ret = get_all(&call, outputs);
	args_drop_outputs(call.op, args);
	decoder_release(&call.decoder);
	return ret;
}
