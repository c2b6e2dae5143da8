// SPDX-License-Identifier: Apache-2.0
#include "front.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

#define HALF	    (FRONT_MEMORY / 2)
#define PATIENCE_MS 60000

static void make_queue(struct front *front, struct front_queue *queue)
{
	queue->descriptors = front_take(front, front->size * sizeof(*queue->descriptors));
	queue->available = front_take(front, 6 + 2 * (size_t)front->size);
	queue->used = front_take(front, 6 + 8 * (size_t)front->size);
	queue->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	queue->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(queue->kick >= 0 && queue->call >= 0);
}

void front_init(struct front *front)
{
	front_init_sized(front, FRONT_SIZE);
}

void front_init_sized(struct front *front, uint16_t size)
{
	memset(front, 0, sizeof(*front));
	front->size = size;
	pthread_mutex_init(&front->lock, NULL);
	front->fd = memfd_create("machine", MFD_CLOEXEC);
	front->inflight = memfd_create("inflight", MFD_CLOEXEC);
	assert_int_equal(ftruncate(front->fd, FRONT_MEMORY), 0);
	assert_int_equal(ftruncate(front->inflight, INFLIGHT_STRIDE(size) * FRONT_QUEUES), 0);
	front->memory = mmap(NULL, FRONT_MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(front->memory, MAP_FAILED);
	for (unsigned int i = 0; i < 2; i++)
		assert_ptr_not_equal(mmap(front->memory + HALF * i, HALF, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, front->fd,
					  (off_t)(HALF * (1 - i))),
				     MAP_FAILED);
	for (unsigned int i = 0; i < FRONT_QUEUES; i++)
		make_queue(front, &front->queues[i]);
}

void front_release(struct front *front)
{
	for (unsigned int i = 0; i < FRONT_QUEUES; i++) {
		close(front->queues[i].kick);
		close(front->queues[i].call);
	}
	munmap(front->memory, FRONT_MEMORY);
	close(front->fd);
	close(front->inflight);
	pthread_mutex_destroy(&front->lock);
}

void front_reset_queue(struct front *front, unsigned int number)
{
	struct front_queue *queue = &front->queues[number];

	memset(queue->descriptors, 0, front->size * sizeof(*queue->descriptors));
	memset(queue->available, 0, 6 + 2 * (size_t)front->size);
	memset(queue->used, 0, 6 + 8 * (size_t)front->size);
	memset(queue->busy, 0, sizeof(queue->busy));
	memset(queue->done, 0, sizeof(queue->done));
	queue->seen = queue->next_head = 0;
}

uint64_t front_address(const struct front *front, const void *at)
{
	return FRONT_GUEST + (uint64_t)((const char *)at - front->memory);
}

struct vhost_region front_region(const struct front *front, unsigned int index)
{
	return (struct vhost_region){
		.guest = FRONT_GUEST + HALF * index,
		.size = HALF,
		.front = (uintptr_t)front->memory + HALF * index,
		.offset = HALF * (1 - index),
	};
}

struct vhost_addresses front_addresses(const struct front *front, unsigned int queue)
{
	const struct front_queue *at = &front->queues[queue];

	return (struct vhost_addresses){
		.queue = queue,
		.descriptors = (uintptr_t)at->descriptors,
		.available = (uintptr_t)at->available,
		.used = (uintptr_t)at->used,
	};
}

void *front_take(struct front *front, size_t size)
{
	void *memory = front->memory + front->taken;

	front->taken += (size + 4095) & ~(size_t)4095;
	if (front->taken > FRONT_MEMORY)
		fail_msg("the machine has no memory left");
	return memory;
}

void front_forget(struct front *front, unsigned int queue)
{
	const struct inflight_queue nothing = {0};

	assert_int_equal(pwrite(front->inflight, &nothing, sizeof(nothing),
				(off_t)INFLIGHT_STRIDE(FRONT_SIZE) * queue),
			 sizeof(nothing));
}

static void tell(int channel, const struct update *update, int first, int second)
{
	assert_int_equal(update_send(channel, update, first, second), VACCEL_OK);
}

void front_attach(struct front *front, int channel, bool fresh)
{
	struct update update = {.kind = UPDATE_REGION};

	for (unsigned int i = 0; i < 2; i++) {
		update.region = front_region(front, i);
		tell(channel, &update, front->fd, -1);
	}
	tell(channel, &(struct update){.kind = UPDATE_MEMORY}, -1, -1);
	update = (struct update){.kind = UPDATE_INFLIGHT};
	update.inflight = (struct vhost_inflight){
		.size = INFLIGHT_STRIDE(FRONT_SIZE) * FRONT_QUEUES,
		.queues = FRONT_QUEUES,
		.queue_size = FRONT_SIZE,
	};
	tell(channel, &update, front->inflight, -1);
	for (unsigned int i = 0; i < FRONT_QUEUES; i++) {
		if (fresh)
			front_forget(front, i);
		update = (struct update){
			.kind = UPDATE_START,
			.queue = i,
			.size = FRONT_SIZE,
			.enabled = !front->disabled,
			.features = VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX,
			.addresses = front_addresses(front, i),
		};
		tell(channel, &update, front->queues[i].kick, front->queues[i].call);
	}
}

void front_stop(int channel, unsigned int queue, uint16_t *ret_base)
{
	struct pollfd poller = {.fd = channel, .events = POLLIN};
	struct update update = {.kind = UPDATE_STOP, .queue = queue};
	int fds[UPDATE_FDS];

	tell(channel, &update, -1, -1);
	assert_int_equal(poll(&poller, 1, PATIENCE_MS), 1);
	assert_int_equal(update_receive(channel, &update, fds), VACCEL_OK);
	assert_int_equal(update.kind, UPDATE_STOPPED);
	assert_int_equal(update.queue, queue);
	*ret_base = update.base;
}

/* Rings */

static size_t fill(struct front *front, struct front_descriptor *table, const uint16_t *slots,
		   const struct front_piece *pieces, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		table[slots[i]] = (struct front_descriptor){
			.address = front_address(front, pieces[i].at),
			.size = (uint32_t)pieces[i].size,
			.flags = (uint16_t)((pieces[i].writable ? 2 : 0) | (i + 1 < nr)),
			.next = i + 1 < nr ? slots[i + 1] : 0,
		};
	return nr;
}

static uint16_t take_slot(const struct front *front, struct front_queue *queue)
{
	for (uint16_t i = 0; i < front->size; i++) {
		uint16_t slot = (uint16_t)((queue->next_head + i) % front->size);

		if (queue->busy[slot])
			continue;
		queue->busy[slot] = true;
		queue->done[slot] = false;
		queue->next_head = (uint16_t)(slot + 1);
		return slot;
	}
	fail_msg("the queue is full");
	return 0;
}

static void publish(const struct front *front, struct front_queue *queue, uint16_t head)
{
	uint16_t index = queue->available[1];

	queue->available[2 + index % front->size] = head;
	__atomic_store_n(&queue->available[1], (uint16_t)(index + 1), __ATOMIC_RELEASE);
}

/*
 * A chain of several descriptors takes a slot for each, which are free again together; as only
 * the first comes back, tests with such chains use tables.
 */
uint16_t front_put(struct front *front, unsigned int number, const struct front_piece *pieces,
		   size_t nr)
{
	struct front_queue *queue = &front->queues[number];
	struct front_descriptor *table;
	uint16_t slots[FRONT_MAX] = {0}, head;

	SCOPED_LOCK(&front->lock);
	assert_true(nr <= front->size);
	if (front->indirect) {
		head = take_slot(front, queue);
		table = front_take(front, nr * sizeof(*table));
		for (size_t i = 0; i < nr; i++)
			slots[i] = (uint16_t)i;
		fill(front, table, slots, pieces, nr);
		queue->descriptors[head] = (struct front_descriptor){
			.address = front_address(front, table),
			.size = (uint32_t)(nr * sizeof(*table)),
			.flags = 4,
		};
	} else {
		for (size_t i = 0; i < nr; i++)
			slots[i] = take_slot(front, queue);
		head = slots[0];
		fill(front, queue->descriptors, slots, pieces, nr);
		/* Remembered for the end of the chain. */
	}
	front->under_way++;
	publish(front, queue, head);
	return head;
}

void front_kick(struct front *front, unsigned int queue)
{
	(void)!write(front->queues[queue].kick, &(uint64_t){1}, sizeof(uint64_t));
}

static void free_chain(struct front_queue *queue, uint16_t head)
{
	uint16_t at = head;

	for (int i = 0; i < FRONT_MAX; i++) {
		queue->busy[at] = false;
		if (!(queue->descriptors[at].flags & 1))
			break;
		at = queue->descriptors[at].next;
	}
}

bool front_is_done(struct front *front, unsigned int number, uint16_t head)
{
	struct front_queue *queue = &front->queues[number];
	uint16_t now = __atomic_load_n(&queue->used[1], __ATOMIC_ACQUIRE);

	SCOPED_LOCK(&front->lock);
	while (queue->seen != now) {
		uint32_t entry[2];

		memcpy(entry, &queue->used[2 + 4 * (queue->seen % front->size)], sizeof(entry));
		queue->seen++;
		if (front->hostile && (entry[0] >= front->size || !queue->busy[entry[0]]))
			continue;
		assert_true(entry[0] < front->size);
		assert_true(front->hostile || (queue->busy[entry[0]] && !queue->done[entry[0]]));
		queue->done[entry[0]] = true;
		queue->written[entry[0]] = entry[1];
		front->under_way--;
	}
	/* The next one is worth an interrupt. */
	__atomic_store_n(&queue->available[2 + front->size], queue->seen, __ATOMIC_SEQ_CST);
	return queue->done[head];
}

uint32_t front_wait(struct front *front, unsigned int number, uint16_t head)
{
	struct front_queue *queue = &front->queues[number];
	struct pollfd poller = {.fd = queue->call, .events = POLLIN};
	uint64_t count;

	while (!front_is_done(front, number, head)) {
		/* Several may wait; whoever was told looks again soon in any case. */
		if (poll(&poller, 1, 10) > 0)
			(void)!read(queue->call, &count, sizeof(count));
	}
	SCOPED_LOCK(&front->lock);
	free_chain(queue, head);
	queue->done[head] = false;
	return queue->written[head];
}

/* Requests */

/* Pieces that are small, and not aligned to anything. */
static size_t spread(const struct front *front, struct front_piece *pieces, void *at, size_t size,
		     bool writable)
{
	size_t nr = 0;

	while (front->spread && size > 100 && nr < 8) {
		size_t part = 33 + 8 * nr;

		pieces[nr++] = (struct front_piece){at, part, writable};
		at = (char *)at + part;
		size -= part;
	}
	pieces[nr++] = (struct front_piece){at, size, writable};
	return nr;
}

void front_send(struct front *front, struct front_request *request, const void *in, size_t in_size,
		size_t room)
{
	struct front_piece pieces[32];
	size_t nr;

	pthread_mutex_lock(&front->lock);
	request->in = front_take(front, sizeof(*request->in) + in_size);
	request->out = front_take(front, sizeof(*request->out) + room);
	pthread_mutex_unlock(&front->lock);
	*request->in = request->header;
	if (in_size)
		memcpy(request->in + 1, in, in_size);
	memset(request->out, 0xee, sizeof(*request->out));
	request->in_size = in_size;
	request->room = room;
	nr = spread(front, pieces, request->in, sizeof(*request->in) + in_size, false);
	nr += spread(front, pieces + nr, request->out, sizeof(*request->out) + room, true);
	request->head = front_put(front, request->queue, pieces, nr);
	front_kick(front, request->queue);
}

enum code front_answer(struct front *front, struct front_request *request)
{
	request->written = front_wait(front, request->queue, request->head);
	request->status = *request->out;
	assert_int_equal(request->status.reserved, 0);
	assert_true(request->status.code <= CODE_GONE);
	assert_true(request->written >= sizeof(struct status));
	assert_true(request->written <= sizeof(struct status) + request->room);
	return request->status.code;
}

enum code front_call(struct front *front, enum request_type type, uint64_t file, uint64_t request)
{
	struct front_request chain = {
		.header = {.type = type, .file = file, .request = request},
	};

	front_send(front, &chain, NULL, 0, 0);
	return front_answer(front, &chain);
}

/* A file as a link */

struct opened {
	struct front *front;
	size_t room;
	uint64_t file;
	unsigned char *out; /* the message that is being sent */
	size_t size, whole;
	unsigned char *in; /* the answers that came, and what has been read of them */
	size_t in_size, done;
	struct front_request waiting[8];
	uint64_t numbers[8]; /* the frames' */
	bool waits[8];
};

static size_t free_place(const struct opened *opened)
{
	for (size_t i = 0; i < 8; i++)
		if (!opened->waits[i])
			return i;
	fail_msg("too many requests");
	return 0;
}

static void send_message(struct opened *opened, const struct frame *frame)
{
	size_t place = free_place(opened);
	struct front_request *request = &opened->waiting[place];

	if (frame->kind == FRAME_CANCEL) {
		for (size_t i = 0; i < 8; i++)
			if (opened->waits[i] && opened->numbers[i] == frame->request)
				front_call(opened->front, TYPE_CANCEL, opened->file,
					   opened->waiting[i].header.request);
		return;
	}
	opened->waits[place] = true;
	opened->numbers[place] = frame->request;
	*request = (struct front_request){
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.uid = 1000,
				.pid = 7,
				.file = opened->file,
				.request = __atomic_add_fetch(&opened->front->last_request, 1,
							      __ATOMIC_RELAXED),
				.readable = opened->size,
				.writable = opened->room,
			},
	};
	front_send(opened->front, request, opened->out, opened->size, opened->room);
}

static ssize_t opened_write(struct link *link, const struct iovec *from, int nr, int64_t until,
			    int passed)
{
	const struct frame_limits any = {UINT64_MAX, UINT64_MAX};
	struct opened *opened = link->io;
	struct frame frame;
	ssize_t size = 0;

	for (int i = 0; i < nr; i++) {
		opened->out = realloc(opened->out, opened->size + from[i].iov_len);
		memcpy(opened->out + opened->size, from[i].iov_base, from[i].iov_len);
		opened->size += from[i].iov_len;
		size += (ssize_t)from[i].iov_len;
	}
	if (opened->size < FRAME_SIZE || frame_get(opened->out, &any, &frame) ||
	    opened->size < FRAME_SIZE + frame.head_size + frame.payload_size)
		return size;
	send_message(opened, &frame);
	opened->size = 0;
	return size;
}

static void fetch(struct opened *opened, struct front_request *request)
{
	struct front_request again = {.header = request->header};

	again.header.flags |= FLAG_FETCH;
	again.header.readable = 0;
	again.header.writable = request->status.wanted;
	front_send(opened->front, &again, NULL, 0, (size_t)request->status.wanted);
	assert_int_equal(front_answer(opened->front, &again), CODE_OK);
	assert_int_equal(again.status.used, request->status.wanted);
	*request = again;
}

/* The next answer. False: the file is of no more use. */
static bool take_answer(struct opened *opened, size_t place)
{
	struct front_request *request = &opened->waiting[place];
	enum code code = front_answer(opened->front, request);

	opened->waits[place] = false;
	if (code == CODE_NOSPACE)
		fetch(opened, request);
	else if (code != CODE_OK)
		return false;
	opened->in = realloc(opened->in, (size_t)request->status.used + 1);
	opened->in_size = (size_t)request->status.used;
	opened->done = 0;
	memcpy(opened->in, request->out + 1, opened->in_size);
	return true;
}

static ssize_t opened_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed)
{
	struct opened *opened = link->io;
	size_t size;

	while (opened->done == opened->in_size) {
		bool any = false;

		for (size_t i = 0; i < 8; i++) {
			any |= opened->waits[i];
			if (!opened->waits[i] ||
			    !front_is_done(opened->front, 0, opened->waiting[i].head))
				continue;
			if (!take_answer(opened, i))
				return 0;
			break;
		}
		if (!any && opened->done == opened->in_size)
			return 0;
		if (time_now() >= until)
			return -VACCEL_EAGAIN;
		if (opened->done == opened->in_size)
			usleep(50);
	}
	size = MIN_OF(to->iov_len, opened->in_size - opened->done);
	memcpy(to->iov_base, opened->in + opened->done, size);
	opened->done += size;
	return (ssize_t)size;
}

static void opened_end(struct link *link)
{
	struct opened *opened = link->io;

	front_call(opened->front, TYPE_CLOSE, opened->file, 0);
	for (size_t i = 0; i < 8; i++)
		if (opened->waits[i])
			front_answer(opened->front, &opened->waiting[i]);
	free(opened->out);
	free(opened->in);
	free(opened);
}

static const struct carrier carrier_opened = {
	.scheme = "front",
	.read = opened_read,
	.write = opened_write,
	.end = opened_end,
};

struct link *front_open(struct front *front, size_t room)
{
	struct opened *opened = calloc(1, sizeof(*opened));
	struct link *link;

	assert_int_equal(link_adopt(&carrier_opened, eventfd(0, EFD_CLOEXEC), NULL, &link),
			 VACCEL_OK);
	*opened = (struct opened){
		.front = front,
		.room = room,
		.file = __atomic_add_fetch(&front->last_file, 1, __ATOMIC_RELAXED),
	};
	link->io = opened;
	return link;
}
