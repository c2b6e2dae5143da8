// SPDX-License-Identifier: Apache-2.0
#include "transport/clock.h"

static int64_t time_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

int64_t time_now(void)
{
	return time_of(CLOCK_MONOTONIC);
}

int64_t time_about_now(void)
{
	return time_of(CLOCK_MONOTONIC_COARSE);
}
