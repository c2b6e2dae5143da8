/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of any operation as JSON, from their description alone: in messages,
 * and in calls. docs/protocol.md, "Vectors", has the form.
 */
#ifndef TESTS_SUPPORT_ARGS_JSON_H
#define TESTS_SUPPORT_ARGS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <vaccel/op.h>
#include <vaccel/resource.h>

/* What is said of arguments: a call's, what came of it, what came of one that failed. */
enum form { FORM_NONE, FORM_REQUEST, FORM_REPLY, FORM_FAILURE };

struct json_hooks {
	void (*put_resource)(FILE *to, const struct vaccel_resource *resource);
	/* Writes what stands for memory whose bytes are not said, and returns true. May be NULL. */
	bool (*put_place)(FILE *to, const void *data, size_t size);
};

/* An object of the arguments that this form has something to say of. */
void put_arguments(FILE *to, const struct json_hooks *hooks, const struct vaccel_op *op,
		   const void *args, enum form form);
void put_text(FILE *to, const char *text);
void put_hex(FILE *to, const void *bytes, size_t size);

#endif
