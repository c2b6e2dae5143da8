// SPDX-License-Identifier: Apache-2.0
/* See pair.h. */
#include "pair.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/memfd.h"
#include "files.h"

bool is_full(const struct half *half)
{
	static const unsigned char nothing[4];

	return memcmp(half->slot, nothing, sizeof(nothing));
}

int64_t soon(void)
{
	return time_now() + PATIENCE_NS;
}

int pair_make(void **state)
{
	static const struct frame_limits generous = {.head = 16 << 20, .payload = 256 << 20};
	struct pair *pair = calloc(1, sizeof(*pair));
	int fd = -1;

	assert_non_null(pair);
	pair->descriptors = descriptors();
	pair->bed = bed_new("unix");
	pair->ends = ends_open(pair->bed);
	link_set_limits(pair->ends.client, &generous);
	link_set_limits(pair->ends.agent, &generous);
	pair->memory = memfd_map("test", MAILBOX_SIZE, false, &fd);
	assert_non_null(pair->memory);
	close(fd);
	pair->to_agent = (struct half *)pair->memory;
	pair->to_client = pair->to_agent + 1;
	*state = pair;
	return 0;
}

int pair_drop(void **state)
{
	struct pair *pair = *state;

	ends_close(&pair->ends);
	bed_delete(pair->bed);
	munmap(pair->memory, MAILBOX_SIZE);
	assert_int_equal(descriptors(), pair->descriptors);
	free(pair);
	return 0;
}

void open_both(struct pair *pair, uint32_t spin_us)
{
	assert_int_equal(link_use_mailbox(pair->ends.client, pair->memory, true, spin_us),
			 VACCEL_OK);
	assert_int_equal(link_use_mailbox(pair->ends.agent, pair->memory, false, spin_us),
			 VACCEL_OK);
}

int send_kind(struct link *link, enum frame_kind kind, uint64_t request)
{
	struct frame frame = {.kind = kind, .request = request};

	return link_send(link, &frame, NULL, NULL, -1, soon());
}

struct message next(struct link *link)
{
	struct message message;

	do {
		assert_int_equal(link_receive(link, soon(), &message), VACCEL_OK);
	} while (message.frame.kind == FRAME_DOORBELL);
	return message;
}

void expect(struct link *link, uint64_t request)
{
	assert_true(next(link).frame.request == request);
}

bool has_bytes(struct link *link)
{
	return !socket_wait(link_fd(link), POLLIN, 0);
}
