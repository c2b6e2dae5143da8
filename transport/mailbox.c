// SPDX-License-Identifier: Apache-2.0
/*
 * Small messages through memory that both ends share, for those who would rather
 * spin than sleep. Each direction has a *slot* for one message; what is larger, what
 * comes along with a descriptor, and what wakes a sleeper goes by the socket. The
 * order of messages is kept, but for a GOAWAY: the socket is written to only while the
 * slot is empty, and the slot is read only when all that the socket was given before
 * has been read. The peer may write anything at any time: what it does to the order and the
 * slots is its own loss, and bytes are copied before they are looked at.
 */
#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* Of a message in a slot: as much as a link has room for at a message's start. */
#define SLOT_ROOM LINK_ROOM

/* Looks between two looks at the clock. */
#define LOOKS 64

/* A peer has rung no more often for what was found without it. */
#define LATE_BELLS 16

/* A slot that its reader does not empty is looked at so often; that is rare. */
#define SLOT_WAIT_NS 20000

/*
 * One direction. docs/protocol.md, "The mailbox". A frame is in one line of memory,
 * and its first bytes, which are never 0, say that it is there: so one line goes from
 * end to end and back for a message without a head.
 */
struct half {
	_Atomic uint32_t asleep; /* the reader's: it wants a DOORBELL */
	uint32_t zero;
	_Atomic uint64_t sent; /* bytes that the socket was given, DOORBELLs included */
	unsigned char apart[48];
	_Alignas(64) union {
		_Atomic uint32_t full; /* the first bytes of the message; 0: there is none */
		unsigned char slot[SLOT_ROOM];
	};
	unsigned char after[MAILBOX_SIZE / 2 - 64 - SLOT_ROOM];
};

static_assert(2 * sizeof(struct half) == MAILBOX_SIZE, "the mailbox is its two halves");

struct mailbox {
	struct half *in, *out;
	int64_t spin_ns;
	uint64_t read;	  /* of in->sent, by who receives */
	bool was_asleep;  /* the same */
	uint64_t writing; /* bytes of a message that are still to go by the socket */
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

/* Receiving */

static bool socket_has(const struct mailbox *mailbox)
{
	return (int64_t)(atomic_load_explicit(&mailbox->in->sent, memory_order_acquire) -
			 mailbox->read) > 0;
}

static bool slot_has(const struct mailbox *mailbox)
{
	return atomic_load(&mailbox->in->full);
}

/*
 * Whether what is in the slot comes next. Looked at in this order: the bytes that
 * come before it were counted before it was put there.
 */
static bool slot_is_next(const struct mailbox *mailbox)
{
	return slot_has(mailbox) && !socket_has(mailbox);
}

static bool has_something(const struct mailbox *mailbox)
{
	return slot_has(mailbox) || socket_has(mailbox);
}

static void spin(const struct mailbox *mailbox, int64_t until)
{
	int64_t end = 0;

	for (int looks = 0; !has_something(mailbox); looks++) {
		if (looks % LOOKS == LOOKS - 1) {
			int64_t now = time_now();

			if (!end)
				end = MIN_OF(until, now + mailbox->spin_ns);
			if (now >= end)
				return;
		}
		relax();
	}
}

/* Who fills the slot from now on rings; whether it was filled before is to be looked at then. */
static void fall_asleep(struct mailbox *mailbox)
{
	mailbox->was_asleep = true;
	atomic_store(&mailbox->in->asleep, 1);
}

static void wake_up(struct mailbox *mailbox)
{
	if (!mailbox->was_asleep)
		return;
	atomic_store_explicit(&mailbox->in->asleep, 0, memory_order_relaxed);
	mailbox->was_asleep = false;
}

/* What the frame at the start of a message announces, itself included; 0: it is none. */
static uint64_t announced(const void *bytes)
{
	static const struct frame_limits any = {UINT64_MAX / 4, UINT64_MAX / 4};
	struct frame frame;

	if (frame_get(bytes, &any, &frame))
		return 0;
	return FRAME_SIZE + frame.head_size + frame.payload_size;
}

static ssize_t take_slot(struct mailbox *mailbox, const struct iovec *to)
{
	unsigned char *bytes = to->iov_base;
	uint64_t size;

	memcpy(bytes, mailbox->in->slot, FRAME_SIZE);
	size = announced(bytes);
	if (!size) /* which whoever takes it will see */
		size = FRAME_SIZE;
	if (size > SLOT_ROOM || size > to->iov_len)
		return -vaccel_fail(VACCEL_EREMOTEIO,
				    "the mailbox has a message of %" PRIu64 " bytes", size);
	memcpy(bytes + FRAME_SIZE, mailbox->in->slot + FRAME_SIZE, (size_t)size - FRAME_SIZE);
	atomic_store_explicit(&mailbox->in->full, 0, memory_order_release);
	return (ssize_t)size;
}

static ssize_t read_socket(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed)
{
	struct mailbox *mailbox = link->mailbox;
	ssize_t size = socket_read(link, to, nr, until, ret_passed);

	if (size > 0)
		mailbox->read += (uint64_t)size;
	return size;
}

static ssize_t mailbox_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			    int *ret_passed)
{
	struct mailbox *mailbox = link->mailbox;
	ssize_t size;

	if (!link_is_between(link))
		return read_socket(link, to, nr, until, ret_passed);
	wake_up(mailbox);
	if (until)
		spin(mailbox, until);
	if (until && !has_something(mailbox))
		fall_asleep(mailbox);
	if (slot_is_next(mailbox))
		return take_slot(mailbox, to);
	size = read_socket(link, to, nr, until, ret_passed);
	wake_up(mailbox);
	return size;
}

bool mailbox_has_message(struct link *link)
{
	fall_asleep(link->mailbox);
	return slot_is_next(link->mailbox);
}

bool mailbox_is_stale(struct link *link)
{
	static const struct frame_limits nothing;
	unsigned char bytes[FRAME_SIZE];
	struct mailbox *mailbox = link->mailbox;
	struct iovec to = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct frame frame;
	int passed = -1;

	/* Those that were rung for messages that had been found already. */
	for (int i = 0; i < LATE_BELLS; i++) {
		ssize_t size = recv(link->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

		if (size < 0 && errno == EAGAIN)
			return slot_has(mailbox);
		if (size != FRAME_SIZE || frame_get(bytes, &nothing, &frame) ||
		    frame.kind != FRAME_DOORBELL ||
		    read_socket(link, &to, 1, 0, &passed) != FRAME_SIZE)
			break;
	}
	return true;
}

/* Sending */

static uint64_t size_of(const struct iovec *from, int nr)
{
	uint64_t size = 0;

	for (int i = 0; i < nr; i++)
		size += from[i].iov_len;
	return size;
}

/* Until the reader has taken the message that is there, or is gone. */
static int wait_until_empty(struct link *link, const struct half *half, int64_t until)
{
	while (atomic_load_explicit(&half->full, memory_order_acquire)) {
		const struct timespec a_while = {.tv_nsec = SLOT_WAIT_NS};
		struct pollfd socket = {.fd = link->fd};

		if (link->shut)
			return vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
		if (time_now() >= until)
			return VACCEL_EAGAIN;
		if (ppoll(&socket, 1, &a_while, NULL) > 0 && !link->shut)
			return vaccel_fail(VACCEL_EREMOTEIO, "the peer has closed the connection");
	}
	return VACCEL_OK;
}

static int ring(struct link *link, struct half *half)
{
	const struct frame frame = {.kind = FRAME_DOORBELL};
	unsigned char bytes[FRAME_SIZE];
	const struct iovec from = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	ssize_t size;

	frame_put(&frame, bytes);
	size = socket_write(link, &from, 1, 0, -1);
	/* Who has not read what fills the socket is not asleep. */
	if (size == -VACCEL_EAGAIN)
		return VACCEL_OK;
	if (size != FRAME_SIZE)
		return size < 0 ? (int)-size
				: vaccel_fail(VACCEL_EREMOTEIO, "a bell was cut short");
	atomic_fetch_add_explicit(&half->sent, FRAME_SIZE, memory_order_release);
	return VACCEL_OK;
}

/*
 * The frame comes last: the reader looks at its line all the time, and takes it away
 * from a writer who comes back to it.
 */
static void copy_to_slot(struct half *half, const struct iovec *from, int nr)
{
	const unsigned char *bytes = from->iov_base;
	size_t end = from->iov_len;
	uint32_t first;

	for (int i = 1; i < nr; i++) {
		memcpy(half->slot + end, from[i].iov_base, from[i].iov_len);
		end += from[i].iov_len;
	}
	memcpy(half->slot + FRAME_SIZE, bytes + FRAME_SIZE, from->iov_len - FRAME_SIZE);
	atomic_signal_fence(memory_order_seq_cst);
	memcpy(&first, bytes, sizeof(first));
	memcpy(half->slot + sizeof(first), bytes + sizeof(first), FRAME_SIZE - sizeof(first));
	atomic_store(&half->full, first);
}

static ssize_t fill_slot(struct link *link, const struct iovec *from, int nr, uint64_t size)
{
	struct half *half = link->mailbox->out;
	int ret = VACCEL_OK;

	copy_to_slot(half, from, nr);
	if (unlikely(atomic_load(&half->asleep)) && atomic_exchange(&half->asleep, 0))
		ret = ring(link, half);
	return ret ? -ret : (ssize_t)size;
}

static ssize_t write_socket(struct link *link, const struct iovec *from, int nr, int64_t until,
			    int passed)
{
	struct mailbox *mailbox = link->mailbox;
	ssize_t size = socket_write(link, from, nr, until, passed);

	if (size > 0)
		mailbox->writing -= MIN_OF(mailbox->writing, (uint64_t)size);
	return size;
}

/* A message that overtakes the one in the slot: whoever waits for that learns of it early. */
static bool may_overtake(const void *bytes)
{
	static const struct frame_limits nothing;
	struct frame frame;

	return !frame_get(bytes, &nothing, &frame) && frame.kind == FRAME_GOAWAY;
}

static ssize_t begin_by_socket(struct link *link, const struct iovec *from, int nr, int64_t until,
			       int passed)
{
	struct mailbox *mailbox = link->mailbox;

	mailbox->writing = announced(from->iov_base);
	atomic_fetch_add_explicit(&mailbox->out->sent, mailbox->writing, memory_order_release);
	return write_socket(link, from, nr, until, passed);
}

static ssize_t mailbox_write(struct link *link, const struct iovec *from, int nr, int64_t until,
			     int passed)
{
	struct mailbox *mailbox = link->mailbox;
	uint64_t size;
	int ret;

	if (mailbox->writing)
		return write_socket(link, from, nr, until, passed);
	if (unlikely(atomic_load_explicit(&mailbox->out->full, memory_order_acquire))) {
		if (may_overtake(from->iov_base))
			return begin_by_socket(link, from, nr, until, passed);
		ret = wait_until_empty(link, mailbox->out, until);
		if (ret)
			return -ret;
	}
	size = announced(from->iov_base);
	if (passed < 0 && size <= SLOT_ROOM && size == size_of(from, nr))
		return fill_slot(link, from, nr, size);
	return begin_by_socket(link, from, nr, until, passed);
}

int link_use_mailbox(struct link *link, void *memory, bool is_client, uint32_t spin_us)
{
	struct half *halves = memory;
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (!mailbox)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a mailbox");
	mailbox->in = &halves[is_client ? 1 : 0];
	mailbox->out = &halves[is_client ? 0 : 1];
	mailbox->spin_ns = (int64_t)spin_us * 1000;
	SCOPED_LOCK(&link->sending);
	link->mailbox = mailbox;
	link->read = mailbox_read;
	link->write = mailbox_write;
	return VACCEL_OK;
}
