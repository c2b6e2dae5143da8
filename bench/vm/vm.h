/* SPDX-License-Identifier: Apache-2.0 */
/* The suite vm: calls out of a virtual machine, each beside what its carrier can do at best. */
#ifndef BENCH_VM_VM_H
#define BENCH_VM_VM_H

#include <vaccel.h>

#include "bench/measure.h"
#include "bench/vm/twin.h"

#define VM_PATH 64

struct vm {
	const struct bench_models *models;
	bench_show *show;
	void *context;

	struct twin twin;  /* calls by vsock */
	char no_twin[256]; /* why it does not; empty if it does */

	const char *carrier; /* that is being measured */
	int fd;		     /* its device */
	struct vaccel_session sess;

	size_t bulk_size;
	unsigned char *bulk, *copies; /* bulk_size bytes each */
	unsigned char *block;	      /* of a drive */
};

/* What a carrier is without us: its device, and the least that a call can take of it. */
struct bare {
	const char *name; /* of the carrier */

	/* Where there is one, opened; -1: no, and why. */
	int (*open)(char path[VM_PATH], const char **ret_why);
	bench_work *run;  /* with a struct vm */
	bench_work *bulk; /* bulk_size bytes; may be NULL */
};

extern const struct bare bare_virtio, bare_blk;

#endif
