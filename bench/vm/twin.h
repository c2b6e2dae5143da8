/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process reaches one agent by one carrier. What is to be measured beside another carrier is
 * done by a child of this process, which is as this one was when it was started. It ends
 * with this process.
 */
#ifndef BENCH_VM_TWIN_H
#define BENCH_VM_TWIN_H

#include <sys/types.h>

#include "bench/measure.h"

struct twin {
	pid_t pid;
	int socket;
};

/* Before this process has threads. All that is asked of it is done with its own @context. */
int twin_start(struct twin *twin, void *context);
void twin_stop(struct twin *twin);

/* Has it do that; what it says. */
int twin_do(const struct twin *twin, bench_work *work, size_t times);

#endif
