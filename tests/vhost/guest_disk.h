/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's driver of virtio-blk, as far as transport/blk.c needs one: while it is there, that is
 * what `disk` does.
 */
#ifndef TESTS_VHOST_GUEST_DISK_H
#define TESTS_VHOST_GUEST_DISK_H

#include "front.h"

struct guest_disk {
	struct front *front;
	unsigned int queues; /* accesses take turns */
	uint64_t capacity;   /* bytes */
	size_t segment;	     /* an access's memory is in pieces of so many bytes; 0: in one */
};

void guest_disk_attach(const struct guest_disk *disk);
void guest_disk_detach(void);

#endif
