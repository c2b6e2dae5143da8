/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's end of a monitor's connection, and what a test says at the other. */
#ifndef TESTS_VHOST_TALK_H
#define TESTS_VHOST_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/vhost/messages.h"
#include "agent/vhost/model.h"

/* What is offered. */
#define WANTED (VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX | VHOST_USER_PROTOCOL)
#define PROTOCOL                                                                  \
	(PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_INFLIGHT | \
	 PROTOCOL_RESET_DEVICE | PROTOCOL_MEM_SLOTS)

struct talk {
	struct model model;
	struct backend backend;
	int monitor;
	char events[64]; /* a letter for each */
	unsigned char answer[512];
	size_t answered;
	int passed;
};

/* For cmocka; *state is the talk. */
int talk_setup(void **state);
int talk_teardown(void **state);

/* Bytes as they are, with a descriptor @nr times. */
void talk_send(struct talk *talk, const void *bytes, size_t size, int fd, unsigned int nr);

/* What has come back by now, if anything has: talk->answered bytes in talk->answer. */
void talk_listen(struct talk *talk);

/* A message, with @nr times a descriptor; how it was taken. */
int say_with(struct talk *talk, uint32_t request, uint32_t flags, const void *body, size_t size,
	     unsigned int nr);
int say(struct talk *talk, uint32_t request, const void *body, size_t size, unsigned int nr);
int say_number(struct talk *talk, uint32_t request, uint64_t number, unsigned int nr);
int say_state(struct talk *talk, uint32_t request, uint32_t queue, uint32_t number);
int say_table(struct talk *talk, uint32_t count, unsigned int nr);

/* That an answer was a number, and which. */
uint64_t answer(const struct talk *talk);

/* All up to a queue that could start; and that it starts. */
void begin(struct talk *talk);
void kick(struct talk *talk);

#endif
