/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for a virtual machine with a drive: accesses of transport/blk.c become requests of
 * a drive in the same process. A wild one does with them what a block layer and a
 * monitor may: pieces in any order, twice, late, and scattered over memory.
 */
#ifndef TESTS_TRANSPORT_MACHINE_H
#define TESTS_TRANSPORT_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/vhost/drive.h"

struct machine;

/* Of @setup its limits; NULL: as usual. There is one at a time. */
struct machine *machine_new(bool wild, const struct drive_setup *setup);
void machine_delete(struct machine *machine);

/* A pipe which is readable if there is one, and the agent's end of the next new connection. */
int machine_listener(const struct machine *machine);
struct link *machine_accept(const struct machine *machine);

/* What the next ones to look find. */
void machine_set_serial(struct machine *machine, const char *serial);
void machine_set_error(struct machine *machine, int error); /* of every access; 0: none */
void machine_set_hanging(struct machine *machine, bool hanging);
void machine_set_refusing(struct machine *machine, bool refusing); /* connections */

/* Another drive, as after the agent's worker was replaced. */
void machine_replace_drive(struct machine *machine);

/* In the place of the first block, @size bytes; NULL: the drive's. */
void machine_set_front(struct machine *machine, const void *bytes, size_t size);

/* Accesses that wrote, and those of them from several pieces of memory. */
unsigned int machine_writes(const struct machine *machine);
unsigned int machine_lent(const struct machine *machine);

/* Of one request. */
void machine_set_segments(struct machine *machine, unsigned int segments);

struct drive *machine_drive(struct machine *machine);

/* One access, by whomever. Whether it went well. */
bool machine_access(struct machine *machine, bool is_write, void *at, size_t size, uint64_t place);

#endif
