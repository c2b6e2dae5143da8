// SPDX-License-Identifier: Apache-2.0
#include "made_state.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct ipc_message message_of(enum ipc_kind kind, const char *peer, const char *text)
{
	struct ipc_message message = {.kind = kind};

	snprintf(message.peer, sizeof(message.peer), "%s", peer);
	snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
	return message;
}

struct stats *tell_tenant(struct state *state, const char *name, const char *policy, pid_t pid)
{
	struct ipc_message message = message_of(IPC_STATS, name, policy);
	struct stats *stats;
	int fd;

	message.pid = pid;
	assert_int_equal(stats_make(&fd), 0);
	assert_int_equal(stats_map(fd, true, &stats), 0);
	assert_int_equal(state_take(state, &message, fd), 0);
	close(fd);
	return stats;
}

int listen_on_port(unsigned short *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (void *)&address, size), 0);
	assert_int_equal(getsockname(fd, (void *)&address, &size), 0);
	assert_int_equal(listen(fd, 64), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

int listen_at(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

int connect_to_port(unsigned short port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

int connect_to(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

char *read_all(int fd)
{
	size_t size = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t got;

	while ((got = read(fd, text + size, room - size - 1)) > 0) {
		size += (size_t)got;
		if (size + 1 == room)
			text = realloc(text, room *= 2);
	}
	text[size] = '\0';
	close(fd);
	return text;
}
