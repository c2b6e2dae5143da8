// SPDX-License-Identifier: Apache-2.0
/*
 * What a request of an open file lends: arguments in pages of the guest, which the codec asks for
 * as it reads the request, and names in the answer. They are used where they are if that will do.
 */
#include "agent/vhost/file.h"

#include <stdlib.h>
#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* The request of that number, if it lends something from now on: then it stays until answered. */
static struct exchange *lending(struct file *file, uint64_t number, bool from_now)
{
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = file->running;
	while (exchange && exchange->number != number)
		exchange = exchange->next;
	if (!exchange)
		return NULL;
	exchange->lends |= from_now;
	return exchange->lends ? exchange : NULL;
}

static bool is_apart(const struct exchange *exchange, const struct payload *payload)
{
	for (const struct lent *lent = exchange->lent; lent; lent = lent->next)
		if (lent->writable && payload->offset < lent->offset + lent->size &&
		    lent->offset < payload->offset + payload->size)
			return false;
	return true;
}

/* Where it lies among the request's readable or writable bytes. */
static uint64_t place_of(const struct exchange *exchange, const struct payload *payload)
{
	return payload->offset + (payload->region ? 0 : exchange->size);
}

static int check_lent(const struct exchange *exchange, const struct payload *payload,
		      enum vaccel_dir dir)
{
	bool writable = payload->region;
	uint64_t whole =
		writable ? exchange->header.writable : exchange->header.readable - exchange->size;

	if (payload->region > 1 || payload->offset % CODEC_ALIGN || payload->offset > whole ||
	    payload->size > whole - payload->offset)
		return vaccel_fail(VACCEL_EFAULT,
				   "an argument does not lie in the request's pages");
	if (writable != (dir == VACCEL_DIR_OUT) || (writable && !is_apart(exchange, payload)))
		return vaccel_fail(VACCEL_EINVAL, "an argument lies in pages of the wrong kind, or "
						  "in those of another");
	return VACCEL_OK;
}

/* Where the guest has it, if that will do: in one piece, aligned, and INOUT is the callee's. */
static void *in_place(const struct exchange *exchange, const struct payload *payload,
		      enum vaccel_dir dir)
{
	size_t front = payload->region ? sizeof(struct status) : sizeof(struct header);
	void *data;

	if (payload->region && exchange->image)
		return exchange->image + payload->offset;
	if (!payload->region && exchange->gathered)
		return exchange->gathered + place_of(exchange, payload);
	if (dir == VACCEL_DIR_INOUT)
		return NULL;
	data = chain_at(exchange->chain, payload->region, front + place_of(exchange, payload),
			(size_t)payload->size);
	return (uintptr_t)data % CODEC_ALIGN ? NULL : data;
}

int file_at(struct link *link, uint64_t number, const struct payload *payload, enum vaccel_dir dir,
	    void **ret_data)
{
	struct file *file = link->io;
	struct exchange *exchange = lending(file, number, true);
	struct lent *lent;
	int ret;

	if (!exchange)
		return vaccel_fail(VACCEL_EINVAL, "the request has no pages any more");
	ret = check_lent(exchange, payload, dir);
	if (ret)
		return ret;
	lent = calloc(1, sizeof(*lent));
	if (!lent)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an argument");
	lent->offset = payload->offset;
	lent->size = payload->size;
	lent->writable = payload->region;
	lent->data = in_place(exchange, payload, dir);
	if (!lent->data) {
		lent->data = exchange_memory(file->accel, exchange, payload->size);
		lent->copied = true;
	}
	if (!lent->data) {
		free(lent);
		return memory_fail(file->accel->worker, payload->size);
	}
	if (lent->copied && !lent->writable)
		chain_read(exchange->chain, sizeof(struct header) + place_of(exchange, payload),
			   lent->data, (size_t)payload->size);
	if (lent->writable)
		exchange->room = MIN_OF(exchange->room, payload->offset);
	lent->next = exchange->lent;
	exchange->lent = lent;
	*ret_data = lent->data;
	return VACCEL_OK;
}

bool file_place(struct link *link, uint64_t number, const void *data, enum vaccel_dir dir,
		struct payload *payload)
{
	struct exchange *exchange = lending(link->io, number, false);

	for (struct lent *lent = exchange ? exchange->lent : NULL; lent; lent = lent->next) {
		if (lent->data != data || !lent->writable || payload->size > lent->size)
			continue;
		lent->named = true;
		lent->size = payload->size;
		payload->place = PAYLOAD_PAGES;
		payload->region = 1;
		payload->offset = lent->offset;
		return true;
	}
	return false;
}
