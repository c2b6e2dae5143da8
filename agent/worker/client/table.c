// SPDX-License-Identifier: Apache-2.0
/* A sorted array: ids rise, so what is new goes to the end. */
#include "agent/worker/client/table.h"

#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"

int table_add(struct table *table, int64_t id, void *object)
{
	size_t at = table->count;

	if (table->count == table->room) {
		size_t room = table->room ? 2 * table->room : 4;
		struct table_row *rows = reallocarray(table->rows, room, sizeof(*rows));

		if (!rows)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a table of %zu", room);
		table->rows = rows;
		table->room = room;
	}
	for (; at && table->rows[at - 1].id > id; at--)
		table->rows[at] = table->rows[at - 1];
	table->rows[at] = (struct table_row){id, object};
	table->count++;
	return VACCEL_OK;
}

static struct table_row *find(const struct table *table, int64_t id)
{
	size_t from = 0, to = table->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (table->rows[middle].id < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from < table->count && table->rows[from].id == id ? &table->rows[from] : NULL;
}

void *table_find(const struct table *table, int64_t id)
{
	struct table_row *row = find(table, id);

	return row ? row->object : NULL;
}

void *table_remove(struct table *table, int64_t id)
{
	struct table_row *row = find(table, id);
	void *object;

	if (!row)
		return NULL;
	object = row->object;
	table->count--;
	memmove(row, row + 1, (size_t)(table->rows + table->count - row) * sizeof(*row));
	return object;
}

void table_release(struct table *table)
{
	free(table->rows);
	*table = (struct table){0};
}
