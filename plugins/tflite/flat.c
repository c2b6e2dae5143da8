// SPDX-License-Identifier: Apache-2.0
/*
 * A model file is a tree of tables (a FlatBuffer) whose root lists its graphs and the operations
 * that they use. TensorFlow Lite tells of variables that are tensors, but not of those that
 * operations keep by a handle; so the list is read here. What lies outside of the
 * file is not followed.
 */
#include "tflite/flat.h"

#include <stdint.h>
#include <string.h>

/* Numbers of the file format */
enum {
	FIELD_OPERATIONS = 1, /* of the root */
	FIELD_GRAPHS = 2,
	FIELD_SHORT_NUMBER = 0, /* of an operation: one byte, in older files */
	FIELD_NUMBER = 3,	/* four bytes */
	OPERATION_VAR_HANDLE = 142,
};

struct file {
	const unsigned char *data;
	size_t size;
};

/* A little-endian number of so many bytes; 0 outside of the file. */
static uint32_t number(const struct file *file, size_t at, size_t bytes)
{
	uint32_t value = 0;

	if (at > file->size || file->size - at < bytes)
		return 0;
	for (size_t i = bytes; i-- > 0;)
		value = value << 8 | file->data[at + i];
	return value;
}

/* Where a table's field lies, 0 if it has none: at its head is how far before it a list of them is.
 */
static size_t field(const struct file *file, size_t table, size_t index)
{
	size_t list = table - (size_t)(int32_t)number(file, table, 4);
	uint32_t offset = 0;

	if (number(file, list, 2) >= 4 + 2 * (index + 1))
		offset = number(file, list + 4 + 2 * index, 2);
	return offset ? table + offset : 0;
}

/* Where the offset that lies there leads to. */
static size_t follow(const struct file *file, size_t at)
{
	return at + number(file, at, 4);
}

static uint32_t operation(const struct file *file, size_t table)
{
	size_t at = field(file, table, FIELD_NUMBER);
	size_t at_short = field(file, table, FIELD_SHORT_NUMBER);
	uint32_t newer = at ? number(file, at, 4) : 0;
	uint32_t older = at_short ? number(file, at_short, 1) : 0;

	return newer > older ? newer : older;
}

bool flat_has_graph(const void *model, size_t size)
{
	const struct file file = {model, size};

	return field(&file, follow(&file, 0), FIELD_GRAPHS);
}

bool flat_has_variables(const void *model, size_t size)
{
	const struct file file = {model, size};
	size_t at = field(&file, follow(&file, 0), FIELD_OPERATIONS);
	size_t list = at ? follow(&file, at) : 0;
	uint32_t nr = at ? number(&file, list, 4) : 0;

	for (uint32_t i = 0; i < nr && list + 4 * i < size; i++)
		if (operation(&file, follow(&file, list + 4 + 4 * (size_t)i)) ==
		    OPERATION_VAR_HANDLE)
			return true;
	return false;
}
