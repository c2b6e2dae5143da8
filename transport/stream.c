// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets that carry bytes in order: reading, writing and connecting with a
 * deadline. Who reads waits by the socket's own timeout rather than by poll(), so that
 * a message is one system call at each end; the timeout is set only when it changes. Who
 * writes seldom has to wait, and does so by poll(): with each part that it takes, a unix
 * socket begins its timeout anew. What a message is, link.c knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* Longer waits are made of several. */
#define MS_MAX 3600000

/*
 * Whole milliseconds, rounded up: at least 1, or 0 if @until has passed. For long waits it is no
 * matter that the clock which is quick to read is some of them late.
 */
static int ms_until(int64_t until)
{
	int64_t left = until ? until - time_about_now() : 0;

	if (left > 0 && left < SECOND)
		left = until - time_now();
	if (left <= 0)
		return 0;
	if (left >= MS_MAX * MILLISECOND)
		return MS_MAX;
	return (int)((left + MILLISECOND - 1) / MILLISECOND);
}

/*
 * Makes who reads the socket wait up to @until. Rounding makes most waits of a kind the same.
 * Returns the flags for the call.
 */
static int wait_flags(struct link *link, int64_t until)
{
	int ms = until == FOREVER ? 0 : ms_until(until);
	struct timeval timeout;

	if (!ms && until != FOREVER)
		return MSG_DONTWAIT;
	if (ms == link->receive_ms)
		return 0;
	timeout.tv_sec = ms / 1000;
	timeout.tv_usec = ms % 1000 * 1000;
	if (setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		return MSG_DONTWAIT;
	link->receive_ms = ms;
	return 0;
}

/* After a call that failed: VACCEL_OK to make it again, or the code to return. */
static int why_not(bool may_wait, int64_t until)
{
	if (errno == EINTR)
		return VACCEL_OK;
	if (errno != EAGAIN)
		return vaccel_fail(VACCEL_EREMOTEIO, "the connection broke: %s", strerror(errno));
	return !may_wait || time_now() >= until ? VACCEL_EAGAIN : VACCEL_OK;
}

/* Room for one descriptor: the kernel closes what finds none. */
union control {
	struct cmsghdr header;
	unsigned char bytes[CMSG_SPACE(sizeof(int))];
};

static int take_passed(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len >= CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* The plain calls cost much less than those with a struct msghdr. */
static ssize_t read_plainly(int fd, const struct iovec *to, int nr, int flags)
{
	struct msghdr message = {.msg_iov = (struct iovec *)to, .msg_iovlen = (size_t)nr};

	return nr == 1 ? recv(fd, to->iov_base, to->iov_len, flags) : recvmsg(fd, &message, flags);
}

static ssize_t read_with_passed(int fd, const struct iovec *to, int nr, int flags, int *ret_passed)
{
	union control control;
	struct msghdr message = {
		.msg_iov = (struct iovec *)to,
		.msg_iovlen = (size_t)nr,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t size = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);

	if (size >= 0)
		*ret_passed = take_passed(&message);
	return size;
}

ssize_t socket_read(struct link *link, const struct iovec *to, int nr, int64_t until,
		    int *ret_passed)
{
	for (;;) {
		int flags = wait_flags(link, until && link->is_timed_outside ? FOREVER : until);
		ssize_t size;
		int ret;

		if (link->takes_passed)
			size = read_with_passed(link->fd, to, nr, flags, ret_passed);
		else
			size = read_plainly(link->fd, to, nr, flags);
		if (size >= 0) {
			link->is_timed_outside = false;
			return size;
		}
		link->receive_ms = -1; /* another thread may have changed it */
		ret = why_not(!(flags & MSG_DONTWAIT), until);
		if (ret)
			return -ret;
	}
}

void link_time_outside(struct link *link, bool is_outside)
{
	link->is_timed_outside = is_outside;
}

void link_end_wait(struct link *link)
{
	const struct timeval soon = {.tv_usec = 1};

	(void)setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
}

static ssize_t write_with_passed(int fd, const struct msghdr *bytes, int flags, int passed)
{
	struct msghdr message = *bytes;
	union control control = {
		.header.cmsg_level = SOL_SOCKET,
		.header.cmsg_type = SCM_RIGHTS,
		.header.cmsg_len = CMSG_LEN(sizeof(passed)),
	};

	memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
	message.msg_control = &control;
	message.msg_controllen = sizeof(control);
	return sendmsg(fd, &message, flags);
}

/* Up to the first piece for which there is not enough room. */
static ssize_t write_in_turn(int fd, const struct iovec *from, int nr, int flags)
{
	ssize_t all = 0;

	for (int i = 0; i < nr; i++) {
		int more = i + 1 < nr ? MSG_MORE : 0;
		ssize_t size = send(fd, from[i].iov_base, from[i].iov_len, flags | more);

		if (size < 0)
			return all ? all : size;
		all += size;
		if ((size_t)size < from[i].iov_len)
			break;
	}
	return all;
}

static ssize_t write_once(const struct link *link, const struct iovec *from, int nr, int flags,
			  int passed)
{
	struct msghdr message = {.msg_iov = (struct iovec *)from, .msg_iovlen = (size_t)nr};

	if (passed >= 0)
		return write_with_passed(link->fd, &message, flags, passed);
	return nr == 1 || link->in_turn ? write_in_turn(link->fd, from, nr, flags)
					: sendmsg(link->fd, &message, flags);
}

ssize_t socket_write(struct link *link, const struct iovec *from, int nr, int64_t until, int passed)
{
	for (;;) {
		int ret = until ? socket_wait(link->fd, POLLOUT, until) : VACCEL_OK;
		ssize_t size;

		/* When the time is over there may be room, but less than poll() waits for. */
		if (ret && ret != VACCEL_EAGAIN)
			return -ret;
		size = write_once(link, from, nr, MSG_DONTWAIT | MSG_NOSIGNAL, passed);
		if (size >= 0)
			return size;
		ret = why_not(until != 0, until);
		if (ret)
			return -ret;
		socket_pause();
	}
}

void socket_pause(void)
{
	const struct timespec moment = timespec_of(MILLISECOND);

	nanosleep(&moment, NULL);
}

int socket_wait(int fd, short events, int64_t until)
{
	for (;;) {
		struct pollfd poller = {.fd = fd, .events = events};
		int ms = until == FOREVER ? -1 : ms_until(until);
		int ready = poll(&poller, 1, ms);

		if (ready > 0)
			return VACCEL_OK;
		if (ready < 0 && errno != EINTR)
			return vaccel_fail(VACCEL_EIO, "waiting for a socket: %s", strerror(errno));
		if (ready == 0 && time_now() >= until)
			return VACCEL_EAGAIN;
	}
}

int socket_make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_NONBLOCK && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)))
		return vaccel_fail(VACCEL_EIO, "a socket's flags: %s", strerror(errno));
	return VACCEL_OK;
}

/* How a connect() that did not end at once has ended, as an errno. */
static int connect_result(int fd, int64_t until)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (socket_wait(fd, POLLOUT, until))
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

int socket_connect(int family, const void *to, socklen_t size, int64_t until, int *ret_fd)
{
	_cleanup_(making_closep) int fd =
		making_socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, to, size)) {
		error = errno;
		if (error == EINPROGRESS || error == EINTR)
			error = connect_result(fd, until);
	}
	if (!error && socket_make_blocking(fd))
		error = EIO;
	if (!error)
		*ret_fd = TAKE_FD(fd);
	return error;
}

int connect_failed(const char *where, int error)
{
	switch (error) {
	case ENOENT:
		return vaccel_fail(VACCEL_ENOENT,
				   "connecting to %s: there is no such socket file; start "
				   "vaccel-agent there, or correct the address",
				   where);
	case ECONNREFUSED:
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "connecting to %s: nobody listens; start vaccel-agent there, or "
				   "correct the address",
				   where);
	case EAGAIN:
	case ETIMEDOUT:
		return vaccel_fail(VACCEL_ETIMEDOUT, "connecting to %s: no answer in time", where);
	case EACCES:
	case EPERM:
		return vaccel_fail(VACCEL_EACCES, "connecting to %s: %s", where, strerror(error));
	default:
		return vaccel_fail(VACCEL_EREMOTEIO, "connecting to %s: %s", where,
				   strerror(error));
	}
}

/* What accept() reports of a connection that is gone again, or of a network in trouble. */
static bool is_passing(int error)
{
	static const int passing[] = {EINTR,	   ECONNABORTED, ENETDOWN, EPROTO,
				      ENOPROTOOPT, EHOSTDOWN,	 ENONET,   EHOSTUNREACH,
				      EOPNOTSUPP,  ENETUNREACH};

	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (error == passing[i])
			return true;
	return false;
}

int socket_accept(int listener, struct sockaddr_storage *ret_from, int *ret_fd)
{
	int fd;

	do {
		socklen_t size = sizeof(*ret_from);

		memset(ret_from, 0, sizeof(*ret_from));
		fd = accept4(listener, (struct sockaddr *)ret_from, &size, SOCK_CLOEXEC);
	} while (fd < 0 && is_passing(errno));
	if (fd < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (fd < 0)
		return vaccel_fail(errno, "no connection can be accepted: %s", strerror(errno));
	*ret_fd = fd;
	return VACCEL_OK;
}
