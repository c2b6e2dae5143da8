// SPDX-License-Identifier: Apache-2.0
#include "ends.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "files.h"
#include "machine.h"

static void address_in(const struct bed *bed, const char *scheme, char *text, size_t room)
{
	if (!strcmp(scheme, "unix"))
		snprintf(text, room, "unix://%s/agent.sock", bed->directory);
	else if (!strcmp(scheme, "vsock-uds"))
		snprintf(text, room, "vsock-uds://%s/vm.sock:52", bed->directory);
	else if (!strcmp(scheme, "abstract"))
		snprintf(text, room, "abstract:%s", bed->directory);
	else
		snprintf(text, room, "%s://127.0.0.1:0", scheme);
}

struct bed *bed_new(const char *scheme)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	struct address address;
	char text[256];

	assert_non_null(bed);
	bed->directory = dir_new();
	if (!strncmp(scheme, "blk", 3)) {
		bed->machine = machine_new(!strcmp(scheme, "blk-wild"), NULL);
		bed->listener = machine_listener(bed->machine);
		assert_int_equal(address_parse("blk:", &bed->address), VACCEL_OK);
		return bed;
	}
	address_in(bed, scheme, text, sizeof(text));
	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	assert_int_equal(address_listen(&address, 0600, &bed->listener), VACCEL_OK);
	assert_int_equal(listener_text(&address, bed->listener, text, sizeof(text)), VACCEL_OK);
	address_release(&address);
	assert_int_equal(address_parse(text, &bed->address), VACCEL_OK);
	if (!strcmp(scheme, "vsock-uds"))
		bed->monitor = monitor_new(bed->address.path);
	if (!strcmp(scheme, "tls"))
		bed->tls = tls_pair_make();
	return bed;
}

void bed_delete(struct bed *bed)
{
	if (bed->monitor)
		monitor_delete(bed->monitor);
	tls_pair_release(&bed->tls);
	if (bed->machine)
		machine_delete(bed->machine);
	else
		address_unlisten(&bed->address, bed->listener);
	address_release(&bed->address);
	dir_remove(bed->directory);
	free(bed);
}

static struct link *accept_link(const struct bed *bed)
{
	struct link *link;
	struct peer peer;
	int fd;

	if (bed->machine)
		return machine_accept(bed->machine);
	assert_int_equal(address_accept(&bed->address, bed->listener, &peer, &fd), VACCEL_OK);
	assert_int_equal(link_adopt(bed->address.carrier, fd, bed->tls.agent, &link), VACCEL_OK);
	return link;
}

struct connecting {
	const struct bed *bed;
	struct link *link;
};

static void *connect_client(void *context)
{
	struct connecting *connecting = context;
	struct frame frame = {.kind = FRAME_PING};
	int64_t until = time_now() + PATIENCE_NS;

	if (!link_connect(&connecting->bed->address, connecting->bed->tls.client, until,
			  &connecting->link))
		link_send(connecting->link, &frame, NULL, NULL, -1, until);
	return NULL;
}

struct ends ends_open(const struct bed *bed)
{
	struct connecting connecting = {.bed = bed};
	int64_t until = time_now() + PATIENCE_NS;
	struct ends ends;
	struct message message;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, connect_client, &connecting), 0);
	assert_int_equal(socket_wait(bed->listener, POLLIN, until), VACCEL_OK);
	ends.agent = accept_link(bed);
	assert_int_equal(link_receive(ends.agent, until, &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_PING);
	link_rest(ends.agent);
	link_take_passed(ends.agent, true);
	pthread_join(thread, NULL);
	assert_non_null(connecting.link);
	ends.client = connecting.link;
	return ends;
}

void ends_close(struct ends *ends)
{
	link_delete(ends->client);
	link_delete(ends->agent);
}

struct link *agent_of_pair(int *ret_peer)
{
	struct link *link;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(link_adopt(&carrier_unix, fds[0], NULL, &link), VACCEL_OK);
	*ret_peer = fds[1];
	return link;
}

/* No period that divides a buffer's size. */
static unsigned char pattern_at(size_t place, unsigned int seed)
{
	return (unsigned char)((place * 31 + place / 251 + seed * 7) % 253);
}

void pattern_fill(void *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)bytes)[i] = pattern_at(i, seed);
}

void assert_pattern(const void *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)bytes)[i] != pattern_at(i, seed))
			fail_msg("byte %zu of %zu is wrong", i, size);
}

void pieces_of(struct pieces *pieces, void *bytes, size_t size, size_t count)
{
	size_t done = 0;

	memset(pieces, 0, sizeof(*pieces));
	for (size_t i = 0; i + 1 < count; i++) {
		size_t part = (size - done) / (count - i) + (i % 3 ? 1 : 0);

		part = part > size - done ? size - done : part;
		assert_int_equal(pieces_add(pieces, (char *)bytes + done, part), VACCEL_OK);
		done += part;
	}
	assert_int_equal(pieces_add(pieces, (char *)bytes + done, size - done), VACCEL_OK);
}
