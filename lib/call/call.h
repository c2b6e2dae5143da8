/* SPDX-License-Identifier: Apache-2.0 */
/* One operation on its way: what a plugin's function gets a pointer to. */
#ifndef VACCEL_CALL_CALL_H
#define VACCEL_CALL_CALL_H

#include <string.h>

#include <vaccel/op.h>
#include <vaccel/session.h>

struct plugin;

/* Lives on the stack of vaccel_call() and is used by its thread alone. */
struct vaccel_call {
	const struct vaccel_op *op;
	struct vaccel_session *sess;
	const struct plugin *plugin;
	void *args;
};

/* The kinds with a pointer and a count all look like this at field->offset. */
struct extent {
	void *data;
	size_t count;
};

/*
 * What the description demands of one argument: a pointer where there must be
 * one, a size that can be, a resource of the right type and registered.
 */
int field_check(const struct vaccel_op *op, const struct vaccel_field *field,
		const struct vaccel_session *sess, const void *args);

/* Frees what a backend made for the GROWS outputs, and zeroes those. */
void args_drop_outputs(const struct vaccel_op *op, void *args);

/* The extent of a SPAN, LIST, TENSORS or ARGS, or of a TEXT that goes out. */
static inline struct extent extent_get(const void *args, const struct vaccel_field *field)
{
	struct extent extent;

	memcpy(&extent, (const char *)args + field->offset, sizeof(extent));
	return extent;
}

static inline void extent_set(void *args, const struct vaccel_field *field, struct extent extent)
{
	memcpy((char *)args + field->offset, &extent, sizeof(extent));
}

/* The pointer of an IN TEXT, an OUT ONE or a RESOURCE. */
static inline void *pointer_get(const void *args, const struct vaccel_field *field)
{
	void *pointer;

	memcpy(&pointer, (const char *)args + field->offset, sizeof(pointer));
	return pointer;
}

static inline void pointer_set(void *args, const struct vaccel_field *field, const void *pointer)
{
	memcpy((char *)args + field->offset, &pointer, sizeof(pointer));
}

/* Logs what each operation took, where profiling is on, and begins anew. */
void profile_report(void);
void profile_forget(void);

#endif
