// SPDX-License-Identifier: Apache-2.0
/*
 * See hostile.h. The linker puts functions of this file in the place of those by which
 * the client waits: socket_read(), clock_nanosleep(), ppoll(), and the clock.
 * Before it reads a socket that is empty, the agent at the other end has its turn.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "hostile.h"
#include "mailbox_layout.h"
#include "transport/control.h"
#include "transport/link.h"

#define START	    (1000 * SECOND) /* ns, where the clock begins */
#define NAP	    100000000	    /* ns, however short it was to be */
#define LOOK_TIME   1000	    /* ns that a look at it takes */
#define CONNECTIONS 8		    /* of one input */
#define REGIONS	    8		    /* that the agent remembers */

struct region {
	uint32_t number;
	unsigned char *memory;
	size_t size;
};

/* The agent's end of a connection. */
struct end {
	int client, fd;	   /* the sockets */
	struct frame last; /* the request that came last */
	struct region regions[REGIONS];
	size_t nr_regions;
	unsigned char *mailbox; /* or NULL */
	uint32_t asked;		/* the region that is to become one */
	uint64_t sent;		/* by the socket, since there is one */
	bool over;
};

static struct end *ends[CONNECTIONS];
static size_t nr_ends; /* of this input */
static const uint8_t *input;
static size_t input_size, input_offset, taken;
static int64_t now;

ssize_t __real_socket_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed);
ssize_t __wrap_socket_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed);
int64_t __wrap_time_now(void);
int64_t __wrap_time_about_now(void);
int __real_ppoll(struct pollfd *polled, nfds_t nr, const struct timespec *time,
		 const sigset_t *signals);
int __wrap_ppoll(struct pollfd *polled, nfds_t nr, const struct timespec *time,
		 const sigset_t *signals);
int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *ret_left);

/* The input */

void hostile_begin(const uint8_t *data, size_t size)
{
	input = data;
	input_size = size;
	input_offset = taken = nr_ends = 0;
	now = START;
}

static bool peek(struct piece *ret_piece, size_t *ret_after)
{
	*ret_after = input_offset;
	return piece_next(input, input_size, ret_after, ret_piece);
}

static void take(size_t after)
{
	input_offset = after;
	taken++;
	messages_taken++;
}

/* The frame as it is, however little it may make sense. */
static void look(const uint8_t *bytes, struct frame *ret_frame)
{
	static const struct frame_limits any = {UINT64_MAX, UINT64_MAX};

	*ret_frame = (struct frame){.kind = FRAME_KIND_END};
	frame_get(bytes, &any, ret_frame);
}

bool hostile_next(struct frame *ret_frame)
{
	struct piece piece;
	size_t after;

	if (!peek(&piece, &after))
		return false;
	look(piece.frame, ret_frame);
	return true;
}

size_t hostile_taken(void)
{
	return taken;
}

/* Connections */

static int connect_here(const struct address *address, int64_t until, int *ret_fd)
{
	struct end *end;
	int fds[2];

	if (nr_ends == CONNECTIONS || input_offset == input_size)
		return vaccel_fail(VACCEL_EREMOTEIO, "nobody listens");
	end = calloc(1, sizeof(*end));
	if (!end || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		abort();
	end->client = fds[0];
	end->fd = fds[1];
	ends[nr_ends++] = end;
	*ret_fd = fds[0];
	return VACCEL_OK;
}

static struct end *end_of(const struct link *link)
{
	for (size_t i = 0; i < nr_ends; i++)
		if (ends[i] && ends[i]->client == link->fd)
			return ends[i];
	abort();
}

static void end_link(struct link *link)
{
	struct end *end = end_of(link);

	for (size_t i = 0; i < end->nr_regions; i++)
		munmap(end->regions[i].memory, end->regions[i].size);
	close(end->fd);
	for (size_t i = 0; i < nr_ends; i++)
		if (ends[i] == end)
			ends[i] = NULL;
	free(end);
}

bool hostile_is_alone(void)
{
	for (size_t i = 0; i < nr_ends; i++)
		if (ends[i])
			return false;
	return true;
}

struct carrier hostile_carrier = {
	.scheme = "hostile",
	.form = "hostile:",
	.abilities = LINK_REGIONS,
	.connect = connect_here,
	.end = end_link,
};

/* What the client says */

static void keep_region(struct end *end, uint32_t number, uint64_t size, int fd)
{
	struct region *region = &end->regions[end->nr_regions];

	if (end->nr_regions == REGIONS)
		return;
	region->memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (region->memory == MAP_FAILED)
		return;
	region->number = number;
	region->size = (size_t)size;
	end->nr_regions++;
}

static void hear(struct end *end, const unsigned char *message, int fd)
{
	const unsigned char *head = message + FRAME_SIZE;
	uint32_t region;
	uint64_t size;
	struct frame frame;

	look(message, &frame);
	if (frame.kind != FRAME_HELLO && frame.kind != FRAME_CALL)
		return;
	end->last = frame;
	if (frame.op != VACCEL_OP_REGION_ADD && frame.op != VACCEL_OP_MAILBOX_OPEN)
		return;
	memcpy(&region, head, sizeof(region));
	memcpy(&size, head + CODEC_ALIGN, sizeof(size));
	if (frame.op == VACCEL_OP_MAILBOX_OPEN)
		end->asked = region;
	else if (fd >= 0)
		keep_region(end, region, size, fd);
}

/* All that is in the socket. It begins with a message: the client has sent it whole. */
static void hear_socket(struct end *end)
{
	static unsigned char bytes[1 << 20];
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec to = {bytes, sizeof(bytes)};
	struct msghdr message = {
		.msg_iov = &to,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(end->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct frame frame;
	int fd = -1;

	if (size < FRAME_SIZE)
		return;
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	for (size_t at = 0; (size_t)size - at >= FRAME_SIZE;) {
		look(bytes + at, &frame);
		hear(end, bytes + at, fd);
		at += FRAME_SIZE + (size_t)(frame.head_size + frame.payload_size);
		if (at > (size_t)size)
			break;
	}
	closep(&fd);
}

static void hear_mailbox(struct end *end)
{
	uint32_t first;

	memcpy(&first, end->mailbox + AT_SLOT, sizeof(first));
	if (first)
		hear(end, end->mailbox + AT_SLOT, -1);
	memset(end->mailbox + AT_SLOT, 0, sizeof(first));
}

static void hear_all(struct end *end)
{
	hear_socket(end);
	if (end->mailbox)
		hear_mailbox(end);
}

/* What it is answered */

static void say(struct end *end, const void *bytes, size_t size)
{
	if (send(end->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
		end->over = true;
	if (!end->mailbox)
		return;
	end->sent += size;
	memcpy(end->mailbox + HALF_SIZE + AT_SENT, &end->sent, sizeof(end->sent));
}

/* By the slot, and with a bell, since the client sleeps. */
static void say_in_mailbox(struct end *end, const void *bytes, size_t size)
{
	const struct frame bell = {.kind = FRAME_DOORBELL};
	unsigned char rung[FRAME_SIZE];

	memcpy(end->mailbox + HALF_SIZE + AT_SLOT, bytes, size);
	frame_put(&bell, rung);
	say(end, rung, sizeof(rung));
}

static bool is_answer(const struct frame *frame)
{
	return frame->kind == FRAME_WELCOME || frame->kind == FRAME_REPLY;
}

static void open_mailbox(struct end *end)
{
	for (size_t i = 0; i < end->nr_regions; i++)
		if (end->regions[i].number == end->asked && end->regions[i].size >= MAILBOX_SIZE)
			end->mailbox = end->regions[i].memory;
}

static void answer(struct end *end, const struct piece *piece, struct frame *frame)
{
	size_t size = FRAME_SIZE + piece->head_size + piece->payload_size;
	unsigned char *bytes = exact_copy(piece->frame, size);
	bool opens = frame->kind == FRAME_REPLY && frame->op == VACCEL_OP_MAILBOX_OPEN;

	/* The numbers of the vectors. */
	if (is_answer(frame) && (frame->request == 1 || frame->request == 2)) {
		frame->request = end->last.request;
		frame_put(frame, bytes);
	}
	if (end->mailbox && size <= SLOT_SIZE && frame->request % 2)
		say_in_mailbox(end, bytes, size);
	else
		say(end, bytes, size);
	if (opens && !frame->status && !end->mailbox)
		open_mailbox(end);
	free(bytes);
}

/* What has nothing to say in its answer. */
static bool is_acknowledged(const struct frame *request)
{
	const struct vaccel_op *op = control_by_number(request->op);

	if (request->kind != FRAME_CALL || !op)
		return false;
	for (size_t i = 0; i < op->nr_fields; i++)
		if (op->fields[i].dir & VACCEL_DIR_OUT)
			return false;
	return true;
}

static void acknowledge(struct end *end)
{
	const struct frame frame = {
		.kind = FRAME_REPLY, .op = end->last.op, .request = end->last.request};
	unsigned char bytes[FRAME_SIZE];

	frame_put(&frame, bytes);
	say(end, bytes, sizeof(bytes));
	end->last = (struct frame){0};
}

/* A turn of the agent's. False: it is silent. */
static bool act(struct end *end)
{
	struct frame frame = {.kind = FRAME_KIND_END};
	struct piece piece;
	size_t after;
	bool any;

	hear_all(end);
	any = peek(&piece, &after);
	if (any)
		look(piece.frame, &frame);
	if (is_acknowledged(&end->last) &&
	    !(frame.kind == FRAME_REPLY && frame.op == end->last.op)) {
		acknowledge(end);
		return true;
	}
	if (any)
		take(after);
	if (!any || frame.kind == FRAME_HELLO)
		end->over = true;
	else if (frame.kind == FRAME_CANCEL)
		return false;
	else
		answer(end, &piece, &frame);
	return true;
}

/* In the place of what waits */

ssize_t __wrap_socket_read(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed)
{
	struct end *end = end_of(link);
	int ready = 0;

	if (!until)
		return __real_socket_read(link, to, nr, 0, ret_passed);
	ioctl(link->fd, FIONREAD, &ready);
	if (!ready && !end->over && !act(end) && until != FOREVER) {
		now = MAX_OF(now, until);
		return -VACCEL_EAGAIN;
	}
	ioctl(link->fd, FIONREAD, &ready);
	/* Nothing more comes, so that nobody waits. */
	if (!ready || end->over)
		shutdown(end->fd, SHUT_WR);
	return __real_socket_read(link, to, nr, FOREVER, ret_passed);
}

int64_t __wrap_time_now(void)
{
	return now += LOOK_TIME;
}

int64_t __wrap_time_about_now(void)
{
	return now;
}

/* By who waits for a slot to be emptied. */
int __wrap_ppoll(struct pollfd *polled, nfds_t nr, const struct timespec *time,
		 const sigset_t *signals)
{
	static const struct timespec at_once;

	now += NAP;
	for (size_t i = 0; i < nr_ends; i++)
		if (ends[i])
			hear_all(ends[i]);
	return __real_ppoll(polled, nr, &at_once, signals);
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
			   struct timespec *ret_left)
{
	now = MAX_OF(now, until->tv_sec * SECOND + until->tv_nsec);
	return 0;
}
