// SPDX-License-Identifier: Apache-2.0
/*
 * The control operations as lines of fields between tabs, for check_protocol.py: an
 * "op" with number, name and sentence; then each "arg" with direction, kind, type, name,
 * marks and sentence; behind a list's the "field"s of its items.
 */
#include <stdio.h>
#include <stdlib.h>

#include "transport/control.h"

static const char *kind_name(enum vaccel_kind kind)
{
	static const char *const names[] = {"ONE",     "SPAN", "TEXT",	  "LIST",
					    "TENSORS", "ARGS", "RESOURCE"};

	return names[kind];
}

static void put_fields(const struct vaccel_field *fields, size_t count)
{
	static const char *const dirs[] = {"", "IN", "OUT", "INOUT"};

	for (size_t i = 0; i < count; i++) {
		const struct vaccel_field *field = &fields[i];

		printf("%s\t%s\t%s\t%s\t%s\t%s%s\t%s\n", field->dir ? "arg" : "field",
		       dirs[field->dir], kind_name(field->kind), field->type, field->name,
		       field->marks & VACCEL_MARK_OPTIONAL ? "OPTIONAL " : "",
		       field->marks & VACCEL_MARK_GROWS ? "GROWS" : "", field->sentence);
		if (field->item)
			put_fields(field->item->fields, field->item->nr_fields);
	}
}

int main(void)
{
	const struct vaccel_op *op;

	for (uint32_t number = CONTROL_FIRST; (op = control_by_number(number)); number++) {
		printf("op\t%u\t%s\t%s\n", (unsigned int)number, op->name, op->sentence);
		put_fields(op->fields, op->nr_fields);
	}
	return EXIT_SUCCESS;
}
