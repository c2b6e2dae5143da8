// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses as text, "scheme:" and what its carrier makes of the rest; and
 * listening at them, which is the carrier's.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/carrier.h"

/* Longer text is no address: a name of a host has 253 characters, a path of a socket 107. */
#define TEXT_MAX 512

/* Appends to @text, as far as there is room. */
static void append(char *text, size_t room, const char *more)
{
	size_t size = strlen(text);

	snprintf(text + size, room - size, "%s%s", size ? ", " : "", more);
}

static int say_forms(const char *text, bool listens)
{
	const struct carrier *carrier;
	char forms[256] = "";

	for (size_t i = 0; (carrier = carrier_at(i)); i++)
		if (listens ? !carrier->only_connects : !carrier->only_listens)
			append(forms, sizeof(forms), carrier->form);
	return vaccel_fail(VACCEL_EINVAL, "'%.100s' is no address; the forms are %s", text, forms);
}

static void address_releasep(struct address *address)
{
	address_release(address);
}

void address_release(struct address *address)
{
	free(address->text);
	free(address->path);
	free(address->host);
	free(address->number);
	memset(address, 0, sizeof(*address));
}

static int parse(const char *text, bool listens, struct address *ret_address)
{
	_cleanup_(address_releasep) struct address address = {0};
	char scheme[16];
	size_t size = strcspn(text, ":");
	int ret;

	if (size < sizeof(scheme) && text[size] == ':' && strlen(text) <= TEXT_MAX) {
		memcpy(scheme, text, size);
		scheme[size] = '\0';
		address.carrier = carrier_by_scheme(scheme);
	}
	if (!address.carrier)
		return say_forms(text, listens);
	address.text = strdup(text);
	if (!address.text)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	ret = address.carrier->parse(text + size + 1, &address);
	if (ret)
		return ret;
	*ret_address = address;
	memset(&address, 0, sizeof(address));
	return VACCEL_OK;
}

int address_parse(const char *text, struct address *ret_address)
{
	return parse(text, false, ret_address);
}

int address_parse_to_listen(const char *text, struct address *ret_address)
{
	return parse(text, true, ret_address);
}

int address_is_not(const struct address *address, const char *why)
{
	return vaccel_fail(VACCEL_EINVAL, "'%.100s' is no address of the form %s: %s",
			   address->text, address->carrier->form, why);
}

bool parse_number(const char *text, uint32_t max, uint32_t *ret_number)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t number = 0;

	if (!digits || text[digits] || digits > 10)
		return false;
	for (size_t i = 0; i < digits; i++)
		number = 10 * number + (uint64_t)(text[i] - '0');
	if (number > max)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

int parse_port(const char *text, uint32_t max, struct address *address)
{
	if (!parse_number(text, max, &address->port))
		return address_is_not(address, "the port is no such number");
	return VACCEL_OK;
}

int parse_socket_path(const char *path, size_t size, struct address *address)
{
	if (!size || path[0] != '/')
		return address_is_not(address, "the path does not begin with /");
	address->path = strndup(path, size);
	return address->path ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
}

bool address_file(const struct address *address, char file[ADDRESS_FILE_ROOM])
{
	static_assert(ADDRESS_FILE_ROOM > TEXT_MAX + sizeof("_4294967295"), "the longest");
	if (!address->path)
		return false;
	if (address->carrier == &carrier_vsock_uds)
		snprintf(file, ADDRESS_FILE_ROOM, "%s_%" PRIu32, address->path, address->port);
	else
		snprintf(file, ADDRESS_FILE_ROOM, "%s", address->path);
	return true;
}

int address_listen(const struct address *address, mode_t mode, int *ret_fd)
{
	return address->carrier->listen(address, mode, ret_fd);
}

void address_unlisten(const struct address *address, int listener)
{
	if (address->carrier->unlisten)
		address->carrier->unlisten(address);
	closep(&listener);
}

bool address_is_same(const struct address *one, const struct address *other)
{
	if (!strcmp(one->text, other->text))
		return true;
	if (one->carrier->listen != other->carrier->listen || one->port != other->port)
		return false;
	if (one->path)
		return !strcmp(one->path, other->path);
	/* Port 0 is another one for each. */
	return one->port && one->cid == other->cid &&
	       (!one->host || !strcmp(one->host, other->host));
}

int address_accept(const struct address *address, int listener, struct peer *ret_peer, int *ret_fd)
{
	struct peer peer = {0};
	int ret = address->carrier->accept(address, listener, &peer, ret_fd);

	if (!ret)
		*ret_peer = peer;
	return ret;
}

void socket_text(const struct sockaddr_storage *at, char *text, size_t room)
{
	const struct sockaddr_in6 *in6 = (const void *)at;
	const struct sockaddr_in *in = (const void *)at;
	char number[INET6_ADDRSTRLEN] = "";

	if (at->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, number, sizeof(number));
		snprintf(text, room, "[%s]:%u", number, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, number, sizeof(number));
		snprintf(text, room, "%s:%u", number, ntohs(in->sin_port));
	}
}

static int listener_name(int listener, struct sockaddr_storage *ret_at)
{
	socklen_t size = sizeof(*ret_at);

	memset(ret_at, 0, sizeof(*ret_at));
	if (getsockname(listener, (struct sockaddr *)ret_at, &size))
		return vaccel_fail(errno, "a listening socket has no address: %s", strerror(errno));
	return VACCEL_OK;
}

int listener_text(const struct address *address, int listener, char *text, size_t room)
{
	struct sockaddr_storage at;
	int ret = listener_name(listener, &at);

	if (ret)
		return ret;
	if (at.ss_family == AF_INET || at.ss_family == AF_INET6) {
		int size = snprintf(text, room, "%s://", address->carrier->scheme);

		if (size > 0 && (size_t)size < room)
			socket_text(&at, text + size, room - (size_t)size);
	} else {
		snprintf(text, room, "%s", address->text);
	}
	return VACCEL_OK;
}

int listener_set_mode(int listener, mode_t mode)
{
	struct sockaddr_storage at;
	int ret = listener_name(listener, &at);

	return ret || at.ss_family != AF_UNIX ? ret : unix_set_mode(listener, mode);
}

bool listener_is_local(int listener)
{
	struct sockaddr_storage at;
	const struct sockaddr_in6 *in6 = (const void *)&at;
	const struct sockaddr_in *in = (const void *)&at;

	if (listener_name(listener, &at))
		return false;
	if (at.ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	if (at.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	return true;
}
