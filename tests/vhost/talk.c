// SPDX-License-Identifier: Apache-2.0
#include "talk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "repeat.h"

static void note(struct backend *backend, char letter)
{
	struct talk *talk = (struct talk *)((char *)backend - offsetof(struct talk, backend));
	size_t length = strlen(talk->events);

	assert_true(length + 1 < sizeof(talk->events));
	talk->events[length] = letter;
}

static void memory(struct backend *backend)
{
	note(backend, 'm');
}

static void inflight(struct backend *backend)
{
	note(backend, 'i');
}

static void start(struct backend *backend, unsigned int queue)
{
	note(backend, 's');
}

static void enable(struct backend *backend, unsigned int queue)
{
	note(backend, 'e');
}

static void call(struct backend *backend, unsigned int queue)
{
	note(backend, 'c');
}

static void stop(struct backend *backend, unsigned int queue)
{
	note(backend, 'x');
}

static const struct backend_events events = {
	.memory = memory,
	.inflight = inflight,
	.start = start,
	.enable = enable,
	.call = call,
	.stop = stop,
};

int talk_setup(void **state)
{
	struct talk *talk = calloc(1, sizeof(*talk));
	int ends[2];

	model_accel(&default_policy, &talk->model);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	talk->monitor = ends[0];
	talk->passed = -1;
	backend_init(&talk->backend, &talk->model, &events, ends[1]);
	*state = talk;
	return 0;
}

int talk_teardown(void **state)
{
	struct talk *talk = *state;

	backend_release(&talk->backend);
	close(talk->monitor);
	closep(&talk->passed);
	free(talk);
	return 0;
}

void talk_send(struct talk *talk, const void *bytes, size_t size, int fd, unsigned int nr)
{
	assert_int_equal(send_repeating(talk->monitor, bytes, size, fd, nr, 0), size);
}

void talk_listen(struct talk *talk)
{
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(sizeof(int))];
	} passed = {};
	struct iovec piece = {talk->answer, sizeof(talk->answer)};
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};
	ssize_t size = recvmsg(talk->monitor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	talk->answered = size > 0 ? (size_t)size : 0;
	if (talk->answered && message.msg_controllen) {
		closep(&talk->passed);
		memcpy(&talk->passed, CMSG_DATA(&passed.header), sizeof(int));
	}
}

int say_with(struct talk *talk, uint32_t request, uint32_t flags, const void *body, size_t size,
	     unsigned int nr)
{
	_cleanup_(closep) int fd = eventfd(0, EFD_CLOEXEC);
	unsigned char bytes[1024];
	const struct vhost_header header = {request, flags, (uint32_t)size};
	int ret;

	memcpy(bytes, &header, sizeof(header));
	if (size)
		memcpy(bytes + sizeof(header), body, size);
	talk_send(talk, bytes, sizeof(header) + size, fd, nr);
	ret = backend_read(&talk->backend);
	talk_listen(talk);
	return ret;
}

int say(struct talk *talk, uint32_t request, const void *body, size_t size, unsigned int nr)
{
	return say_with(talk, request, VHOST_VERSION, body, size, nr);
}

int say_number(struct talk *talk, uint32_t request, uint64_t number, unsigned int nr)
{
	return say(talk, request, &number, sizeof(number), nr);
}

int say_state(struct talk *talk, uint32_t request, uint32_t queue, uint32_t number)
{
	const struct vhost_number state = {queue, number};

	return say(talk, request, &state, sizeof(state), 0);
}

uint64_t answer(const struct talk *talk)
{
	uint64_t number;

	assert_int_equal(talk->answered, sizeof(struct vhost_header) + sizeof(number));
	memcpy(&number, talk->answer + sizeof(struct vhost_header), sizeof(number));
	return number;
}

int say_table(struct talk *talk, uint32_t count, unsigned int nr)
{
	struct vhost_table table = {.count = count};

	for (uint32_t i = 0; i < MIN_OF(count, TABLE_MAX); i++)
		table.regions[i] = (struct vhost_region){i << 20, 1 << 20, (i + 100) << 20, 0};
	return say(talk, SET_MEM_TABLE, &table,
		   8 + MIN_OF(count, TABLE_MAX) * sizeof(table.regions[0]), nr);
}

void begin(struct talk *talk)
{
	const struct vhost_addresses addresses = {
		.descriptors = 100 << 20,
		.available = (100 << 20) + 4096,
		.used = (100 << 20) + 8192,
	};

	assert_int_equal(say(talk, GET_FEATURES, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(answer(talk), WANTED);
	assert_int_equal(say(talk, GET_PROTOCOL_FEATURES, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(answer(talk), PROTOCOL);
	assert_int_equal(say_number(talk, SET_PROTOCOL_FEATURES, PROTOCOL, 0), VACCEL_OK);
	assert_int_equal(say(talk, SET_OWNER, NULL, 0, 0), VACCEL_OK);
	assert_int_equal(say_number(talk, SET_FEATURES, WANTED, 0), VACCEL_OK);
	assert_int_equal(say_table(talk, 2, 2), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_NUM, 0, 256), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_BASE, 0, 5), VACCEL_OK);
	assert_int_equal(say(talk, SET_VRING_ADDR, &addresses, sizeof(addresses), 0), VACCEL_OK);
}

void kick(struct talk *talk)
{
	assert_int_equal(say_number(talk, SET_VRING_KICK, 0, 1), VACCEL_OK);
	assert_int_equal(say_number(talk, SET_VRING_CALL, 0, 1), VACCEL_OK);
	assert_int_equal(say_state(talk, SET_VRING_ENABLE, 0, 1), VACCEL_OK);
}
