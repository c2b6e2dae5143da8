// SPDX-License-Identifier: Apache-2.0
/* See pile.h. */
#include "transport/pile.h"

#include <stdlib.h>

bool pile_add(struct pile *pile, const void *data, uint64_t size)
{
	struct accel_buffer *end = pile->at + pile->nr;
	uint64_t address = (uintptr_t)data;

	pile->size += size;
	if (pile->nr && end[-1].address + end[-1].size == address) {
		end[-1].size += size;
		return true;
	}
	if (pile->nr == pile->room) {
		size_t room = pile->room ? 2 * pile->room : 16;
		struct accel_buffer *larger = reallocarray(pile->at, room, sizeof(*larger));

		if (!larger)
			return false;
		pile->at = larger;
		pile->room = room;
	}
	pile->at[pile->nr++] = (struct accel_buffer){address, size};
	return true;
}

void pile_clear(struct pile *pile)
{
	pile->nr = 0;
	pile->size = 0;
}

void pile_release(struct pile *pile)
{
	free(pile->at);
}
