/* SPDX-License-Identifier: Apache-2.0 */
/* The switch of profiling, for the configuration and for the call path. */
#ifndef VACCEL_BASE_PROF_H
#define VACCEL_BASE_PROF_H

#include <stdatomic.h>
#include <stdbool.h>

#include <vaccel/prof.h>

#include "base/util.h"

extern hidden atomic_bool prof_on;

/* vaccel_prof_enabled() at the cost of one load. */
static inline bool prof_is_on(void)
{
	return unlikely(atomic_load_explicit(&prof_on, memory_order_relaxed));
}

void prof_enable(bool on);

/* Starts its sums anew. */
void prof_region_forget(struct vaccel_prof_region *region);

#endif
