// SPDX-License-Identifier: Apache-2.0
/* See monitor_new(). One thread for all connections of a test, which are few. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ends.h"
#include "files.h"

#define RELAYS_MAX 16

/* An odd number, so that messages are cut anywhere. */
#define PART 4093

struct direction {
	char bytes[PART];
	size_t at, size;
	bool ended;
};

struct relay {
	int fds[2];
	struct direction from[2]; /* read from that end, written to the other */
};

struct monitor {
	pthread_t thread;
	char *path;
	int listener;
	int stop[2];
	struct relay *relays[RELAYS_MAX];
	size_t count;
};

/* What asks for a port has sent its line at once. */
static void take_client(struct monitor *monitor)
{
	int client = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC), agent;
	struct relay *relay = calloc(1, sizeof(*relay));
	char line[64] = "", path[256];
	uint32_t port;

	assert_non_null(relay);
	assert_true(client >= 0 && monitor->count < RELAYS_MAX);
	assert_true(recv(client, line, sizeof(line) - 1, 0) > 0);
	assert_int_equal(sscanf(line, "CONNECT %" SCNu32 "\n", &port), 1);
	snprintf(path, sizeof(path), "%s_%" PRIu32, monitor->path, port);
	if (unix_connect(path, 0, &agent)) {
		close(client);
		free(relay);
		return;
	}
	assert_int_equal(send(client, "OK 1073741824\n", 14, MSG_NOSIGNAL), 14);
	relay->fds[0] = client;
	relay->fds[1] = agent;
	monitor->relays[monitor->count++] = relay;
}

/* What is possible now. */
static void move(struct relay *relay, int end)
{
	struct direction *direction = &relay->from[end];
	ssize_t size;

	if (!direction->size && !direction->ended) {
		size = recv(relay->fds[end], direction->bytes, PART, MSG_DONTWAIT);
		direction->at = 0;
		direction->size = size > 0 ? (size_t)size : 0;
		direction->ended = size == 0 || (size < 0 && errno != EAGAIN);
		if (direction->ended)
			shutdown(relay->fds[!end], SHUT_WR);
	}
	if (direction->size) {
		size = send(relay->fds[!end], direction->bytes + direction->at, direction->size,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (size > 0) {
			direction->at += (size_t)size;
			direction->size -= (size_t)size;
		} else if (errno != EAGAIN) {
			direction->size = 0;
			direction->ended = true;
			shutdown(relay->fds[end], SHUT_RD);
		}
	}
}

static short events_of(const struct relay *relay, int end)
{
	return (short)((!relay->from[end].size && !relay->from[end].ended ? POLLIN : 0) |
		       (relay->from[!end].size ? POLLOUT : 0));
}

static nfds_t watch(const struct monitor *monitor, struct pollfd *pollers)
{
	nfds_t nr = 0;

	pollers[nr++] = (struct pollfd){.fd = monitor->stop[0], .events = POLLIN};
	pollers[nr++] = (struct pollfd){.fd = monitor->listener, .events = POLLIN};
	for (size_t i = 0; i < monitor->count; i++)
		for (int end = 0; end < 2; end++) {
			short events = events_of(monitor->relays[i], end);

			if (events)
				pollers[nr++] = (struct pollfd){.fd = monitor->relays[i]->fds[end],
								.events = events};
		}
	return nr;
}

static void *monitor_main(void *context)
{
	struct monitor *monitor = context;
	struct pollfd pollers[2 + 2 * RELAYS_MAX];

	for (;;) {
		nfds_t nr = watch(monitor, pollers);

		poll(pollers, nr, -1);
		if (pollers[0].revents)
			return NULL;
		if (pollers[1].revents)
			take_client(monitor);
		for (size_t i = 0; i < monitor->count; i++)
			for (int end = 0; end < 2; end++)
				move(monitor->relays[i], end);
	}
}

struct monitor *monitor_new(const char *path)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	assert_non_null(monitor);
	monitor->path = strdup(path);
	assert_int_equal(unix_listen(path, 0600, &monitor->listener), VACCEL_OK);
	assert_int_equal(pipe2(monitor->stop, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&monitor->thread, NULL, monitor_main, monitor), 0);
	return monitor;
}

void monitor_delete(struct monitor *monitor)
{
	close(monitor->stop[1]);
	pthread_join(monitor->thread, NULL);
	for (size_t i = 0; i < monitor->count; i++) {
		close(monitor->relays[i]->fds[0]);
		close(monitor->relays[i]->fds[1]);
		free(monitor->relays[i]);
	}
	close(monitor->stop[0]);
	close(monitor->listener);
	free(monitor->path);
	free(monitor);
}
