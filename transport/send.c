// SPDX-License-Identifier: Apache-2.0
/*
 * Sending: a message is one write, straight from the caller's memory, and more
 * only if the peer is slow to take it.
 */
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

static int lock_until(struct link *link, int64_t until)
{
	struct timespec deadline = timespec_of(until);

	if (likely(!pthread_mutex_trylock(&link->sending)))
		return VACCEL_OK;
	if (until == FOREVER)
		pthread_mutex_lock(&link->sending);
	else if (pthread_mutex_clocklock(&link->sending, CLOCK_MONOTONIC, &deadline))
		return vaccel_fail(VACCEL_ETIMEDOUT,
				   "the time is over, and others are still sending");
	return VACCEL_OK;
}

/* Copying so much costs less than having it gathered. */
#define SMALL 1024

/* The rest of a message: its frame and head, and its payload. */
struct rest {
	struct place front, payload;
	uint64_t left;
};

static void rest_advance(struct rest *rest, size_t size)
{
	size_t front = 0;

	rest->left -= size;
	for (size_t i = 0; i < rest->front.count; i++)
		front += rest->front.at[i].iov_len;
	front = MIN_OF(size, front - rest->front.offset);
	place_advance(&rest->front, front);
	place_advance(&rest->payload, size - front);
}

/* Writes it all, or says why not. */
static int write_rest(struct link *link, struct rest *rest, int passed, int64_t until)
{
	struct iovec batch[LINK_BATCH];
	int64_t patience = 0; /* at first what is possible without waiting */

	while (rest->left) {
		int nr = place_batch(&rest->front, batch, LINK_BATCH);
		ssize_t size;

		nr += place_batch(&rest->payload, batch + nr, LINK_BATCH - nr);
		size = link->write(link, batch, nr, patience, passed);
		if (likely(size == (ssize_t)rest->left))
			return VACCEL_OK;
		if (size > 0) {
			rest_advance(rest, (size_t)size);
			passed = -1;
		} else if (size != -VACCEL_EAGAIN) {
			return (int)-size;
		} else if (patience) {
			return patience == until ? vaccel_fail(VACCEL_ETIMEDOUT,
							       "the time is over before the "
							       "message could be sent")
						 : vaccel_fail(VACCEL_EREMOTEIO,
							       "the peer takes nothing any more");
		}
		patience = MIN_OF(until, time_now() + link->patience_ns);
	}
	return VACCEL_OK;
}

static int send_locked(struct link *link, struct rest *rest, int passed, int64_t until)
{
	int ret;

	if (link->send_ended)
		return vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
	link->answer_until = until;
	ret = write_rest(link, rest, passed, until);
	if (ret) {
		link->send_ended = true;
		link_shut_down(link);
	}
	return ret;
}

/* A small message in one piece. */
static struct rest gathered(const void *head, size_t head_size, const struct pieces *payload,
			    unsigned char *bytes, struct iovec *piece)
{
	size_t size = FRAME_SIZE;

	if (head_size)
		memcpy(bytes + size, head, head_size);
	size += head_size;
	if (payload)
		pieces_gather(payload, bytes + size);
	size += payload ? (size_t)payload->size : 0;
	*piece = (struct iovec){.iov_base = bytes, .iov_len = size};
	return (struct rest){.front = {.at = piece, .count = 1}, .left = size};
}

static struct rest in_pieces(const void *head, size_t head_size, const struct pieces *payload,
			     unsigned char *bytes, struct iovec front[2])
{
	bool fits = FRAME_SIZE + head_size <= SMALL;
	struct rest rest = {
		.front = {.at = front, .count = fits ? 1 : 2},
		.left = FRAME_SIZE + head_size,
	};

	if (fits && head_size)
		memcpy(bytes + FRAME_SIZE, head, head_size);
	front[0] = (struct iovec){.iov_base = bytes, .iov_len = FRAME_SIZE + fits * head_size};
	front[1] = (struct iovec){.iov_base = (void *)head, .iov_len = head_size};
	if (payload) {
		rest.payload.at = payload->at;
		rest.payload.count = payload->count;
		rest.left += payload->size;
	}
	return rest;
}

int link_send(struct link *link, struct frame *frame, const void *head,
	      const struct pieces *payload, int fd, int64_t until)
{
	unsigned char bytes[SMALL];
	struct iovec front[2];
	struct rest rest;
	size_t head_size = (size_t)frame->head_size;
	int ret;

	if (fd >= 0 && !(link_abilities(link) & LINK_REGIONS))
		return vaccel_fail(VACCEL_EINVAL, "%s:// passes no descriptors",
				   link->carrier->scheme);
	frame->payload_size = payload ? payload->size : 0;
	frame_put(frame, bytes);
	if (FRAME_SIZE + head_size + frame->payload_size <= sizeof(bytes))
		rest = gathered(head, head_size, payload, bytes, front);
	else
		rest = in_pieces(head, head_size, payload, bytes, front);
	if (!until)
		until = 1; /* has always passed as well */
	ret = lock_until(link, until);
	if (ret)
		return ret;
	ret = send_locked(link, &rest, fd, until);
	pthread_mutex_unlock(&link->sending);
	return ret;
}
