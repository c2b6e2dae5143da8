// SPDX-License-Identifier: Apache-2.0
/*
 * The accelerator's chains, in the thread that walks the rings: what each is, which file
 * it belongs to, and whether it may be. Headers are copied before they are judged; what a
 * message says is judged where the worker reads it.
 */
#include "agent/vhost/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/vhost/blk.h"
#include "agent/vhost/model.h"
#include "agent/vhost/ring.h"
#include "base/util.h"

struct cancel_patience cancel_patience = {.alone = SECOND, .lent = 7 * SECOND};

/* Files whose programs have not said who they are, beyond the connections that are permitted. */
#define FILES_SPARE 256

void chain_answer(struct chain *chain, const struct answer *answer)
{
	const struct status status = {
		.code = htole32(answer->code),
		.flags = htole32(answer->flags),
		.used = htole64(answer->used),
		.wanted = htole64(answer->wanted),
	};

	chain_write(chain, 0, &status, sizeof(status));
	chain_finish(chain, sizeof(status) + answer->touched);
}

static void answer_code(struct chain *chain, enum code code)
{
	chain_answer(chain, &(struct answer){.code = code});
}

/* Of a file that is not known, here or anywhere: the program opens another, and asks again. */
static void decline(struct chain *chain)
{
	chain_answer(chain, &(struct answer){.code = CODE_BUSY, .flags = STATUS_GOAWAY});
}

static bool read_header(const struct chain *chain, struct header *header)
{
	if (chain->writable_size < sizeof(struct status) ||
	    !chain_read(chain, 0, header, sizeof(*header)))
		return false;
	*header = (struct header){
		.type = le16toh(header->type),
		.flags = le16toh(header->flags),
		.uid = le32toh(header->uid),
		.pid = le32toh(header->pid),
		.reserved = le32toh(header->reserved),
		.file = le64toh(header->file),
		.request = le64toh(header->request),
		.offset = le64toh(header->offset),
		.readable = le64toh(header->readable),
		.writable = le64toh(header->writable),
		.timeout_ns = le64toh(header->timeout_ns),
	};
	return true;
}

/* Bytes of the request that the chain brings, and room that it has. */
static uint64_t readable_of(const struct chain *chain)
{
	return chain->readable_size - sizeof(struct header);
}

static uint64_t room_of(const struct chain *chain)
{
	return chain->writable_size - sizeof(struct status);
}

/* Files */

static void forget(struct file **at)
{
	struct file *file = *at;

	*at = file->next;
	file_unref(file);
}

/*
 * Those whose connection has ended are none any more, but as long as something of theirs runs it
 * can be canceled, and stopped.
 */
static struct file *find(struct accel *accel, uint64_t number)
{
	struct file **at = &accel->files;

	while (*at) {
		bool closed = file_is_closed(*at);

		if (closed && file_is_done(*at))
			forget(at);
		else if (!closed && (*at)->number == number)
			return *at;
		else
			at = &(*at)->next;
	}
	return NULL;
}

static int open_file(struct accel *accel, uint64_t number, struct file **ret_file)
{
	const struct worker *worker = accel->worker;
	int ret;

	if (atomic_load(&worker->draining) ||
	    atomic_load(&worker->stats->connections) >
		    worker->setup.policy.connections + FILES_SPARE)
		return VACCEL_EDQUOT;
	ret = file_open(accel, number, ret_file);
	if (ret)
		return ret;
	(*ret_file)->next = accel->files;
	accel->files = *ret_file;
	return VACCEL_OK;
}

static void close_file(struct accel *accel, uint64_t number)
{
	struct file *file = find(accel, number);

	if (file)
		file_close(file);
}

/* Messages */

static void drop_parts(struct accel *accel, unsigned int queue)
{
	exchange_delete(accel, TAKE(accel->parts[queue]));
}

/* Answers a chain of a request, of which more chains may come, unless it is all of it. */
static void refuse(struct accel *accel, const struct header *header, struct chain *chain,
		   enum code code)
{
	/* It may have come between those of another, of which what was said stands. */
	if (header->flags == (FLAG_BEGIN | FLAG_END)) {
		answer_code(chain, code);
		return;
	}
	drop_parts(accel, chain->queue);
	accel->refused[chain->queue] = *header;
	accel->refused_code[chain->queue] = code;
	answer_code(chain, code);
}

static bool is_same(const struct header *one, const struct header *other)
{
	return one->file == other->file && one->request == other->request;
}

/* What the connection would end for. */
static void end_file(struct accel *accel, struct exchange *exchange)
{
	answer_code(TAKE(exchange->chain), CODE_BAD);
	close_file(accel, exchange->header.file);
	exchange_delete(accel, exchange);
}

static bool read_frame(struct exchange *exchange)
{
	const struct frame_limits any = {UINT64_MAX / 4, UINT64_MAX / 4};
	struct frame *frame = &exchange->frame;

	if (exchange->header.readable < FRAME_SIZE)
		return false;
	if (exchange->gathered)
		memcpy(exchange->bytes, exchange->gathered, FRAME_SIZE);
	else
		chain_read(exchange->chain, sizeof(struct header), exchange->bytes, FRAME_SIZE);
	if (frame_get(exchange->bytes, &any, frame))
		return false;
	exchange->size = FRAME_SIZE + frame->head_size + frame->payload_size;
	return exchange->size <= exchange->header.readable &&
	       (frame->kind == FRAME_HELLO || frame->kind == FRAME_CALL ||
		frame->kind == FRAME_PING);
}

/* A request that is whole, but for room that may follow. */
static void deliver(struct accel *accel, struct exchange *exchange)
{
	const struct header *header = &exchange->header;
	struct file *file = NULL;
	int ret = VACCEL_OK;

	exchange->room = header->writable;
	helper_set(&accel->helper, exchange->chain->ring->vhost);
	if (!read_frame(exchange)) {
		end_file(accel, exchange);
		return;
	}
	if (exchange->frame.kind == FRAME_HELLO) {
		/* One that is open may be of a driver whose end nobody has told. */
		close_file(accel, header->file);
		ret = open_file(accel, header->file, &file);
	} else {
		file = find(accel, header->file);
	}
	if (file) {
		file_push(file, exchange);
		return;
	}
	if (ret)
		answer_code(TAKE(exchange->chain), CODE_BUSY);
	else
		decline(TAKE(exchange->chain));
	exchange_delete(accel, exchange);
}

/* Memory for all that comes, or goes, in several chains. False: there is not so much. */
static bool take_memory(struct accel *accel, struct exchange *exchange, uint64_t size,
			unsigned char **ret_memory)
{
	if (size > SIZE_MAX / 2 || !meter_take(&accel->worker->memory, size))
		return false;
	exchange->charged += size;
	/* What nobody writes there must not come out of earlier calls. */
	*ret_memory = calloc(1, (size_t)size + 1);
	return *ret_memory;
}

/* The last chain of a request, perhaps the only one. */
static void end_request(struct accel *accel, struct exchange *exchange, struct chain *chain)
{
	uint64_t room = room_of(chain);

	exchange->chain = chain;
	if (exchange->header.writable > room &&
	    !take_memory(accel, exchange, exchange->header.writable, &exchange->image)) {
		answer_code(TAKE(exchange->chain), CODE_BUSY);
		exchange_delete(accel, exchange);
		return;
	}
	deliver(accel, exchange);
}

static bool sizes_are_right(const struct accel *accel, const struct header *header,
			    const struct chain *chain)
{
	return header->readable <= accel->bytes_max && header->writable <= accel->bytes_max &&
	       readable_of(chain) <= header->readable && room_of(chain) <= header->writable &&
	       header->file && header->request;
}

static void begin_request(struct accel *accel, const struct header *header, struct chain *chain)
{
	bool alone = header->flags & FLAG_END;
	struct exchange *exchange;

	if (!sizes_are_right(accel, header, chain) || header->offset ||
	    (alone ? readable_of(chain) != header->readable
		   : room_of(chain) || accel->parts[chain->queue])) {
		refuse(accel, header, chain, CODE_BAD);
		return;
	}
	exchange = exchange_new(accel, header);
	if (!exchange ||
	    (!alone && !take_memory(accel, exchange, header->readable, &exchange->gathered))) {
		exchange_delete(accel, exchange);
		refuse(accel, header, chain, CODE_BUSY);
		return;
	}
	if (alone) {
		end_request(accel, exchange, chain);
		return;
	}
	exchange->have = readable_of(chain);
	chain_read(chain, sizeof(*header), exchange->gathered, (size_t)exchange->have);
	accel->parts[chain->queue] = exchange;
	answer_code(chain, CODE_OK);
}

static void continue_request(struct accel *accel, const struct header *header, struct chain *chain)
{
	struct exchange *exchange = accel->parts[chain->queue];
	uint64_t size = readable_of(chain);
	bool last = header->flags & FLAG_END;

	if (!exchange && is_same(&accel->refused[chain->queue], header)) {
		answer_code(chain, accel->refused_code[chain->queue]);
		return;
	}
	if (!exchange && !find(accel, header->file)) {
		decline(chain);
		return;
	}
	if (!exchange || !is_same(&exchange->header, header) || header->offset != exchange->have ||
	    header->readable != exchange->header.readable ||
	    header->writable != exchange->header.writable ||
	    size > header->readable - exchange->have || room_of(chain) > header->writable ||
	    (last ? exchange->have + size != header->readable : room_of(chain))) {
		refuse(accel, header, chain, CODE_BAD);
		return;
	}
	chain_read(chain, sizeof(*header), exchange->gathered + exchange->have, (size_t)size);
	exchange->have += size;
	if (last)
		end_request(accel, TAKE(accel->parts[chain->queue]), chain);
	else
		answer_code(chain, CODE_OK);
}

/* Room, or another try, for an answer of earlier. */
static void take_room(struct accel *accel, const struct header *header, struct chain *chain)
{
	struct file *file = find(accel, header->file);

	if (readable_of(chain))
		answer_code(chain, CODE_BAD);
	else if (!file)
		answer_code(chain, CODE_STALE);
	else
		(header->flags & FLAG_ROOM ? file_room : file_fetch)(file, header, chain);
}

static void take_message(struct accel *accel, const struct header *header, struct chain *chain)
{
	switch (header->flags) {
	case FLAG_ROOM:
	case FLAG_FETCH | FLAG_BEGIN | FLAG_END:
		take_room(accel, header, chain);
		return;
	case FLAG_BEGIN:
	case FLAG_BEGIN | FLAG_END:
		begin_request(accel, header, chain);
		return;
	case 0:
	case FLAG_END:
		continue_request(accel, header, chain);
		return;
	default:
		refuse(accel, header, chain, CODE_BAD);
	}
}

/* The other types */

static void echo(const struct accel *accel, struct chain *chain)
{
	uint64_t size = MIN_OF(readable_of(chain), room_of(chain));
	unsigned char bytes[4096];
	size_t part;

	/* A chain can name the same memory a thousand times. */
	if (size > accel->bytes_max) {
		answer_code(chain, CODE_BAD);
		return;
	}
	for (uint64_t done = 0; done < size; done += part) {
		part = (size_t)MIN_OF(size - done, (uint64_t)sizeof(bytes));
		chain_read(chain, sizeof(struct header) + done, bytes, part);
		chain_write(chain, sizeof(struct status) + done, bytes, part);
	}
	chain_answer(chain, &(struct answer){.used = size, .touched = size});
}

static void cancel(struct accel *accel, const struct header *header)
{
	for (unsigned int i = 0; i < QUEUES_MAX; i++) {
		struct exchange *parts = accel->parts[i];

		if (parts && is_same(&parts->header, header))
			drop_parts(accel, i);
	}
	for (struct file *file = accel->files; file; file = file->next)
		if (file->number == header->file)
			accel->canceled |= file_cancel(file, header->request);
}

static bool is_known(const struct header *header)
{
	if (header->reserved || header->flags & ~FLAGS_KNOWN)
		return false;
	return header->type == TYPE_MESSAGE || header->type == TYPE_CANCEL ||
	       header->type == TYPE_CLOSE ||
	       (header->type == TYPE_ECHO && header->flags == (FLAG_BEGIN | FLAG_END));
}

static void device_take(void *device, struct chain *chain)
{
	struct accel *accel = device;
	struct header header;

	if (!read_header(chain, &header)) {
		log_line(
			VACCEL_LOG_WARN, &(struct about){.tenant = accel->worker->setup.tenant},
			"%s: a chain without a header and a status; its queue is not looked at any "
			"more",
			accel->peer);
		chain_drop(chain);
	} else if (chain->again && header.type == TYPE_MESSAGE) {
		answer_code(chain, CODE_STALE);
	} else if (!is_known(&header)) {
		answer_code(chain, CODE_BAD);
	} else if (header.type == TYPE_MESSAGE) {
		take_message(accel, &header, chain);
	} else if (header.type == TYPE_ECHO) {
		echo(accel, chain);
	} else {
		if (header.type == TYPE_CANCEL)
			cancel(accel, &header);
		else
			close_file(accel, header.file);
		answer_code(chain, CODE_OK);
	}
}

/* Beginning and end */

void accel_unref(struct accel *accel)
{
	if (atomic_fetch_sub(&accel->refs, 1) != 1)
		return;
	helper_release(&accel->helper);
	free(accel);
}

static int device_start(struct worker *worker, const struct listener_setup *listener,
			const char *peer, void **ret_device)
{
	struct accel *accel = calloc(1, sizeof(*accel));

	if (!accel)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a device");
	atomic_init(&accel->refs, 1);
	helper_init(&accel->helper, vhost_help, vhost_help_fd);
	accel->worker = worker;
	accel->listener = listener;
	accel->bytes_max = accel_bytes_max(&worker->setup.policy);
	snprintf(accel->peer, sizeof(accel->peer), "%s", peer);
	*ret_device = accel;
	return VACCEL_OK;
}

static void device_stop(void *device, unsigned int queue)
{
	struct accel *accel = device;

	drop_parts(accel, queue);
	for (struct file *file = accel->files; file; file = file->next)
		file_stop(file, queue);
}

/* A canceled call has so long until its memory is worth more than the process. */
static int device_look(void *device)
{
	struct accel *accel = device;
	int64_t now, first = FOREVER;

	if (likely(!accel->canceled))
		return VACCEL_OK;
	now = time_now();
	for (struct file *file = accel->files; file; file = file->next)
		first = MIN_OF(first, file_look(file, now));
	accel->canceled = first != FOREVER && now - first < cancel_patience.lent;
	if (accel->canceled)
		return VACCEL_EAGAIN;
	if (first == FOREVER)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ETIMEDOUT,
			   "a canceled call goes on in memory that the machine wants back");
}

static bool device_is_done(void *device)
{
	struct accel *accel = device;

	for (unsigned int i = 0; i < QUEUES_MAX; i++)
		if (accel->parts[i])
			return false;
	for (struct file *file = accel->files; file; file = file->next)
		if (!file_is_done(file))
			return false;
	return true;
}

/* After a reset no file is known: the next thing that the guest does is another's. */
static void device_rest(void *device)
{
	struct accel *accel = device;

	for (struct file *file = accel->files; file; file = file->next)
		file_close(file);
}

static void device_end(void *device)
{
	struct accel *accel = device;

	device_rest(device);
	while (accel->files)
		forget(&accel->files);
	helper_end(&accel->helper);
	accel_unref(accel);
}

static const struct device_kind device_accel = {
	.scheme = "vhost-user",
	.start = device_start,
	.take = device_take,
	.stop = device_stop,
	.look = device_look,
	.is_done = device_is_done,
	.rest = device_rest,
	.end = device_end,
};

const struct device_kind *device_by_scheme(const char *scheme)
{
	if (!strcmp(scheme, device_blk.scheme))
		return &device_blk;
	return strcmp(scheme, device_accel.scheme) ? NULL : &device_accel;
}
