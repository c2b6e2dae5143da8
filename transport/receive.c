// SPDX-License-Identifier: Apache-2.0
/*
 * Receiving: reads ahead into a small buffer, so that a message without much
 * payload is one read; larger payload goes straight to where the caller wants it.
 * Nothing that a peer announces is allocated before it has come: the buffer doubles
 * as the bytes of a head arrive.
 */
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* A buffer that a large head has made larger than this is not kept for the next. */
#define ROOM_KEPT (16 * LINK_ROOM)

/* So many reads of what nobody wants are done whatever the time: 1 MiB. */
#define SKIPS 64

/* Reads, remembers when, and ends the link if there is nothing more to come. */
static ssize_t read_some(struct link *link, const struct iovec *to, int nr, int64_t until,
			 int *ret_passed)
{
	ssize_t size = link->read(link, to, nr, until, ret_passed);

	if (likely(size > 0))
		atomic_store_explicit(&link->heard, time_about_now(), memory_order_relaxed);
	else if (size != -VACCEL_EAGAIN)
		link->receive_ended = true;
	return size;
}

/* A descriptor that came with bytes that end at @link->end: it belongs to the last message there.
 */
static void keep_passed(struct link *link, int passed)
{
	if (likely(passed < 0))
		return;
	if (link->passed >= 0) {
		close(passed);
		return;
	}
	link->passed = passed;
	link->passed_end = link->end;
}

/* Makes room for more of a message that will take @wanted bytes. */
static int make_room(struct link *link, size_t wanted)
{
	size_t room = link->room ? link->room : LINK_ROOM;
	unsigned char *buffer;

	if (link->end < link->room)
		return VACCEL_OK;
	if (link->start) {
		memmove(link->buffer, link->buffer + link->start, link->end - link->start);
		link->passed_end -= link->start;
		link->end -= link->start;
		link->start = 0;
		return VACCEL_OK;
	}
	if (link->room)
		room = MIN_OF(2 * room, MAX_OF(wanted, room));
	buffer = realloc(link->buffer, room);
	if (!buffer)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a message's head of %zu bytes",
				   wanted);
	link->buffer = buffer;
	link->room = room;
	return VACCEL_OK;
}

static int read_ahead(struct link *link, size_t wanted, int64_t until)
{
	int passed = -1;
	struct iovec to;
	ssize_t size;
	int ret = make_room(link, wanted);

	if (ret)
		return ret;
	to.iov_base = link->buffer + link->end;
	to.iov_len = link->room - link->end;
	size = read_some(link, &to, 1, until, &passed);
	if (size < 0)
		return (int)-size;
	if (size == 0)
		return link_is_between(link)
			       ? vaccel_fail(VACCEL_EREMOTEIO, "the peer has closed the connection")
			       : vaccel_fail(
					 VACCEL_EREMOTEIO,
					 "the connection was closed in the middle of a message");
	link->end += (size_t)size;
	keep_passed(link, passed);
	return VACCEL_OK;
}

/* The frame, once it is there. */
static int parse_frame(struct link *link, struct message *ret_message)
{
	int ret = frame_get(link->buffer + link->start, &link->limits, &link->frame);

	if (!ret && link->frame.head_size > SIZE_MAX / 4)
		ret = vaccel_fail(VACCEL_EDQUOT, "a head is too large for this machine");
	if (!ret) {
		link->has_frame = true;
		return VACCEL_OK;
	}
	link->receive_ended = true;
	if (ret == VACCEL_EDQUOT)
		ret_message->frame = link->frame;
	else
		ret_message->frame.kind = FRAME_KIND_END;
	return ret;
}

/* The message whose head is there as a whole. */
static void hand_over(struct link *link, struct message *ret_message)
{
	size_t size = FRAME_SIZE + (size_t)link->frame.head_size;

	ret_message->frame = link->frame;
	ret_message->head = link->buffer + link->start + FRAME_SIZE;
	ret_message->fd = -1;
	link->has_frame = false;
	link->is_partial = false;
	link->start += size;
	link->payload_left = link->frame.payload_size;
	if (unlikely(link->passed >= 0) && (link->passed_end <= link->start ||
					    link->passed_end - link->start <= link->payload_left))
		ret_message->fd = TAKE_FD(link->passed);
}

/* The last message's head is not needed any more. */
static void begin_receive(struct link *link)
{
	if (link->start < link->end)
		return;
	link->start = 0;
	link->end = 0;
	if (link->room > ROOM_KEPT)
		link_rest(link);
}

int link_receive(struct link *link, int64_t until, struct message *ret_message)
{
	int ret = VACCEL_OK;

	ret_message->frame.kind = (enum frame_kind)0;
	if (link->receive_ended)
		return vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
	if (link->payload_left)
		return vaccel_fail(VACCEL_EINVAL, "a message's payload has not been read");
	begin_receive(link);
	while (!ret) {
		size_t have = link->end - link->start;
		size_t wanted = FRAME_SIZE;

		if (!link->has_frame && have >= wanted)
			ret = parse_frame(link, ret_message);
		if (ret)
			break;
		if (link->has_frame)
			wanted += (size_t)link->frame.head_size;
		if (link->has_frame && have >= wanted) {
			hand_over(link, ret_message);
			return VACCEL_OK;
		}
		ret = read_ahead(link, wanted, until);
		link->is_partial = ret == VACCEL_EAGAIN;
	}
	link_rest(link);
	return ret;
}

/* What of the payload has been read ahead. */
static void copy_read_ahead(struct link *link, const struct place *place)
{
	size_t have = (size_t)MIN_OF((uint64_t)(link->end - link->start), link->payload_left);
	struct place left = *place;

	link->payload_left -= have;
	while (have) {
		size_t size = MIN_OF(have, left.at->iov_len - left.offset);

		memcpy((char *)left.at->iov_base + left.offset, link->buffer + link->start, size);
		link->start += size;
		have -= size;
		place_advance(&left, size);
	}
}

/* Some of the payload, straight to its place. */
static int read_payload(struct link *link, const struct place *place, int64_t until)
{
	struct iovec batch[LINK_BATCH];
	int passed = -1;
	ssize_t size =
		read_some(link, batch, place_batch(place, batch, LINK_BATCH), until, &passed);

	if (unlikely(passed >= 0))
		close(passed);
	if (size < 0)
		return (int)-size;
	if (size == 0)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the connection was closed in the middle of a payload");
	link->payload_left -= (uint64_t)size;
	return VACCEL_OK;
}

int link_receive_payload(struct link *link, const struct pieces *payload, int64_t until)
{
	uint64_t total = link->frame.payload_size;
	int ret = VACCEL_OK;

	if (!link->payload_left)
		return VACCEL_OK;
	if (payload->size != total)
		return vaccel_fail(VACCEL_EINVAL, "a payload does not fit its place");
	while (!ret && link->payload_left) {
		struct place place = {.at = payload->at, .count = payload->count};

		place_advance(&place, total - link->payload_left);
		if (link->start < link->end)
			copy_read_ahead(link, &place);
		else if (link->receive_ended)
			ret = vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
		else
			ret = read_payload(link, &place, until);
	}
	return ret;
}

int link_skip_payload(struct link *link, int64_t until)
{
	unsigned int reads = 0;
	char scratch[16384];
	int ret = VACCEL_OK;

	while (!ret && link->payload_left) {
		struct iovec piece = {
			.iov_base = scratch,
			.iov_len = (size_t)MIN_OF(link->payload_left, (uint64_t)sizeof(scratch)),
		};
		struct place place = {.at = &piece, .count = 1};

		if (link->start < link->end) {
			size_t have = link->end - link->start;

			have = (size_t)MIN_OF((uint64_t)have, link->payload_left);
			link->start += have;
			link->payload_left -= have;
		} else if (reads++ >= SKIPS && time_now() >= until) {
			ret = VACCEL_EAGAIN;
		} else if (link->receive_ended) {
			ret = vaccel_fail(VACCEL_EREMOTEIO, "the connection is at its end");
		} else {
			ret = read_payload(link, &place, until);
		}
	}
	return ret;
}

uint64_t link_payload_left(const struct link *link)
{
	return link->payload_left;
}
