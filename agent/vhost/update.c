// SPDX-License-Identifier: Apache-2.0
/* See update.h; agent/base/ipc.c has the same for messages with one descriptor. */
#include "agent/vhost/update.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "base/util.h"

union passed {
	struct cmsghdr header;
	unsigned char room[CMSG_SPACE(UPDATE_FDS * sizeof(int))];
};

int update_send(int channel, const struct update *update, int first, int second)
{
	struct iovec bytes = {(void *)update, sizeof(*update)};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
	const int given[UPDATE_FDS] = {first, second};
	union passed passed = {};
	int fds[UPDATE_FDS];
	size_t nr = 0;
	ssize_t sent;

	for (size_t i = 0; i < UPDATE_FDS; i++)
		if (given[i] >= 0)
			fds[nr++] = given[i];
	if (nr) {
		passed.header.cmsg_level = SOL_SOCKET;
		passed.header.cmsg_type = SCM_RIGHTS;
		passed.header.cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(&passed.header), fds, nr * sizeof(int));
		message.msg_control = &passed;
		message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
	}
	do
		sent = sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)sizeof(*update))
		return VACCEL_OK;
	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS))
		return VACCEL_EAGAIN;
	return vaccel_fail(VACCEL_EREMOTEIO, "the other end of the machine's channel is gone: %s",
			   strerror(errno));
}

static void take_fds(struct msghdr *message, int fds[UPDATE_FDS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	for (size_t i = 0; i < UPDATE_FDS; i++)
		fds[i] = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
}

int update_receive(int channel, struct update *ret_update, int ret_fds[UPDATE_FDS])
{
	struct update update;
	struct iovec bytes = {&update, sizeof(update)};
	union passed passed;
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};
	ssize_t size;

	do
		size = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (size < 0 && (errno == EINTR || errno == ECONNRESET));
	if (size < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (size <= 0)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the other end of the machine's channel is gone");
	take_fds(&message, ret_fds);
	if (size != (ssize_t)sizeof(update) || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (size_t i = 0; i < UPDATE_FDS; i++)
			closep(&ret_fds[i]);
		return vaccel_fail(VACCEL_EREMOTEIO, "the other end of the machine's channel says "
						     "nonsense");
	}
	update.words[sizeof(update.words) - 1] = '\0';
	*ret_update = update;
	return VACCEL_OK;
}
