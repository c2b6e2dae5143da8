/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with more descriptors than any of vhost-user has. */
#ifndef TESTS_VHOST_REPEAT_H
#define TESTS_VHOST_REPEAT_H

#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#define REPEAT_MAX 253 /* as many as Linux takes */

/* Sends @bytes with @fd passed @nr times, at most REPEAT_MAX; what sendmsg() returns. */
static inline ssize_t send_repeating(int socket, const void *bytes, size_t size, int fd,
				     unsigned int nr, int flags)
{
	struct iovec piece = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(REPEAT_MAX * sizeof(int))];
	} passed = {};

	if (nr) {
		message.msg_control = &passed;
		message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		passed.header.cmsg_level = SOL_SOCKET;
		passed.header.cmsg_type = SCM_RIGHTS;
		passed.header.cmsg_len = CMSG_LEN(nr * sizeof(int));
		for (unsigned int i = 0; i < nr; i++)
			memcpy(CMSG_DATA(&passed.header) + i * sizeof(int), &fd, sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL | flags);
}

#endif
