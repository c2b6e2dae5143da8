/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of memory one behind the other, as the guest's driver takes them; those that adjoin are
 * one. */
#ifndef VACCEL_TRANSPORT_PILE_H
#define VACCEL_TRANSPORT_PILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/uapi/linux/vaccel.h"

struct pile {
	struct accel_buffer *at;
	size_t nr, room;
	uint64_t size;
};

/* False: there is no memory for it. */
bool pile_add(struct pile *pile, const void *data, uint64_t size);
void pile_clear(struct pile *pile);
void pile_release(struct pile *pile);

#endif
