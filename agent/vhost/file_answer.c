// SPDX-License-Identifier: Apache-2.0
/*
 * Answers of an open file's requests: what its connection writes goes into the chain that the
 * request came by, as far as that has room; the rest is kept until more room comes for it.
 */
#include "agent/vhost/file.h"

#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* Answers that are kept for a file until they are fetched. */
#define KEPT_MAX 16

void file_finish(struct file *file, struct exchange *exchange, enum code code)
{
	const struct answer answer = {
		.code = code,
		.flags = file->goaway || code == CODE_BUSY ? STATUS_GOAWAY : 0,
	};

	if (exchange->chain)
		chain_answer(TAKE(exchange->chain), &answer);
	exchange_delete(file->accel, exchange);
}

void file_finish_all(struct file *file, struct exchange **list, enum code code)
{
	while (*list)
		file_finish(file, exchange_take(list, *list), code);
}

/* Answers that wait for room */

/* The next bytes of an image, as many as the chain has room for. */
static uint64_t send_image(struct exchange *exchange, struct chain *chain)
{
	uint64_t size = MIN_OF(exchange->image_size - exchange->sent,
			       chain->writable_size - sizeof(struct status));

	chain_write(chain, sizeof(struct status), exchange->image + exchange->sent, (size_t)size);
	exchange->sent += size;
	return size;
}

/* What this chain has no room for comes by chains with ROOM, and then it is forgotten. */
static void send_next(struct file *file, struct exchange *exchange, struct chain *chain,
		      struct answer *answer)
{
	answer->code = CODE_OK;
	answer->touched = send_image(exchange, chain);
	if (exchange->sent < exchange->image_size)
		answer->flags = STATUS_MORE;
	else
		exchange_delete(file->accel, exchange_take(&file->kept, exchange));
}

void file_fetch(struct file *file, const struct header *header, struct chain *chain)
{
	struct answer answer = {.code = CODE_STALE};
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = exchange_find(file->kept, header->request);
	if (exchange && exchange->kept && header->writable < exchange->kept_size) {
		answer.code = CODE_NOSPACE;
		answer.wanted = exchange->kept_size;
	} else if (exchange && exchange->kept) {
		free(exchange->image);
		exchange->image = TAKE(exchange->kept);
		exchange->image_size = exchange->kept_size;
		exchange->sent = 0;
		answer.used = exchange->kept_size;
		send_next(file, exchange, chain, &answer);
	}
	answer.flags |= file->goaway ? STATUS_GOAWAY : 0;
	chain_answer(chain, &answer);
}

void file_room(struct file *file, const struct header *header, struct chain *chain)
{
	struct answer answer = {.code = CODE_STALE};
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = exchange_find(file->kept, header->request);
	if (exchange && exchange->image && header->offset == exchange->sent)
		send_next(file, exchange, chain, &answer);
	else if (exchange && exchange->image)
		answer.code = CODE_BAD;
	answer.flags |= file->goaway ? STATUS_GOAWAY : 0;
	chain_answer(chain, &answer);
}

/* Writing */

/* Which request of the file it answers; NULL: none, as with GOAWAY. */
static struct exchange *answered(struct file *file, const struct frame *frame)
{
	struct exchange *exchange = file->running;

	if (frame->kind == FRAME_GOAWAY)
		file->goaway = true;
	if (frame->kind != FRAME_REPLY && frame->kind != FRAME_WELCOME && frame->kind != FRAME_PONG)
		return NULL;
	while (exchange && exchange->number != frame->request)
		exchange = exchange->next;
	/* A refused message may be answered before its payload has been read. */
	if (!exchange && file->incoming && file->incoming->number == frame->request)
		exchange = file->incoming;
	return exchange;
}

/* Where the answer goes, whose size is known. */
static int find_room(struct file *file, struct exchange *exchange)
{
	if (exchange->image && file->left <= exchange->room) {
		file->into = exchange->image;
	} else if (exchange->image || file->left > exchange->room) {
		file->into = exchange->kept = exchange_memory(file->accel, exchange, file->left);
		exchange->kept_size = file->left;
		if (!file->into)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for an answer");
	}
	return VACCEL_OK;
}

static void write_piece(struct file *file, const void *bytes, size_t size)
{
	if (file->into)
		memcpy(file->into + file->written, bytes, size);
	else if (file->writing)
		chain_write(file->writing->chain, sizeof(struct status) + file->written, bytes,
			    size);
	file->written += size;
	file->left -= size;
}

/* Up to the end of the frame, in which the number is the program's again. */
static int begin_write(struct file *file, const struct iovec *from)
{
	const struct frame_limits any = {UINT64_MAX, UINT64_MAX};
	unsigned char bytes[FRAME_SIZE];
	struct exchange *exchange;
	struct frame frame;

	if (frame_get(from->iov_base, &any, &frame))
		return VACCEL_EREMOTEIO;
	file->written = 0;
	file->left = FRAME_SIZE + frame.head_size + frame.payload_size;
	file->kind = frame.kind;
	file->status = frame.status;
	file->into = NULL;
	pthread_mutex_lock(&file->lock);
	exchange = file->writing = answered(file, &frame);
	pthread_mutex_unlock(&file->lock);
	if (exchange && find_room(file, exchange))
		return VACCEL_ENOMEM;
	if (exchange)
		frame.request = exchange->frame.request;
	frame_put(&frame, bytes);
	write_piece(file, bytes, sizeof(bytes));
	return VACCEL_OK;
}

/* Outputs that the answer names, where they are not the guest's own memory already. */
static uint64_t copy_outputs(struct exchange *exchange)
{
	uint64_t end = 0;

	for (struct lent *lent = exchange->lent; lent; lent = lent->next) {
		if (!lent->writable || !lent->named)
			continue;
		if (lent->copied)
			chain_write(exchange->chain, sizeof(struct status) + lent->offset,
				    lent->data, (size_t)lent->size);
		end = MAX_OF(end, lent->offset + lent->size);
	}
	return end;
}

static void keep(struct file *file, struct exchange *exchange)
{
	struct exchange **at = &file->kept;
	int nr = 0;

	exchange->next = file->kept;
	file->kept = exchange;
	for (; *at && nr < KEPT_MAX; at = &(*at)->next)
		nr++;
	if (*at)
		file_finish_all(file, at, CODE_STALE);
}

/* The lock is held; the answer is whole. */
static void end_write(struct file *file, struct exchange *exchange)
{
	struct answer answer = {.flags = file->goaway ? STATUS_GOAWAY : 0};
	struct chain *chain = exchange->chain;
	bool waits = false;
	uint64_t end;

	exchange_take(&file->incoming, exchange);
	exchange_take(&file->running, exchange);
	exchange->chain = NULL;
	if (exchange->image) {
		end = exchange->kept ? 0 : file->written;
		for (struct lent *lent = exchange->lent; lent; lent = lent->next)
			if (lent->writable && lent->named)
				end = MAX_OF(end, lent->offset + lent->size);
		exchange->image_size = end;
		answer.touched = send_image(exchange, chain);
		waits = exchange->sent < end;
	} else {
		exchange->chain = chain;
		end = copy_outputs(exchange);
		exchange->chain = NULL;
		answer.touched = exchange->kept ? end : MAX_OF(end, file->written);
	}
	if (exchange->kept && waits) {
		/* Outputs would come by MORE, and the message by FETCH; there are not both. */
		answer.code = CODE_STALE;
	} else if (exchange->kept) {
		answer.code = CODE_NOSPACE;
		answer.wanted = exchange->kept_size;
	} else if (exchange->canceled && file->status == VACCEL_ECANCELED) {
		answer.code = CODE_CANCELED;
	} else {
		answer.used = file->written;
		answer.flags |= waits ? STATUS_MORE : 0;
	}
	if (answer.code == CODE_NOSPACE || answer.flags & STATUS_MORE)
		keep(file, exchange);
	else
		exchange_delete(file->accel, exchange);
	chain_answer(chain, &answer);
}

ssize_t file_write(struct link *link, const struct iovec *from, int nr, int64_t until, int passed)
{
	struct file *file = link->io;
	size_t size = 0, begun = 0;

	if (!file->left) {
		if (begin_write(file, from))
			return -VACCEL_EREMOTEIO;
		begun = FRAME_SIZE;
	}
	for (int i = 0; i < nr; i++) {
		write_piece(file, (char *)from[i].iov_base + begun, from[i].iov_len - begun);
		size += from[i].iov_len;
		begun = 0;
	}
	if (!file->left && file->writing) {
		SCOPED_LOCK(&file->lock);
		end_write(file, TAKE(file->writing));
	}
	return (ssize_t)size;
}
