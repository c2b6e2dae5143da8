// SPDX-License-Identifier: Apache-2.0
/*
 * Relaying. What one side sends is read once, whenever the other side has taken all
 * that was read before; what it does not take at once is kept, and nothing more
 * is read meanwhile. So a byte costs two system calls and epoll's, and a slow
 * end holds up nobody but its own peer.
 */
#include "agent/front/passage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <linux/tcp.h>
#include <netinet/in.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"
#include "transport/tls.h"

/* The supervisor waits for no child, so that it takes a message soon. */
#define SUPERVISOR_NS (5 * SECOND)

/* Bytes on their way to a side. */
struct stream {
	unsigned char *left; /* what that side has not taken yet */
	size_t start, end;
	bool ended; /* nothing more comes from the other side */
	bool told;  /* and this one knows */
};

struct passage {
	struct front *front;
	struct gate *gate; /* NULL: the handshake is done */
	struct link *link;
	int inside; /* -1: in the handshake */
	bool deaf;  /* the worker takes nothing any more */
	bool dead;
	struct source sources[SIDES];
	struct stream streams[SIDES];
	struct ipc_message arrival;

	struct timed *timed; /* NULL: not limited */
	int64_t until;
	struct passage *before, *after;
};

static void limit_time(struct passage *passage, struct timed *timed)
{
	passage->timed = timed;
	passage->until = time_now() + timed->patience_ns;
	passage->after = NULL;
	passage->before = timed->last;
	*(timed->last ? &timed->last->after : &timed->first) = passage;
	timed->last = passage;
	timed->count++;
}

static void unlimit_time(struct passage *passage)
{
	struct timed *timed = TAKE(passage->timed);

	if (!timed)
		return;
	*(passage->before ? &passage->before->after : &timed->first) = passage->after;
	*(passage->after ? &passage->after->before : &timed->last) = passage->before;
	timed->count--;
}

static int fd_of(const struct passage *passage, enum side side)
{
	return side == OUTSIDE ? link_fd(passage->link) : passage->inside;
}

/* Whether there is what could not even be sent, since the client takes nothing. */
static bool has_unsent(const struct passage *passage)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	return !getsockopt(link_fd(passage->link), IPPROTO_TCP, TCP_INFO, &info, &size) &&
	       info.tcpi_notsent_bytes;
}

/*
 * The kernel would keep it, after close(), for as long as the client takes a little now and then.
 * Connecting to nobody resets the connection; the sandbox permits no longer address.
 */
static void drop_unsent(const struct passage *passage)
{
	static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (has_unsent(passage))
		(void)connect(link_fd(passage->link), &nobody, sizeof(nobody.sa_family));
}

/*
 * It may be in the events at hand once more, so it is freed later. The supervisor may still have
 * its own of the connection: closing would not take it out of the epoll set then, nor end it.
 */
static void end(struct passage *passage)
{
	struct front *front = passage->front;

	for (enum side side = 0; side < SIDES; side++)
		if (passage->sources[side].events)
			epoll_ctl(front->epoll, EPOLL_CTL_DEL, fd_of(passage, side), NULL);
	drop_unsent(passage);
	link_shut_down(passage->link);
	unlimit_time(passage);
	if (passage->gate)
		passage->gate->half_open--;
	link_delete(passage->link);
	closep(&passage->inside);
	for (enum side side = 0; side < SIDES; side++)
		free(passage->streams[side].left);
	passage->dead = true;
	passage->after = front->ended;
	front->ended = passage;
	front->passages--;
}

void passages_bury(struct front *front)
{
	while (front->ended) {
		struct passage *passage = front->ended;

		front->ended = passage->after;
		free(passage);
	}
}

/*
 * What epoll is to tell of a side; of the agent's, while the client takes nothing, only that it has
 * ended; of a client's, when both have ended, only that it has taken all. A side that nobody waits
 * for is not watched: it could only say that it has ended, again and again.
 */
static int watch(struct passage *passage, enum side side)
{
	struct source *source = &passage->sources[side];
	const struct stream *from = &passage->streams[!side], *to = &passage->streams[side];
	struct epoll_event event = {.data.ptr = source};
	int how = EPOLL_CTL_MOD;

	if (!from->ended && !from->left)
		event.events = side == OUTSIDE ? link_events(passage->link) : EPOLLIN;
	else if (side == INSIDE && !passage->timed)
		event.events = EPOLLRDHUP;
	else if (side == OUTSIDE && from->told && to->told)
		event.events = EPOLLET;
	if (to->left)
		event.events |= EPOLLOUT;
	if (event.events == source->events)
		return VACCEL_OK;
	if (!source->events)
		how = EPOLL_CTL_ADD;
	else if (!event.events)
		how = EPOLL_CTL_DEL;
	if (epoll_ctl(passage->front->epoll, how, fd_of(passage, side), &event))
		return vaccel_fail(errno, "cannot watch a connection: %s", strerror(errno));
	source->events = event.events;
	return VACCEL_OK;
}

/* Reading and writing never wait; as link_read_fn and link_write_fn. */

static ssize_t take(struct passage *passage, enum side side)
{
	struct front *front = passage->front;
	struct iovec to = {front->buffer, sizeof(front->buffer)};
	int passed = -1;
	ssize_t size;

	if (side == OUTSIDE)
		return passage->link->read(passage->link, &to, 1, 0, &passed);
	do
		size = recv(passage->inside, to.iov_base, to.iov_len, MSG_DONTWAIT);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return errno == EAGAIN ? -VACCEL_EAGAIN : 0;
	return size;
}

static ssize_t give(struct passage *passage, enum side side, const void *bytes, size_t nr)
{
	struct iovec from = {(void *)bytes, nr};
	ssize_t size;

	if (side == OUTSIDE)
		return passage->link->write(passage->link, &from, 1, 0, -1);
	if (passage->deaf)
		return (ssize_t)nr;
	do
		size = send(passage->inside, bytes, nr, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (size < 0 && errno == EINTR);
	if (size >= 0)
		return size;
	if (errno == EAGAIN)
		return -VACCEL_EAGAIN;
	/* What it said before it ended is still to reach the client. */
	passage->deaf = true;
	return (ssize_t)nr;
}

/* False: the connection is of no more use; as those below. */
static bool pass(struct passage *passage, enum side side, const unsigned char *bytes, size_t nr)
{
	struct stream *stream = &passage->streams[side];
	ssize_t size = give(passage, side, bytes, nr);

	if (size == (ssize_t)nr)
		return true;
	if (size < 0 && size != -VACCEL_EAGAIN)
		return false;
	stream->start = 0;
	stream->end = nr - (size_t)MAX_OF(size, 0);
	stream->left = malloc(stream->end);
	if (!stream->left)
		return false;
	memcpy(stream->left, bytes + nr - stream->end, stream->end);
	return true;
}

static bool pass_left(struct passage *passage, enum side side)
{
	struct stream *stream = &passage->streams[side];
	ssize_t size;

	if (!stream->left)
		return true;
	size = give(passage, side, stream->left + stream->start, stream->end - stream->start);
	if (size < 0)
		return size == -VACCEL_EAGAIN;
	stream->start += (size_t)size;
	if (stream->start == stream->end)
		free(TAKE(stream->left));
	return true;
}

/* The agent has closed: its client has some time to take the rest and go. */
static void begin_to_leave(struct passage *passage)
{
	struct timed *leaving = &passage->front->leaving;

	if (passage->timed)
		return;
	limit_time(passage, leaving);
	if (leaving->count > LEAVING_MAX)
		end(leaving->first);
}

/* Nothing more comes for that side. */
static void tell_end(struct passage *passage, enum side side)
{
	passage->streams[side].told = true;
	if (side == INSIDE) {
		shutdown(passage->inside, SHUT_WR);
		return;
	}
	tls_end_writing(passage->link);
	begin_to_leave(passage);
}

static bool relay(struct passage *passage, enum side to)
{
	struct stream *stream = &passage->streams[to];

	if (!pass_left(passage, to))
		return false;
	if (!stream->left && !stream->ended) {
		ssize_t size = take(passage, !to);

		if (size < 0)
			return size == -VACCEL_EAGAIN;
		stream->ended = !size;
		if (size && !pass(passage, to, passage->front->buffer, (size_t)size))
			return false;
	}
	if (stream->ended && !stream->left && !stream->told)
		tell_end(passage, to);
	return true;
}

/* The supervisor gets one end of a pair, and who is there. */
static int introduce(struct passage *passage, const char *name)
{
	struct ipc_message *message = &passage->arrival;
	int64_t until = time_now() + SUPERVISOR_NS;
	int ends[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return vaccel_fail(errno, "no pair of sockets: %s", strerror(errno));
	passage->inside = ends[0];
	unix_refuse_passed(ends[0]);
	message->kind = IPC_PEER;
	snprintf(message->text, sizeof(message->text), "%s", name);
	/* There may be room in the socket, and too many descriptors under way. */
	while ((ret = ipc_send(passage->front->ipc, message, ends[1])) == VACCEL_EAGAIN &&
	       time_now() < until)
		socket_pause();
	close(ends[1]);
	return ret;
}

/* False also for a client that is refused. */
static bool greet(struct passage *passage)
{
	ssize_t size = take(passage, OUTSIDE);
	const char *name = link_peer_name(passage->link);

	if (!name) {
		if (size == -VACCEL_EAGAIN)
			return true;
		front_refuse(passage->front, passage->arrival.peer,
			     size == -VACCEL_EACCES ? REFUSED_AUTH : REFUSED_MALFORMED);
		return false;
	}
	passage->gate->half_open--;
	passage->gate = NULL;
	unlimit_time(passage);
	if (introduce(passage, name))
		return false;
	if (size)
		return size < 0 ? size == -VACCEL_EAGAIN
				: pass(passage, INSIDE, passage->front->buffer, (size_t)size);
	passage->streams[INSIDE].ended = true;
	tell_end(passage, INSIDE);
	return true;
}

static bool go_on(struct passage *passage, enum side side)
{
	if (passage->gate)
		return greet(passage);
	return relay(passage, !side) && relay(passage, side);
}

static bool watch_both(struct passage *passage)
{
	return !watch(passage, OUTSIDE) && (passage->inside < 0 || !watch(passage, INSIDE));
}

/* The client, who has ended its direction, may still have to take something. */
static bool is_over(const struct passage *passage)
{
	return passage->streams[OUTSIDE].told && passage->streams[INSIDE].told &&
	       !has_unsent(passage);
}

void passage_ready(struct source *source, uint32_t events)
{
	struct passage *passage = source->passage;

	if (passage->dead)
		return;
	if (source->side == INSIDE && events & EPOLLRDHUP)
		begin_to_leave(passage);
	if (!go_on(passage, source->side) || !watch_both(passage) || is_over(passage))
		end(passage);
}

int passage_new(struct front *front, struct gate *gate, const struct ipc_message *arrival, int fd)
{
	struct passage *passage = calloc(1, sizeof(*passage));
	int ret;

	if (!passage) {
		close(fd);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	}
	ret = link_adopt(&carrier_tls, fd, gate->tls, &passage->link);
	if (ret) {
		free(passage);
		return ret;
	}
	if (gate->half_open >= HALF_OPEN_MAX)
		passages_end_half_open(front, gate, false);
	passage->front = front;
	passage->gate = gate;
	passage->inside = -1;
	passage->arrival = *arrival;
	for (enum side side = 0; side < SIDES; side++)
		passage->sources[side] = (struct source){.passage = passage, .side = side};
	limit_time(passage, &front->greeting);
	gate->half_open++;
	front->passages++;
	ret = watch(passage, OUTSIDE);
	if (ret)
		end(passage);
	return ret;
}

void passages_end_half_open(struct front *front, const struct gate *gate, bool all)
{
	struct passage *after;

	for (struct passage *passage = front->greeting.first; passage; passage = after) {
		after = passage->after;
		if (gate && passage->gate != gate)
			continue;
		end(passage);
		if (!all)
			return;
	}
}

/* Returns when the next one's time is over; FOREVER if there is none. */
static int64_t expire(struct timed *timed, int64_t now)
{
	while (timed->first && timed->first->until <= now) {
		struct passage *passage = timed->first;

		if (passage->gate) {
			vaccel_fail(VACCEL_ETIMEDOUT, "too slow in TLS' handshake");
			front_refuse(passage->front, passage->arrival.peer, REFUSED_MALFORMED);
		}
		end(passage);
	}
	return timed->first ? timed->first->until : FOREVER;
}

int passages_expire(struct front *front)
{
	int64_t now = front->greeting.first || front->leaving.first ? time_now() : 0;
	int64_t greeting = expire(&front->greeting, now), leaving = expire(&front->leaving, now);
	int64_t until = MIN_OF(greeting, leaving);

	return until == FOREVER ? -1 : (int)((until - now) / MILLISECOND) + 1;
}
