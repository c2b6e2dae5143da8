// SPDX-License-Identifier: Apache-2.0
/* See ready.h. Bootstrap and cleanup, which change it, take turns. */
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/error.h>

#include "base/ready.h"

_Atomic uint64_t ready_epoch;

static uint64_t bootstraps;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* failure_code, failure */
static int failure_code;
static char failure[1024];

bool vaccel_is_initialized(void)
{
	return atomic_load_explicit(&ready_epoch, memory_order_acquire) != 0;
}

int ready_check(int code)
{
	if (likely(vaccel_is_initialized()))
		return VACCEL_OK;
	return vaccel_fail(code, "the library is not ready; call vaccel_bootstrap() first");
}

int ready_or_why(void)
{
	if (likely(vaccel_is_initialized()))
		return VACCEL_OK;
	SCOPED_LOCK(&lock);
	return failure_code ? vaccel_fail(failure_code, "%s", failure) : ready_check(VACCEL_ESESS);
}

void ready_begin(void)
{
	atomic_store_explicit(&ready_epoch, ++bootstraps, memory_order_release);
}

void ready_end(void)
{
	SCOPED_LOCK(&lock);
	atomic_store(&ready_epoch, 0);
	failure_code = VACCEL_OK;
}

void ready_fail(int code)
{
	SCOPED_LOCK(&lock);
	failure_code = code;
	strncpy(failure, vaccel_error_text(), sizeof(failure) - 1);
}
