/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of links have in common: one carrier, and messages of patterns. */
#ifndef TESTS_TRANSPORT_LINKS_H
#define TESTS_TRANSPORT_LINKS_H

#include "ends.h"

/* The carrier. */
extern const char *scheme;

/* Those over unix sockets; one is in docs/writing-a-transport.md. */
bool is_unix_socket(void);

/* Whether a client's end is a socket: it is not over a drive. */
bool is_socket(void);

/* Before and after a test: *state is its struct bed. */
int make_bed(void **state);
int drop_bed(void **state);

/* When no test waits any longer. */
int64_t soon(void);

/* A connection whose ends take large messages. */
struct ends open_generous(void **state);

/* One message to send, of patterns, and its way. */
struct parcel {
	struct link *from;
	struct frame frame;
	void *head;
	void *payload;
	struct pieces pieces;
	int ret;
};

void parcel_make(struct parcel *parcel, struct link *from, uint64_t request, size_t head_size,
		 size_t payload_size, size_t nr_pieces);
void parcel_release(struct parcel *parcel);

/* A thread's: sends it and notes how that went. */
void *parcel_send(void *context);

/* Takes a whole message and looks at every byte; its payload goes to @nr_pieces pieces. */
void expect(struct link *link, uint64_t request, size_t head_size, size_t payload_size,
	    size_t nr_pieces);

void send_and_expect(struct link *from, struct link *to, size_t head_size, size_t payload_size,
		     size_t nr_out, size_t nr_in);

/* The tests; how many failed. */
int links_messages(void);
int links_ends(void);

#endif
