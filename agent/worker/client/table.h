/* SPDX-License-Identifier: Apache-2.0 */
/* Objects by ids that are never used again and all but rise; small, and in the order of the ids. */
#ifndef VACCEL_AGENT_WORKER_CLIENT_TABLE_H
#define VACCEL_AGENT_WORKER_CLIENT_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_row {
	int64_t id;
	void *object;
};

struct table {
	struct table_row *rows;
	size_t count, room;
};

/* ENOMEM. */
int table_add(struct table *table, int64_t id, void *object);
void *table_find(const struct table *table, int64_t id);

/* The object that was there, or NULL. */
void *table_remove(struct table *table, int64_t id);
void table_release(struct table *table);

#endif
