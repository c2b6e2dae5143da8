// SPDX-License-Identifier: Apache-2.0
/*
 * test_links SCHEME: what every carrier must do, over connections of that one.
 * Each test has a listening agent of its own, and must leave no descriptor.
 */
#include "links.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"

const char *scheme;

int64_t soon(void)
{
	return time_now() + PATIENCE_NS;
}

bool is_unix_socket(void)
{
	return !strcmp(scheme, "unix") || !strcmp(scheme, "abstract");
}

bool is_socket(void)
{
	return strncmp(scheme, "blk", 3);
}

static int descriptors_before;

int make_bed(void **state)
{
	descriptors_before = descriptors();
	*state = bed_new(scheme);
	return 0;
}

int drop_bed(void **state)
{
	bed_delete(*state);
	assert_int_equal(descriptors(), descriptors_before);
	return 0;
}

struct ends open_generous(void **state)
{
	static const struct frame_limits generous = {.head = 16 << 20, .payload = 256 << 20};
	struct ends ends = ends_open(*state);

	link_set_limits(ends.client, &generous);
	link_set_limits(ends.agent, &generous);
	return ends;
}

void parcel_make(struct parcel *parcel, struct link *from, uint64_t request, size_t head_size,
		 size_t payload_size, size_t nr_pieces)
{
	*parcel = (struct parcel){
		.from = from,
		.frame = {.kind = FRAME_CALL, .request = request, .head_size = head_size},
		.head = malloc(head_size + 1),
		.payload = malloc(payload_size + 1),
	};
	assert_true(parcel->head && parcel->payload);
	pattern_fill(parcel->head, head_size, (unsigned int)request);
	pattern_fill(parcel->payload, payload_size, (unsigned int)request + 1);
	pieces_of(&parcel->pieces, parcel->payload, payload_size, nr_pieces);
}

void parcel_release(struct parcel *parcel)
{
	free(parcel->head);
	free(parcel->payload);
	pieces_release(&parcel->pieces);
}

void *parcel_send(void *context)
{
	struct parcel *parcel = context;

	parcel->ret =
		link_send(parcel->from, &parcel->frame, parcel->head, &parcel->pieces, -1, soon());
	return NULL;
}

void expect(struct link *link, uint64_t request, size_t head_size, size_t payload_size,
	    size_t nr_pieces)
{
	void *payload = malloc(payload_size + 1);
	struct message message;
	struct pieces pieces;

	assert_non_null(payload);
	assert_int_equal(link_receive(link, soon(), &message), VACCEL_OK);
	assert_int_equal(message.frame.kind, FRAME_CALL);
	assert_true(message.frame.request == request);
	assert_true(message.frame.head_size == head_size);
	assert_true(message.frame.payload_size == payload_size);
	assert_true((uintptr_t)message.head % CODEC_ALIGN == 0);
	assert_int_equal(message.fd, -1);
	assert_pattern(message.head, head_size, (unsigned int)request);
	assert_true(link_payload_left(link) == payload_size);
	pieces_of(&pieces, payload, payload_size, nr_pieces);
	assert_int_equal(link_receive_payload(link, &pieces, soon()), VACCEL_OK);
	assert_true(link_payload_left(link) == 0);
	assert_pattern(payload, payload_size, (unsigned int)request + 1);
	pieces_release(&pieces);
	free(payload);
}

void send_and_expect(struct link *from, struct link *to, size_t head_size, size_t payload_size,
		     size_t nr_out, size_t nr_in)
{
	static uint64_t request;
	struct parcel parcel;
	pthread_t thread;

	parcel_make(&parcel, from, ++request, head_size, payload_size, nr_out);
	assert_int_equal(pthread_create(&thread, NULL, parcel_send, &parcel), 0);
	expect(to, request, head_size, payload_size, nr_in);
	pthread_join(thread, NULL);
	assert_int_equal(parcel.ret, VACCEL_OK);
	parcel_release(&parcel);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	scheme = argv[1];
	return links_messages() + links_ends();
}
