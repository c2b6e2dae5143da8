/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of time, and points of the monotonic clock, in nanoseconds. */
#ifndef VACCEL_TRANSPORT_CLOCK_H
#define VACCEL_TRANSPORT_CLOCK_H

#include <stdint.h>
#include <time.h>

#define MICROSECOND INT64_C(1000)
#define MILLISECOND INT64_C(1000000)
#define SECOND	    INT64_C(1000000000)
#define FOREVER	    INT64_MAX

int64_t time_now(void);

/* The same some milliseconds late, and much cheaper. */
int64_t time_about_now(void);

static inline struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND)};
}

#endif
