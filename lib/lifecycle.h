/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_LIFECYCLE_H
#define VACCEL_LIFECYCLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/util.h"

/*
 * Counts the bootstraps while the library is ready, and is 0 while it is not. A
 * session or resource of an earlier bootstrap has another number, and is not looked into.
 */
extern hidden _Atomic uint64_t lifecycle_epoch;

/* VACCEL_OK if the library is ready; else the last bootstrap's error, or ESESS. */
int lifecycle_check(void);

#endif
