// SPDX-License-Identifier: Apache-2.0
/*
 * What encoders and decoders share: lists of memory pieces in the order of a
 * payload section, as writev() and readv() take them.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "codec/codec.h"

/* Scalars and payloads travel as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a big-endian machine must swap bytes");
_Static_assert(sizeof(struct payload) == 24, "a payload reference has 24 bytes");

static int make_room(struct pieces *pieces)
{
	size_t room = pieces->room ? 2 * pieces->room : 8;
	struct iovec *at = reallocarray(pieces->at, room, sizeof(*at));

	if (!at)
		return VACCEL_ENOMEM;
	pieces->at = at;
	pieces->room = room;
	return VACCEL_OK;
}

int pieces_add(struct pieces *pieces, const void *data, size_t size)
{
	int ret = pieces->count == pieces->room ? make_room(pieces) : VACCEL_OK;

	if (ret)
		return ret;
	pieces->at[pieces->count++] = (struct iovec){(void *)data, size};
	pieces->size += size;
	return VACCEL_OK;
}

int pieces_add_padded(struct pieces *pieces, const void *data, size_t size, const void *padding)
{
	int ret = size ? pieces_add(pieces, data, size) : VACCEL_OK;

	if (!ret && padding_of(size))
		ret = pieces_add(pieces, padding, padding_of(size));
	return ret;
}

void pieces_fill(const struct pieces *pieces, const void *bytes)
{
	const char *from = bytes;

	for (size_t i = 0; i < pieces->count; i++) {
		memcpy(pieces->at[i].iov_base, from, pieces->at[i].iov_len);
		from += pieces->at[i].iov_len;
	}
}

void pieces_gather(const struct pieces *pieces, void *ret_bytes)
{
	char *to = ret_bytes;

	for (size_t i = 0; i < pieces->count; i++)
		to = mempcpy(to, pieces->at[i].iov_base, pieces->at[i].iov_len);
}

void pieces_clear(struct pieces *pieces)
{
	pieces->count = 0;
	pieces->size = 0;
}

void pieces_release(struct pieces *pieces)
{
	free(pieces->at);
	*pieces = (struct pieces){0};
}
