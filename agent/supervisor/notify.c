// SPDX-License-Identifier: Apache-2.0
/*
 * systemd's two protocols: words sent to NOTIFY_SOCKET, and listening sockets
 * that are there when the process starts, from descriptor 3 on. Each of those
 * goes to the listener whose address it is bound to.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include <vaccel/error.h>

#include "agent/base/environment.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/notify.h"
#include "base/util.h"
#include "transport/carrier.h"

#define FIRST_PASSED 3
#define PASSED_MAX   64

void notify(const char *format, ...)
{
	const char *path = environment_text(NOTIFY_SOCKET);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd = -1;
	char words[512];
	va_list args;
	size_t length = path ? strlen(path) : 0;

	if (!length || length >= sizeof(address.sun_path))
		return;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	memcpy(address.sun_path, path, length);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* If nobody hears it there is nobody to tell. */
	if (fd >= 0)
		sendto(fd, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT,
		       (struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

void notify_reloading(void)
{
	notify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration anew",
	       (long long)(time_now() / MICROSECOND));
}

/* How many sockets came. They stay open: a listener that has gone may come back. */
static int passed_sockets(void)
{
	const char *pid = environment_text(LISTEN_PID);
	const char *count = environment_text(LISTEN_FDS);
	int number = count ? atoi(count) : 0;

	if (!pid || atol(pid) != (long)getpid() || number <= 0)
		return 0;
	number = MIN_OF(number, PASSED_MAX);
	for (int i = 0; i < number; i++) {
		fcntl(FIRST_PASSED + i, F_SETFD, FD_CLOEXEC);
		fcntl(FIRST_PASSED + i, F_SETFL, O_NONBLOCK);
	}
	return number;
}

union socket_address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_vm vm;
	struct sockaddr_storage room;
};

static bool is_host(const struct sockaddr *host, const union socket_address *bound)
{
	const struct sockaddr_in6 *in6 = (const void *)host;
	const struct sockaddr_in *in = (const void *)host;

	if (host->sa_family != bound->any.sa_family)
		return false;
	if (host->sa_family == AF_INET)
		return in->sin_addr.s_addr == bound->in.sin_addr.s_addr;
	return !memcmp(&in6->sin6_addr, &bound->in6.sin6_addr, sizeof(in6->sin6_addr));
}

static bool is_bound_to_host(const union socket_address *bound, uint16_t port,
			     const struct address *address)
{
	_cleanup_(addrinfo_freep) struct addrinfo *list = NULL;

	if (!address->host || port != address->port || host_look_up(address, &list))
		return false;
	for (const struct addrinfo *at = list; at; at = at->ai_next)
		if (is_host(at->ai_addr, bound))
			return true;
	return false;
}

static bool is_bound_to_file(const union socket_address *bound, const struct address *address)
{
	char file[ADDRESS_FILE_ROOM];

	return address_file(address, file) && !strcmp(bound->local.sun_path, file);
}

static bool is_bound_to(int fd, const struct address *address)
{
	union socket_address bound = {};
	socklen_t size = sizeof(bound) - 1; /* a path may lack its NUL */

	if (getsockname(fd, &bound.any, &size))
		return false;
	switch (bound.any.sa_family) {
	case AF_UNIX:
		return is_bound_to_file(&bound, address);
	case AF_INET:
		return is_bound_to_host(&bound, ntohs(bound.in.sin_port), address);
	case AF_INET6:
		return is_bound_to_host(&bound, ntohs(bound.in6.sin6_port), address);
	case AF_VSOCK:
		return !address->host && !address->path && bound.vm.svm_cid == address->cid &&
		       bound.vm.svm_port == address->port;
	default:
		return false;
	}
}

int activation_find(const struct address *address)
{
	for (int i = 0; i < passed_sockets(); i++)
		if (is_bound_to(FIRST_PASSED + i, address))
			return FIRST_PASSED + i;
	return -1;
}

int activation_check(const struct listener *listeners)
{
	const char *names = environment_text(LISTEN_FDNAMES);

	for (int i = 0; i < passed_sockets(); i++) {
		if (!listener_of_socket(listeners, FIRST_PASSED + i))
			return vaccel_fail(
				VACCEL_EINVAL,
				"systemd passed socket '%.*s', which no listener has; give one "
				"the address of the socket unit",
				names ? (int)strcspn(names, ":") : 1, names ? names : "?");
		if (names)
			names += strcspn(names, ":") + (names[strcspn(names, ":")] == ':');
	}
	return VACCEL_OK;
}
