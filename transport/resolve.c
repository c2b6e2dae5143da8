// SPDX-License-Identifier: Apache-2.0
/*
 * Which addresses the name of a host stands for. getaddrinfo() waits for a name
 * server as long as the system is set up to, and knows no deadline.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/carrier.h"

/* More records than this are not looked at. */
#define RECORDS_MAX 64

void addrinfo_freep(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

int host_look_up(const struct address *address, struct addrinfo **ret_list)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | (address->number ? AI_NUMERICHOST : 0),
	};
	char port[16];
	int error;

	snprintf(port, sizeof(port), "%u", address->port);
	error = getaddrinfo(address->number ? address->number : address->host, port, &hints,
			    ret_list);
	if (error == 0)
		return VACCEL_OK;
	if (error == EAI_NONAME || error == EAI_NODATA)
		return vaccel_fail(VACCEL_ENOENT, "there is no host '%s'", address->host);
	return vaccel_fail(VACCEL_EREMOTEIO, "looking up the host '%s': %s", address->host,
			   error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

bool address_has_name(const struct address *address)
{
	struct in6_addr number;

	return address->host && inet_pton(AF_INET, address->host, &number) != 1 &&
	       inet_pton(AF_INET6, address->host, &number) != 1;
}

/* The text of a copy says where the name was found. */
static char *text_of(const char *text, const char *number)
{
	char *both;

	if (!number)
		return strdup(text);
	return asprintf(&both, "%s (%s)", text, number) < 0 ? NULL : both;
}

/* False: no memory, in the middle of it. */
static bool copy_address(const struct address *address, const char *number, struct address *copy)
{
	copy->carrier = address->carrier;
	copy->cid = address->cid;
	copy->port = address->port;
	copy->text = text_of(address->text, number);
	copy->path = address->path ? strdup(address->path) : NULL;
	copy->host = address->host ? strdup(address->host) : NULL;
	copy->number = number ? strdup(number) : NULL;
	return copy->text && !copy->path == !address->path && !copy->host == !address->host &&
	       !copy->number == !number;
}

struct addresses {
	struct address *list;
	size_t count;
};

static void addresses_release(struct addresses *addresses)
{
	addresses_free(addresses->list, addresses->count);
}

void addresses_free(struct address *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		address_release(&list[i]);
	free(list);
}

static int copy_each(const struct address *address, const struct addrinfo *records,
		     struct addresses *found)
{
	for (; records && found->count < RECORDS_MAX; records = records->ai_next) {
		char number[NI_MAXHOST];

		if (getnameinfo(records->ai_addr, records->ai_addrlen, number, sizeof(number), NULL,
				0, NI_NUMERICHOST))
			continue;
		if (!copy_address(address, number, &found->list[found->count++]))
			return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	}
	return VACCEL_OK;
}

int address_resolve(const struct address *address, struct address **ret_list, size_t *ret_count)
{
	_cleanup_(addrinfo_freep) struct addrinfo *records = NULL;
	_cleanup_(addresses_release) struct addresses found = {0};
	int ret = address->host ? host_look_up(address, &records) : VACCEL_OK;

	if (ret)
		return ret;
	found.list = calloc(RECORDS_MAX, sizeof(*found.list));
	if (!found.list)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for addresses");
	if (records)
		ret = copy_each(address, records, &found);
	else if (!copy_address(address, NULL, &found.list[found.count++]))
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	if (ret)
		return ret;
	*ret_list = TAKE(found.list);
	*ret_count = found.count;
	return VACCEL_OK;
}
