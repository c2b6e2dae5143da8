// SPDX-License-Identifier: Apache-2.0
/*
 * vsock-uds:///path:port: a virtual machine's vsock as Firecracker, Cloud Hypervisor
 * and vhost-device-vsock show it on the host. They listen on the socket file PATH:
 * who writes "CONNECT port\n" there, and reads "OK number\n", is connected to that port of
 * the machine. A machine that connects to a port of the host arrives at PATH_port,
 * where an agent listens. Who that is, the kernel does not say: the process at
 * the other end is the machine's monitor.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/carrier.h"

/* "OK 4294967295\n" and some more. */
#define ANSWER_MAX 32

static int parse(const char *rest, struct address *address)
{
	const char *colon = strrchr(rest, ':');
	int ret;

	if (strncmp(rest, "//", 2) || !colon)
		return address_is_not(address, "// or the port is missing");
	rest += 2;
	ret = parse_socket_path(rest, (size_t)(colon - rest), address);
	return ret ? ret : parse_port(colon + 1, UINT32_MAX, address);
}

/*
 * The answer's line and not a byte more, since the next ones are the agent's. 0 or an
 * errno; ECONNRESET at the end of the connection.
 */
static int read_line(int fd, int64_t until, char line[ANSWER_MAX])
{
	for (size_t size = 0; size < ANSWER_MAX; size++) {
		if (socket_wait(fd, POLLIN, until))
			return ETIMEDOUT;
		if (recv(fd, line + size, 1, MSG_DONTWAIT) != 1)
			return ECONNRESET;
		if (line[size] == '\n') {
			line[size] = '\0';
			return 0;
		}
	}
	line[ANSWER_MAX - 1] = '\0';
	return 0;
}

static int ask_for_port(const struct address *address, int fd, int64_t until)
{
	char line[ANSWER_MAX];
	uint32_t number;
	int size = snprintf(line, sizeof(line), "CONNECT %" PRIu32 "\n", address->port);
	int error = send(fd, line, (size_t)size, MSG_NOSIGNAL) == size ? read_line(fd, until, line)
								       : ECONNRESET;

	if (error == ECONNRESET)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "connecting to %s: nobody listens on this port of the machine, "
				   "or it does not run",
				   address->text);
	if (error)
		return connect_failed(address->text, error);
	if (strncmp(line, "OK ", 3) || !parse_number(line + 3, UINT32_MAX, &number))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "connecting to %s: it answers '%s' instead of OK and a number",
				   address->text, line);
	return VACCEL_OK;
}

/* The file is not the agent's: the monitor makes it, and an agent is behind it, in the machine. */
static int monitor_is_away(const struct address *address, int error)
{
	if (error == ENOENT)
		return vaccel_fail(VACCEL_ENOENT,
				   "connecting to %s: there is no '%s', which the monitor of a "
				   "virtual machine makes for its vsock; start the machine, or "
				   "correct the address",
				   address->text, address->path);
	if (error == ECONNREFUSED)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "connecting to %s: no monitor of a virtual machine listens at "
				   "'%s'; start the machine, or correct the address",
				   address->text, address->path);
	return connect_failed(address->text, error);
}

static int connect_to(const struct address *address, int64_t until, int *ret_fd)
{
	_cleanup_(making_closep) int fd = -1;
	int error, ret;

	until = MIN_OF(until, time_now() + CONNECT_NS);
	error = unix_connect(address->path, until, &fd);
	if (error)
		return monitor_is_away(address, error);
	ret = ask_for_port(address, fd, until);
	if (!ret)
		*ret_fd = TAKE_FD(fd);
	return ret;
}

static int listen_at(const struct address *address, mode_t mode, int *ret_fd)
{
	char file[ADDRESS_FILE_ROOM];

	address_file(address, file);
	return unix_listen(file, mode, ret_fd);
}

static void unlisten(const struct address *address)
{
	char file[ADDRESS_FILE_ROOM];

	address_file(address, file);
	unlink(file);
}

const struct carrier carrier_vsock_uds = {
	.scheme = "vsock-uds",
	.form = "vsock-uds:///PATH:PORT",
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.accept = unix_accept_machine,
	.unlisten = unlisten,
};
