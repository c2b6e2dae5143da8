// SPDX-License-Identifier: Apache-2.0
/*
 * See exchange.h. What an exchange takes of the tenant's memory is given back with it; who may
 * touch one is said by the list that it is in.
 */
#include "agent/vhost/exchange.h"

#include <stdlib.h>

#include "agent/vhost/device.h"
#include "base/util.h"

struct exchange *exchange_new(struct accel *accel, const struct header *header)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange)
		exchange->header = *header;
	return exchange;
}

void exchange_delete(struct accel *accel, struct exchange *exchange)
{
	if (!exchange)
		return;
	while (exchange->lent) {
		struct lent *lent = exchange->lent;

		exchange->lent = lent->next;
		if (lent->copied)
			free(lent->data);
		free(lent);
	}
	meter_give(&accel->worker->memory, exchange->charged);
	free(exchange->gathered);
	free(exchange->image);
	free(exchange->kept);
	free(exchange);
}

void *exchange_memory(struct accel *accel, struct exchange *exchange, uint64_t size)
{
	void *memory;

	if (size > SIZE_MAX / 2 || !meter_take(&accel->worker->memory, size))
		return NULL;
	/* What nobody writes there must not come out of earlier calls. */
	memory = calloc(1, (size_t)size + 1);
	if (memory)
		exchange->charged += size;
	else
		meter_give(&accel->worker->memory, size);
	return memory;
}

void exchange_append(struct exchange **list, struct exchange *exchange)
{
	while (*list)
		list = &(*list)->next;
	exchange->next = NULL;
	*list = exchange;
}

struct exchange *exchange_take(struct exchange **list, struct exchange *exchange)
{
	while (*list && *list != exchange)
		list = &(*list)->next;
	if (*list)
		*list = exchange->next;
	return exchange;
}

struct exchange *exchange_find(struct exchange *list, uint64_t request)
{
	while (list && list->header.request != request)
		list = list->next;
	return list;
}
