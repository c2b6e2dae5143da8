// SPDX-License-Identifier: Apache-2.0
/*
 * tcp://host:port. Anybody who can reach the port can connect, and nothing is
 * encrypted: the agent listens only on loopback unless told otherwise.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/carrier.h"

/* A connection whose other machine is gone is noticed after 15 + 3 * 5 s, if nothing else does. */
#define KEEP_IDLE_S	15
#define KEEP_INTERVAL_S 5
#define KEEP_COUNT	3

/*
 * After as long an agent's kernel gives up a client that takes nothing, and what waits for it. With
 * this the kernel counts no probes, but it sends as many before the time is over.
 */
#define TAKE_MS ((KEEP_IDLE_S + KEEP_COUNT * KEEP_INTERVAL_S) * 1000)

/* It holds about so much that the client has no room for. More makes a stream no faster. */
#define UNSENT_MAX 131072

int parse_host_and_port(const char *rest, struct address *address)
{
	const char *host = rest + 2, *end;
	bool bracketed = !strncmp(rest, "//[", 3);

	if (strncmp(rest, "//", 2))
		return address_is_not(address, "// is missing");
	if (bracketed)
		host++;
	end = bracketed ? strchr(host, ']') : strchr(host, ':');
	if (!end || (bracketed && end[1] != ':'))
		return address_is_not(address, "the port is missing");
	if (end == host)
		return address_is_not(address, "the host is missing; 0.0.0.0 or [::] are all "
					       "of this machine's addresses");
	if (!bracketed && strchr(end + 1, ':'))
		return address_is_not(address, "numbers with colons are put in brackets");
	address->host = strndup(host, (size_t)(end - host));
	if (!address->host)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	return parse_port(end + (bracketed ? 2 : 1), UINT16_MAX, address);
}

struct option {
	int level, name, value;
};

/* A small message leaves at once, and a peer that vanished is noticed. */
static const struct option for_all[] = {
	{IPPROTO_TCP, TCP_NODELAY, 1},
	{SOL_SOCKET, SO_KEEPALIVE, 1},
	{IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
	{IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
	{IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
};

/* Clients that take nothing must not have the memory of the agent's machine. */
static const struct option for_accepted[] = {
	{IPPROTO_TCP, TCP_USER_TIMEOUT, TAKE_MS},
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX},
};

/* What fails is not vital. */
static void set_options(int fd, const struct option *options, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
}

int tcp_connect(const struct address *address, int64_t until, int *ret_fd)
{
	_cleanup_(addrinfo_freep) struct addrinfo *list = NULL;
	_cleanup_(closep) int fd = -1;
	int error = 0;
	int ret = address->port ? VACCEL_OK : address_is_not(address, "nobody listens at port 0");

	if (!ret)
		ret = host_look_up(address, &list);
	if (ret)
		return ret;
	for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
		error = socket_connect(at->ai_family, at->ai_addr, at->ai_addrlen,
				       MIN_OF(until, time_now() + CONNECT_NS), &fd);
	if (fd < 0 && error == ETIMEDOUT)
		return vaccel_fail(VACCEL_ETIMEDOUT,
				   "connecting to %s: no answer in time; see whether that is the "
				   "host, and whether a firewall lets the port through",
				   address->text);
	if (fd < 0)
		return connect_failed(address->text, error);
	set_options(fd, for_all, ARRAY_SIZE(for_all));
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

/* Why one cannot listen, and what to do, in words. */
static const char *why_not(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another process listens there; end it, or take another port";
	case EADDRNOTAVAIL:
		return "no network of this machine has the address; 0.0.0.0 and :: are all";
	case EACCES:
		return "ports below 1024 are root's; take another";
	default:
		return strerror(error);
	}
}

int tcp_listen(const struct address *address, mode_t mode, int *ret_fd)
{
	_cleanup_(addrinfo_freep) struct addrinfo *list = NULL;
	_cleanup_(closep) int fd = -1;
	int ret = host_look_up(address, &list);

	if (ret)
		return vaccel_fail(ret, "listening at %s: %s", address->text, vaccel_error_text());
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
	    bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, SOMAXCONN))
		return vaccel_fail(errno == EADDRINUSE ? VACCEL_EBUSY : errno,
				   "listening at %s: %s", address->text, why_not(errno));
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

/* Whoever has an address of IPv6 has all 2^64 of its network. */
static uint64_t host_of(const struct sockaddr_storage *from)
{
	const struct in6_addr *address = &((const struct sockaddr_in6 *)from)->sin6_addr;
	uint64_t host = 0;
	uint32_t number;

	if (from->ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(address)) {
		memcpy(&host, address, sizeof(host));
		return host ? host : 1;
	}
	if (from->ss_family == AF_INET6)
		memcpy(&number, address->s6_addr + 12, sizeof(number));
	else
		number = ((const struct sockaddr_in *)from)->sin_addr.s_addr;
	return UINT64_C(1) << 32 | number;
}

int tcp_accept(const struct address *address, int listener, struct peer *ret_peer, int *ret_fd)
{
	struct sockaddr_storage from;
	int ret = socket_accept(listener, &from, ret_fd);

	if (ret)
		return ret;
	set_options(*ret_fd, for_all, ARRAY_SIZE(for_all));
	set_options(*ret_fd, for_accepted, ARRAY_SIZE(for_accepted));
	ret_peer->host = host_of(&from);
	socket_text(&from, ret_peer->text, sizeof(ret_peer->text));
	return VACCEL_OK;
}

const struct carrier carrier_tcp = {
	.scheme = "tcp",
	.form = "tcp://HOST:PORT",
	.parse = parse_host_and_port,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
};
