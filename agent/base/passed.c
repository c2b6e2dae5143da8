// SPDX-License-Identifier: Apache-2.0
/*
 * See passed.h. Who sends may not mean well: to the supervisor that is any child of its own, and
 * any monitor of a machine. In processes without threads that close, release() closes itself.
 */
#include "agent/base/passed.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/closer.h"
#include "base/util.h"

ssize_t passed_send(int socket, struct iovec *from, size_t nr, int flags, const int *fds,
		    size_t nr_fds)
{
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(PASSED_SENT_MAX * sizeof(int))];
	} control = {};
	struct msghdr message = {.msg_iov = from, .msg_iovlen = nr};
	ssize_t sent;

	if (nr_fds) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, nr_fds * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
	}
	do
		sent = nr == 1 && !nr_fds ? send(socket, from->iov_base, from->iov_len, flags)
					  : sendmsg(socket, &message, flags);
	while (sent < 0 && errno == EINTR);
	return sent;
}

ssize_t passed_receive(int socket, struct iovec *to, int flags, struct passed *ret_passed)
{
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = to, .msg_iovlen = 1};
	const struct cmsghdr *header;
	ssize_t size;

	ret_passed->nr = 0;
	do {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		size = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return size;
	ret_passed->flags = message.msg_flags;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		size_t bytes = header->cmsg_len - CMSG_LEN(0);

		memcpy(ret_passed->fds, CMSG_DATA(header), bytes);
		ret_passed->nr = (unsigned int)(bytes / sizeof(int));
	}
	return size;
}

int passed_take(struct passed *passed)
{
	int fd;

	if (!passed->nr)
		return -1;
	fd = passed->fds[0];
	memmove(passed->fds, passed->fds + 1, --passed->nr * sizeof(fd));
	return fd;
}

void passed_release(struct passed *passed)
{
	while (passed->nr)
		close_elsewhere(passed->fds[--passed->nr]);
}
