// SPDX-License-Identifier: Apache-2.0
/*
 * The suite's cases as data: a library that writes down each call that passes through
 * vaccel_call(), before and after, as a line of JSON each; see cases.md. The linker puts
 * __wrap_vaccel_call() in the place of the library's own, so that the suite need not know.
 * CONFORM_RECORD names the file. Calls of other threads than the first are only made.
 *
 * What C alone can say is left out: sizes without memory, and sizes that no memory has.
 * So are calls with a large resource that is no file.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel.h>

#include "args_json.h"
#include "call/call.h"

/* The most elements of one argument that the suite has memory for. */
#define COUNT_MAX (1 << 16)

/* The most bytes of a resource that are worth to be written down for each call. */
#define RESOURCE_MAX 4096

int __real_vaccel_call(struct vaccel_session *sess, const struct vaccel_op *op, void *args);
int __wrap_vaccel_call(struct vaccel_session *sess, const struct vaccel_op *op, void *args);

static FILE *record;

/* Whose call is being written down. */
static struct vaccel_session *session;

__attribute__((constructor)) static void record_open(void)
{
	const char *path = getenv("CONFORM_RECORD");

	record = path ? fopen(path, "w") : NULL;
	if (path && !record)
		perror(path);
}

__attribute__((destructor)) static void record_close(void)
{
	if (record && fclose(record))
		perror("the record of calls");
}

static void put_resource(FILE *to, const struct vaccel_resource *resource)
{
	if (!resource) {
		fputs("null", to);
		return;
	}
	fprintf(to, "{\"type\": \"%s\"", vaccel_resource_type_to_base_str(resource->type));
	if (resource->paths) {
		fputs(", \"files\": [", to);
		for (size_t i = 0; i < resource->nr_paths; i++) {
			fputs(i ? ", " : "", to);
			put_text(to, resource->paths[i]);
		}
		fputc(']', to);
	} else {
		fputs(", \"bytes\": ", to);
		put_hex(to, resource->blobs[0]->data, resource->blobs[0]->size);
	}
	if (!vaccel_session_has_resource(session, resource))
		fputs(", \"registered\": false", to);
	fputc('}', to);
}

static const struct json_hooks hooks = {.put_resource = put_resource};

static bool are_args_sayable(struct extent list)
{
	const struct vaccel_arg *args = list.data;

	for (size_t i = 0; i < list.count; i++)
		if (!args[i].buf && args[i].size)
			return false;
	return true;
}

static bool is_resource_sayable(const struct vaccel_resource *resource)
{
	return !resource || resource->paths || resource->blobs[0]->size <= RESOURCE_MAX;
}

static bool is_field_sayable(const struct vaccel_field *field, const void *args)
{
	struct extent extent;

	if (field->kind == VACCEL_KIND_RESOURCE)
		return is_resource_sayable(pointer_get(args, field));
	if (field->kind == VACCEL_KIND_TEXT && field->dir == VACCEL_DIR_IN)
		return true;
	if (field->kind == VACCEL_KIND_ONE)
		return field->dir == VACCEL_DIR_IN || field->marks & VACCEL_MARK_OPTIONAL ||
		       pointer_get(args, field);
	extent = extent_get(args, field);
	if (extent.count > COUNT_MAX || (extent.count && !extent.data))
		return false;
	return field->kind != VACCEL_KIND_ARGS || are_args_sayable(extent);
}

static bool is_sayable(const struct vaccel_op *op, const void *args)
{
	for (size_t i = 0; i < op->nr_fields; i++)
		if (!is_field_sayable(&op->fields[i], args))
			return false;
	return true;
}

int __wrap_vaccel_call(struct vaccel_session *sess, const struct vaccel_op *op, void *args)
{
	int ret;

	if (!record || gettid() != getpid() || !is_sayable(op, args))
		return __real_vaccel_call(sess, op, args);
	session = sess;
	fprintf(record, "{\"op\": \"%s\", \"args\": ", op->name);
	put_arguments(record, &hooks, op, args, FORM_REQUEST);
	ret = __real_vaccel_call(sess, op, args);
	fprintf(record, ", \"code\": %d", ret);
	if (!ret) {
		fputs(", \"results\": ", record);
		put_arguments(record, &hooks, op, args, FORM_REPLY);
	}
	fputs("}\n", record);
	return ret;
}
