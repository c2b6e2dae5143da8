// SPDX-License-Identifier: Apache-2.0
/*
 * Messages between the supervisor and its children. SOCK_SEQPACKET keeps them
 * whole, so that a message is there or is not; one of another size, or with more
 * than one descriptor, comes from no program of ours and ends the conversation.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "agent/base/ipc.h"
#include "agent/base/passed.h"
#include "base/util.h"

int ipc_pair(int ret_fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds))
		return vaccel_fail(errno, "cannot make a pair of sockets: %s", strerror(errno));
	return VACCEL_OK;
}

int ipc_send(int socket, const struct ipc_message *message, int fd)
{
	struct iovec bytes = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
	ssize_t sent = passed_send(socket, &bytes, 1, MSG_DONTWAIT | MSG_NOSIGNAL, &fd, fd >= 0);

	if (sent == (ssize_t)sizeof(*message))
		return VACCEL_OK;
	/* ETOOMANYREFS: more descriptors are under way than this user may have open. */
	if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS))
		return VACCEL_EAGAIN;
	return vaccel_fail(VACCEL_EREMOTEIO, "the other process is gone: %s", strerror(errno));
}

int ipc_receive(int socket, bool wait, struct ipc_message *ret_message, int *ret_fd)
{
	struct ipc_message message;
	struct iovec bytes = {.iov_base = &message, .iov_len = sizeof(message)};
	_cleanup_(passed_release) struct passed passed;
	ssize_t received;

	/* That it has left something unread is told once, and before its own last words. */
	do {
		received = passed_receive(socket, &bytes, wait ? 0 : MSG_DONTWAIT, &passed);
	} while (received < 0 && errno == ECONNRESET);
	if (received < 0 && errno == EAGAIN)
		return VACCEL_EAGAIN;
	if (received <= 0)
		return vaccel_fail(VACCEL_EREMOTEIO, "the other process is gone");
	if (received != (ssize_t)sizeof(message) || passed.flags & MSG_TRUNC || passed.nr > 1)
		return vaccel_fail(VACCEL_EREMOTEIO, "the other process says nonsense");
	message.carrier[sizeof(message.carrier) - 1] = '\0';
	message.peer[sizeof(message.peer) - 1] = '\0';
	message.text[sizeof(message.text) - 1] = '\0';
	*ret_message = message;
	*ret_fd = passed_take(&passed);
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
