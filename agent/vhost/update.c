// SPDX-License-Identifier: Apache-2.0
/* See update.h; agent/base/ipc.c has the same for messages with one descriptor. */
#include "agent/vhost/update.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/base/passed.h"
#include "base/util.h"

union control {
	struct cmsghdr header;
	unsigned char room[CMSG_SPACE(UPDATE_FDS * sizeof(int))];
};

int update_send(int channel, const struct update *update, int first, int second)
{
	struct iovec bytes = {(void *)update, sizeof(*update)};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
	const int given[UPDATE_FDS] = {first, second};
	union control control = {};
	int fds[UPDATE_FDS];
	size_t nr = 0;
	ssize_t sent;

	for (size_t i = 0; i < UPDATE_FDS; i++)
		if (given[i] >= 0)
			fds[nr++] = given[i];
	if (nr) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, nr * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
	}
	do
		sent = nr ? sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
			  : send(channel, update, sizeof(*update), MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)sizeof(*update))
		return VACCEL_OK;
	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS))
		return VACCEL_EAGAIN;
	return vaccel_fail(VACCEL_EREMOTEIO, "the other end of the machine's channel is gone: %s",
			   strerror(errno));
}

int update_receive(int channel, struct update *ret_update, int ret_fds[UPDATE_FDS])
{
	struct update update;
	struct iovec bytes = {&update, sizeof(update)};
	_cleanup_(passed_release) struct passed passed;
	ssize_t size;

	do
		size = passed_receive(channel, &bytes, MSG_DONTWAIT, &passed);
	while (size < 0 && errno == ECONNRESET);
	if (size < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (size <= 0)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the other end of the machine's channel is gone");
	if (size != (ssize_t)sizeof(update) || passed.flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    passed.nr > UPDATE_FDS)
		return vaccel_fail(VACCEL_EREMOTEIO, "the other end of the machine's channel says "
						     "nonsense");
	update.words[sizeof(update.words) - 1] = '\0';
	*ret_update = update;
	for (size_t i = 0; i < UPDATE_FDS; i++)
		ret_fds[i] = passed_take(&passed);
	return VACCEL_OK;
}
