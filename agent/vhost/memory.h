/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a virtual machine, mapped by the worker. It is counted, since a request
 * may have pieces of it after the machine's monitor has named another table. All
 * addresses are a guest's or a front end's, and are found or are not.
 */
#ifndef VACCEL_AGENT_VHOST_MEMORY_H
#define VACCEL_AGENT_VHOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "agent/vhost/protocol.h"

struct guest;

int guest_new(struct guest **ret_guest);
struct guest *guest_ref(struct guest *guest);
void guest_unref(struct guest *guest);

/* While nobody else has it: maps one region more. The descriptor stays the caller's. */
int guest_add(struct guest *guest, const struct vhost_region *region, int fd);

/* What lies at an address of the front end, if it is all in one region; else NULL. */
void *guest_at_front(const struct guest *guest, uint64_t address, uint64_t size);

/*
 * The pieces that lie at a guest's address, behind the *nr that there are; one that goes
 * on where the last ends is made one with it. False: it is not all memory, or is more than
 * @room pieces.
 */
bool guest_pieces(const struct guest *guest, uint64_t address, uint64_t size, struct iovec *at,
		  size_t room, size_t *nr);

bool guest_read(const struct guest *guest, uint64_t address, void *to, size_t size);

#endif
