// SPDX-License-Identifier: Apache-2.0
/*
 * An open file of the guest as a link: reading takes messages from the chains that
 * have come, one after the other, and writing puts an answer into the chain that its request
 * came by. What a message lends lies in pages of the guest, which the codec asks for.
 */
#include "agent/vhost/device.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <vaccel/error.h>

#include "agent/worker/server.h"
#include "base/util.h"
#include "transport/link.h"

/* Answers that are kept for a file until they are fetched. */
#define KEPT_MAX 16

static const uint64_t one_more = 1;

/* The file for whose next message this thread walks the rings. */
static __thread const struct file *helping;

/* Exchanges */

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

/* Memory of the tenant's, given back with the exchange; NULL: there is not so much. */
static void *exchange_memory(struct accel *accel, struct exchange *exchange, uint64_t size)
{
	void *memory;

	if (size > SIZE_MAX / 2 || !meter_take(&accel->worker->memory, size))
		return NULL;
	memory = malloc((size_t)size + 1);
	if (memory)
		exchange->charged += size;
	else
		meter_give(&accel->worker->memory, size);
	return memory;
}

static void append(struct exchange **list, struct exchange *exchange)
{
	while (*list)
		list = &(*list)->next;
	exchange->next = NULL;
	*list = exchange;
}

static struct exchange *take_from(struct exchange **list, struct exchange *exchange)
{
	while (*list && *list != exchange)
		list = &(*list)->next;
	if (*list)
		*list = exchange->next;
	return exchange;
}

static struct exchange *by_request(struct exchange *list, uint64_t request)
{
	while (list && list->header.request != request)
		list = list->next;
	return list;
}

static void finish(struct file *file, struct exchange *exchange, enum code code)
{
	const struct answer answer = {
		.code = code,
		.flags = file->goaway ? STATUS_GOAWAY : 0,
	};

	if (exchange->chain)
		chain_answer(TAKE(exchange->chain), &answer);
	exchange_delete(file->accel, exchange);
}

static void finish_all(struct file *file, struct exchange **list, enum code code)
{
	while (*list)
		finish(file, take_from(list, *list), code);
}

/* The walking thread's side */

/* Whoever reads the link is told; the lock is held. */
static void tell(struct file *file)
{
	if (file == helping) {
		return; /* looks itself */
	} else if (file->helped >= 0) {
		(void)!write(file->helped, &one_more, sizeof(one_more));
	} else if (file->waited_for) {
		pthread_cond_signal(&file->more);
	} else if (!file->signaled) {
		file->signaled = true;
		(void)!write(file->event, &one_more, sizeof(one_more));
	}
}

void file_push(struct file *file, struct exchange *exchange)
{
	SCOPED_LOCK(&file->lock);
	if (file->closed) {
		finish(file, exchange, CODE_STALE);
		return;
	}
	append(&file->incoming, exchange);
	tell(file);
}

void file_close(struct file *file)
{
	SCOPED_LOCK(&file->lock);
	file->closed = true;
	finish_all(file, &file->kept, CODE_STALE);
	tell(file);
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
	append(&file->incoming, exchange);
	tell(file);
}

void file_cancel(struct file *file, uint64_t request)
{
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = by_request(file->incoming, request);
	if (exchange && exchange->chain && !exchange->read) {
		finish(file, take_from(&file->incoming, exchange), CODE_CANCELED);
		return;
	}
	if (!exchange)
		exchange = by_request(file->running, request);
	if (exchange && exchange->chain) {
		exchange->canceled = true;
		send_cancel(file, exchange->frame.request);
		return;
	}
	exchange = by_request(file->kept, request);
	if (exchange)
		exchange_delete(file->accel, take_from(&file->kept, exchange));
}

void file_stop(struct file *file, unsigned int queue)
{
	struct exchange *next;

	SCOPED_LOCK(&file->lock);
	for (struct exchange *at = file->incoming; at; at = next) {
		next = at->next;
		if (at->chain && at->chain->queue == queue && !at->read)
			finish(file, take_from(&file->incoming, at), CODE_STALE);
	}
	for (struct exchange *at = file->running; at; at = at->next)
		if (at->chain && at->chain->queue == queue)
			send_cancel(file, at->frame.request);
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
		exchange_delete(file->accel, take_from(&file->kept, exchange));
}

void file_fetch(struct file *file, const struct header *header, struct chain *chain)
{
	struct answer answer = {.code = CODE_STALE};
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = by_request(file->kept, header->request);
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
	struct answer answer = {.code = CODE_BAD};
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = by_request(file->kept, header->request);
	if (exchange && exchange->image && header->offset == exchange->sent)
		send_next(file, exchange, chain, &answer);
	answer.flags |= file->goaway ? STATUS_GOAWAY : 0;
	chain_answer(chain, &answer);
}

/* Reading */

/* What the descriptor has told of has been read, or taken away. */
static void be_quiet(struct file *file)
{
	uint64_t count;

	if (file->incoming || file->closed || !file->signaled)
		return;
	file->signaled = false;
	(void)!read(file->event, &count, sizeof(count));
}

/*
 * Walks the rings until something has come; the lock is given up meanwhile. False: somebody
 * else does.
 */
static bool help(struct file *file, int64_t until)
{
	struct accel *accel = file->accel;
	struct vhost *vhost;

	if (pthread_mutex_trylock(&accel->helping))
		return false;
	vhost = atomic_load(&accel->vhost);
	if (vhost) {
		file->helped = vhost_help_fd(vhost);
		pthread_mutex_unlock(&file->lock);
		helping = file;
		vhost_help(vhost, until);
		helping = NULL;
		pthread_mutex_lock(&file->lock);
		file->helped = -1;
	}
	pthread_mutex_unlock(&accel->helping);
	return vhost;
}

/* Waits for something to read, by the lock. False: the time is over. */
static bool wait_for_more(struct file *file, const struct link *link, int64_t until)
{
	const struct timespec end = {
		.tv_sec = (time_t)(until / SECOND),
		.tv_nsec = (long)(until % SECOND),
	};
	int ret = 0;

	if (!link->shut)
		be_quiet(file);
	while (!file->incoming && !file->closed && !link->shut && !ret) {
		if (!until || time_now() >= until)
			return false;
		if (help(file, until))
			continue;
		file->waited_for = true;
		ret = pthread_cond_clockwait(&file->more, &file->lock, CLOCK_MONOTONIC, &end);
		file->waited_for = false;
	}
	/* Who told of it as the time was over has told nobody else. */
	return !ret || file->incoming || file->closed || link->shut;
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
	struct exchange *exchange = take_from(&file->incoming, file->incoming);

	if (exchange->chain)
		append(&file->running, exchange);
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

/* Writing */

/* Which request of the file it answers; NULL: none, as with GOAWAY. */
static struct exchange *answered(struct file *file, const struct frame *frame)
{
	struct exchange *exchange = file->running;

	if (frame->kind == FRAME_GOAWAY)
		file->goaway = true;
	if (frame->kind != FRAME_REPLY && frame->kind != FRAME_WELCOME && frame->kind != FRAME_PONG)
		return NULL;
	while (exchange && exchange->frame.request != frame->request)
		exchange = exchange->next;
	/* A refused message may be answered before its payload has been read. */
	if (!exchange && file->incoming && file->incoming->frame.request == frame->request)
		exchange = file->incoming;
	return exchange;
}

static int begin_write(struct file *file, const struct iovec *from)
{
	const struct frame_limits any = {UINT64_MAX, UINT64_MAX};
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
	if (!exchange)
		return VACCEL_OK;
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
		finish_all(file, at, CODE_STALE);
}

/* The lock is held; the answer is whole. */
static void end_write(struct file *file, struct exchange *exchange)
{
	struct answer answer = {.flags = file->goaway ? STATUS_GOAWAY : 0};
	struct chain *chain = exchange->chain;
	bool waits = false;
	uint64_t end;

	take_from(&file->incoming, exchange);
	take_from(&file->running, exchange);
	exchange->chain = NULL;
	if (exchange->image) {
		end = exchange->kept ? 0 : file->written;
		for (struct lent *lent = exchange->lent; lent; lent = lent->next)
			if (lent->writable && lent->named)
				end = MAX_OF(end, lent->offset + lent->size);
		exchange->image_size = end;
		answer.touched = send_image(exchange, chain);
		waits = exchange->sent < end;
		answer.flags |= waits ? STATUS_MORE : 0;
	} else {
		exchange->chain = chain;
		end = copy_outputs(exchange);
		exchange->chain = NULL;
		answer.touched = exchange->kept ? end : MAX_OF(end, file->written);
	}
	if (exchange->kept) {
		answer.code = CODE_NOSPACE;
		answer.flags &= ~(uint32_t)STATUS_MORE;
		answer.wanted = exchange->kept_size;
	} else if (exchange->canceled && file->status == VACCEL_ECANCELED) {
		answer.code = CODE_CANCELED;
		waits = false;
	} else {
		answer.used = file->written;
	}
	if (exchange->kept || waits)
		keep(file, exchange);
	else
		exchange_delete(file->accel, exchange);
	chain_answer(chain, &answer);
}

static void write_piece(struct file *file, const char *bytes, size_t size)
{
	if (file->into)
		memcpy(file->into + file->written, bytes, size);
	else if (file->writing)
		chain_write(file->writing->chain, sizeof(struct status) + file->written, bytes,
			    size);
	file->written += size;
	file->left -= size;
}

static ssize_t file_write(struct link *link, const struct iovec *from, int nr, int64_t until,
			  int passed)
{
	struct file *file = link->io;
	size_t size = 0;

	if (!file->left && begin_write(file, from))
		return -VACCEL_EREMOTEIO;
	for (int i = 0; i < nr; i++) {
		write_piece(file, from[i].iov_base, from[i].iov_len);
		size += from[i].iov_len;
	}
	if (!file->left && file->writing) {
		SCOPED_LOCK(&file->lock);
		end_write(file, TAKE(file->writing));
	}
	return (ssize_t)size;
}

/* Lent memory */

static struct exchange *running(struct file *file, uint64_t number)
{
	struct exchange *exchange;

	SCOPED_LOCK(&file->lock);
	exchange = file->running;
	while (exchange && exchange->frame.request != number)
		exchange = exchange->next;
	return exchange;
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

static int file_at(struct link *link, uint64_t number, const struct payload *payload,
		   enum vaccel_dir dir, void **ret_data)
{
	struct file *file = link->io;
	struct exchange *exchange = running(file, number);
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

static bool file_place(struct link *link, uint64_t number, const void *data, enum vaccel_dir dir,
		       struct payload *payload)
{
	struct exchange *exchange = running(link->io, number);

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

/* Beginning and end */

static void file_shut_down(struct link *link)
{
	struct file *file = link->io;

	SCOPED_LOCK(&file->lock);
	tell(file);
}

/* What nobody has answered by now was not to be answered. */
static void file_end(struct link *link)
{
	struct file *file = link->io;

	if (!file)
		return;
	pthread_mutex_lock(&file->lock);
	file->closed = true;
	file->signaled = true; /* the descriptor is about to be closed */
	finish_all(file, &file->running, CODE_BAD);
	finish_all(file, &file->incoming, CODE_BAD);
	finish_all(file, &file->kept, CODE_STALE);
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
	pthread_cond_destroy(&file->more);
	accel_unref(file->accel);
	free(file);
}

/* The link takes the file's descriptor and one of its references. */
static int connect_file(struct accel *accel, struct file *file)
{
	struct connection *connection;
	struct link *link;
	int ret = link_adopt(&carrier_file, file->event, NULL, &link);

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
	*file = (struct file){.accel = accel, .number = number, .refs = 2, .helped = -1};
	atomic_fetch_add(&accel->refs, 1);
	pthread_mutex_init(&file->lock, NULL);
	pthread_cond_init(&file->more, NULL);
	file->event = eventfd(0, EFD_CLOEXEC);
	ret = file->event < 0
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
