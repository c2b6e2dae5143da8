// SPDX-License-Identifier: Apache-2.0
/*
 * Messages between the supervisor and its children. SOCK_SEQPACKET keeps them
 * whole, so that a message is there or is not; one of another size comes from no
 * program of ours and ends the conversation.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/base/ipc.h"
#include "base/util.h"

/* Room for one descriptor and not for two: the kernel closes what does not fit. */
union passed {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int ipc_pair(int ret_fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds))
		return vaccel_fail(errno, "cannot make a pair of sockets: %s", strerror(errno));
	return VACCEL_OK;
}

static void attach(struct msghdr *header, union passed *passed, int fd)
{
	header->msg_control = passed;
	header->msg_controllen = CMSG_LEN(sizeof(int));
	passed->header.cmsg_level = SOL_SOCKET;
	passed->header.cmsg_type = SCM_RIGHTS;
	passed->header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&passed->header), &fd, sizeof(fd));
}

int ipc_send(int socket, const struct ipc_message *message, int fd)
{
	struct iovec bytes = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};
	union passed passed = {};
	ssize_t sent;

	if (fd >= 0)
		attach(&header, &passed, fd);
	do {
		sent = sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)sizeof(*message))
		return VACCEL_OK;
	/* ETOOMANYREFS: more descriptors are under way than this user may have open. */
	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS))
		return VACCEL_EAGAIN;
	return vaccel_fail(VACCEL_EREMOTEIO, "the other process is gone: %s", strerror(errno));
}

static int descriptor_of(struct msghdr *header)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(control), sizeof(fd));
	return fd;
}

int ipc_receive(int socket, bool wait, struct ipc_message *ret_message, int *ret_fd)
{
	struct ipc_message message;
	struct iovec bytes = {.iov_base = &message, .iov_len = sizeof(message)};
	union passed passed = {};
	struct msghdr header = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	_cleanup_(closep) int fd = -1;
	ssize_t received;

	/* That it has left something unread is told once, and before its own last words. */
	do {
		received = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	} while (received < 0 && (errno == EINTR || errno == ECONNRESET));
	if (received < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (received <= 0)
		return vaccel_fail(VACCEL_EREMOTEIO, "the other process is gone");
	fd = descriptor_of(&header);
	if (received != (ssize_t)sizeof(message) || (header.msg_flags & MSG_TRUNC))
		return vaccel_fail(VACCEL_EREMOTEIO, "the other process says nonsense");
	message.carrier[sizeof(message.carrier) - 1] = '\0';
	message.peer[sizeof(message.peer) - 1] = '\0';
	message.text[sizeof(message.text) - 1] = '\0';
	*ret_message = message;
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

int ipc_receive_setup(int socket, struct worker_setup *ret_setup)
{
	_cleanup_(closep) int fd = -1;
	struct ipc_message message;
	int ret = ipc_receive(socket, true, &message, &fd);

	if (!ret && (message.kind != IPC_SETUP || fd < 0))
		ret = vaccel_fail(VACCEL_EINVAL, "message %u came before the setup", message.kind);
	return ret ? ret : worker_setup_read(fd, ret_setup);
}

void ipc_live(int socket)
{
	/* Where there is no room the other end has enough to read. */
	ipc_send(socket, &(struct ipc_message){.kind = IPC_ALIVE}, -1);
}

void ipc_report(int socket, int ret)
{
	struct ipc_message message = {.kind = ret ? IPC_FAILED : IPC_READY};

	if (ret)
		snprintf(message.text, sizeof(message.text), "%s", vaccel_error_text());
	ipc_send(socket, &message, -1);
}
