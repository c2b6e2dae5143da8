/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a connection with the memory of a mailbox, which a test may write to itself. */
#ifndef TESTS_TRANSPORT_PAIR_H
#define TESTS_TRANSPORT_PAIR_H

#include "ends.h"

/* docs/protocol.md, "The mailbox". */
struct half {
	uint32_t asleep;
	uint32_t zero;
	uint64_t sent;
	unsigned char apart[48];
	unsigned char slot[4096];
	unsigned char after[4032];
};

struct pair {
	struct bed *bed;
	struct ends ends;
	unsigned char *memory;
	struct half *to_agent, *to_client; /* in it */
	int descriptors;		   /* before */
};

/* Before and after a test: *state is the pair. Its mailbox is not in use yet. */
int pair_make(void **state);
int pair_drop(void **state);

/* Both ends use it. */
void open_both(struct pair *pair, uint32_t spin_us);

/* When no test waits any longer. */
int64_t soon(void);

/* Whether there is a message in the slot. */
bool is_full(const struct half *half);

/* Whether there is anything in the socket. */
bool has_bytes(struct link *link);

int send_kind(struct link *link, enum frame_kind kind, uint64_t request);

/* The next message that is no bell; and that it is the one of that number. */
struct message next(struct link *link);
void expect(struct link *link, uint64_t request);

#endif
