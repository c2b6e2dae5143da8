// SPDX-License-Identifier: Apache-2.0
/*
 * An open file of the guest as a link: reading takes messages from the chains that
 * have come, one after the other. Writing is in file_answer.c, and what a message lends in
 * file_pages.c.
 */
#include "agent/vhost/file.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include <vaccel/error.h>

#include "agent/worker/server.h"
#include "base/util.h"
#include "transport/link.h"

/* The walking thread's side */

/*
 * Programs may use a number twice at once, or again for as long as a call goes on without its
 * chain. What lends memory must not be taken for another.
 */
static void give_number(struct file *file, struct exchange *exchange)
{
	struct frame frame = exchange->frame;

	frame.request = exchange->number = ++file->last_number;
	frame_put(&frame, exchange->bytes);
}

void file_push(struct file *file, struct exchange *exchange)
{
	SCOPED_LOCK(&file->lock);
	if (file->closed) {
		file_finish(file, exchange, CODE_BUSY);
		return;
	}
	give_number(file, exchange);
	exchange_append(&file->incoming, exchange);
	reader_tell(&file->reader);
}

void file_close(struct file *file)
{
	SCOPED_LOCK(&file->lock);
	file->closed = true;
	file_finish_all(file, &file->kept, CODE_STALE);
	reader_tell(&file->reader);
}

/* One that waits in the worker's queue is taken from there by a message of ours. */
static void send_cancel(struct file *file, uint64_t number)
{
	const struct frame frame = {.kind = FRAME_CANCEL, .request = number};
	struct exchange *exchange = exchange_new(file->accel, &(struct header){0});

	if (!exchange)
		return;
	exchange->frame = frame;
	exchange->size = FRAME_SIZE;
	frame_put(&frame, exchange->bytes);
	exchange_append(&file->incoming, exchange);
	reader_tell(&file->reader);
}

bool file_cancel(struct file *file, uint64_t request)
{
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = exchange_find(file->incoming, request);
	if (exchange && exchange->chain && !exchange->read) {
		file_finish(file, exchange_take(&file->incoming, exchange), CODE_CANCELED);
		return false;
	}
	if (!exchange)
		exchange = exchange_find(file->running, request);
	if (exchange && exchange->chain) {
		exchange->canceled = time_now();
		send_cancel(file, exchange->number);
		return true;
	}
	exchange = exchange_find(file->kept, request);
	if (exchange)
		exchange_delete(file->accel, exchange_take(&file->kept, exchange));
	return false;
}

/* A call that lends nothing goes on without its chain, and its answer will go nowhere. */
int64_t file_look(struct file *file, int64_t now)
{
	int64_t first = FOREVER;
	struct exchange *next;

	SCOPED_LOCK(&file->lock);
	for (struct exchange *at = file->running; at; at = next) {
		next = at->next;
		if (!at->canceled)
			continue;
		if (now - at->canceled >= cancel_patience.alone && !at->lends &&
		    at != file->writing)
			file_finish(file, exchange_take(&file->running, at), CODE_STALE);
		else
			first = MIN_OF(first, at->canceled);
	}
	/* One that is being read. */
	if (file->incoming && file->incoming->canceled)
		first = MIN_OF(first, file->incoming->canceled);
	return first;
}

bool file_is_closed(struct file *file)
{
	SCOPED_LOCK(&file->lock);
	return file->closed;
}

bool file_is_done(struct file *file)
{
	SCOPED_LOCK(&file->lock);
	return !file->incoming && !file->running && !file->kept;
}

void file_stop(struct file *file, unsigned int queue)
{
	struct exchange *next;

	SCOPED_LOCK(&file->lock);
	for (struct exchange *at = file->incoming; at; at = next) {
		next = at->next;
		if (at->chain && at->chain->queue == queue && !at->read)
			file_finish(file, exchange_take(&file->incoming, at), CODE_BUSY);
	}
	for (struct exchange *at = file->running; at; at = at->next)
		if (at->chain && at->chain->queue == queue)
			send_cancel(file, at->number);
}

/* Reading */

static bool is_readable(const struct file *file)
{
	return file->incoming || file->closed;
}

static void be_quiet(struct file *file)
{
	if (!is_readable(file))
		reader_be_quiet(&file->reader);
}

/* Waits for something to read. False: the time is over. */
static bool wait_for_more(struct file *file, const struct link *link, int64_t until)
{
	if (!link->shut)
		be_quiet(file);
	while (!is_readable(file) && !link->shut)
		if (!reader_await(&file->reader, until))
			break;
	/* Who told of it as the time was over has told nobody else. */
	return is_readable(file) || link->shut;
}

/* Bytes of the message from @from on, of which the frame is ours already. */
static void copy_message(const struct exchange *exchange, uint64_t from, char *to, size_t size)
{
	if (from < FRAME_SIZE) {
		size_t part = MIN_OF(size, FRAME_SIZE - (size_t)from);

		memcpy(to, exchange->bytes + from, part);
		to += part;
		from += part;
		size -= part;
	}
	if (!size)
		return;
	if (exchange->gathered)
		memcpy(to, exchange->gathered + from, size);
	else
		chain_read(exchange->chain, sizeof(struct header) + from, to, size);
}

/* The message is read: what has an answer waits for it. */
static void end_read(struct file *file)
{
	struct exchange *exchange = exchange_take(&file->incoming, file->incoming);

	if (exchange->chain)
		exchange_append(&file->running, exchange);
	else
		exchange_delete(file->accel, exchange);
	be_quiet(file);
}

/* Never beyond the end of a message: behind it lies what it lends. */
static ssize_t file_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			 int *ret_passed)
{
	struct file *file = link->io;
	struct exchange *exchange;
	size_t size = 0;

	SCOPED_LOCK(&file->lock);
	if (!wait_for_more(file, link, until))
		return -VACCEL_EAGAIN;
	exchange = file->incoming;
	if (!exchange || link->shut)
		return 0;
	for (int i = 0; i < nr && exchange->read < exchange->size; i++) {
		size_t part =
			(size_t)MIN_OF((uint64_t)to[i].iov_len, exchange->size - exchange->read);

		copy_message(exchange, exchange->read, to[i].iov_base, part);
		exchange->read += part;
		size += part;
	}
	if (exchange->read == exchange->size)
		end_read(file);
	return (ssize_t)size;
}

static bool file_has_read_ahead(const struct link *link)
{
	struct file *file = link->io;

	SCOPED_LOCK(&file->lock);
	return file->incoming;
}

/* Beginning and end */

static void file_shut_down(struct link *link)
{
	struct file *file = link->io;

	SCOPED_LOCK(&file->lock);
	reader_tell(&file->reader);
}

/* What nobody has answered by now was not to be answered. */
static void file_end(struct link *link)
{
	struct file *file = link->io;

	if (!file)
		return;
	pthread_mutex_lock(&file->lock);
	file->closed = true;
	file->reader.event = -1; /* about to be closed */
	file_finish_all(file, &file->running, CODE_BAD);
	file_finish_all(file, &file->incoming, CODE_BAD);
	file_finish_all(file, &file->kept, CODE_STALE);
	pthread_mutex_unlock(&file->lock);
	file_unref(file);
}

static const struct carrier carrier_file = {
	.scheme = "virtio",
	.read = file_read,
	.write = file_write,
	.has_read_ahead = file_has_read_ahead,
	.shut_down = file_shut_down,
	.at = file_at,
	.place = file_place,
	.end = file_end,
};

void file_unref(struct file *file)
{
	bool last;

	pthread_mutex_lock(&file->lock);
	last = !--file->refs;
	pthread_mutex_unlock(&file->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&file->lock);
	reader_release(&file->reader);
	accel_unref(file->accel);
	free(file);
}

/* The link takes the file's descriptor and one of its references. */
static int connect_file(struct accel *accel, struct file *file)
{
	struct connection *connection;
	struct link *link;
	int ret = link_adopt(&carrier_file, file->reader.event, NULL, &link);

	if (ret) {
		file_unref(file);
		return ret;
	}
	link->io = file;
	ret = connection_new(accel->worker, link, accel->peer, accel->listener, &connection);
	if (!ret)
		server_add(accel->worker->server, connection);
	return ret;
}

int file_open(struct accel *accel, uint64_t number, struct file **ret_file)
{
	struct file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an open file");
	*file = (struct file){.accel = accel, .number = number, .refs = 2};
	atomic_fetch_add(&accel->refs, 1);
	pthread_mutex_init(&file->lock, NULL);
	reader_init(&file->reader, &file->lock, &accel->helper, eventfd(0, EFD_CLOEXEC));
	ret = file->reader.event < 0
		      ? vaccel_fail(errno, "no descriptor for an open file: %s", strerror(errno))
		      : VACCEL_OK;
	if (ret)
		file_unref(file);
	else
		ret = connect_file(accel, file);
	if (ret)
		file_unref(file);
	else
		*ret_file = file;
	return ret;
}
