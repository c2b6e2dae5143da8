// SPDX-License-Identifier: Apache-2.0
/* See ready.h. Bootstrap and cleanup, which change it, take turns. */
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/ready.h"

_Atomic uint64_t ready_epoch;

static uint64_t bootstraps;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* failure_code, failure */
static int failure_code;
static char failure[1024];

static _Atomic enum { NOTHING, OWED, RETURNED } debt;

bool vaccel_is_initialized(void)
{
	return atomic_load_explicit(&ready_epoch, memory_order_acquire) != 0;
}

void ready_owe(void)
{
	atomic_store(&debt, OWED);
}

void ready_heard(void)
{
	if (unlikely(atomic_load_explicit(&debt, memory_order_relaxed) == RETURNED))
		atomic_store(&debt, NOTHING);
}

void ready_settle(void)
{
	if (atomic_exchange(&debt, NOTHING) == NOTHING)
		return;
	SCOPED_LOCK(&lock);
	vaccel_error("vaccel is not ready: %s", failure);
}

/* A call fails. */
static void note_return(void)
{
	if (atomic_load(&debt) == OWED)
		atomic_store(&debt, RETURNED);
	else
		ready_settle();
}

static int not_ready(int code)
{
	return vaccel_fail(code, "the library is not ready; call vaccel_bootstrap() first");
}

int ready_check(int code)
{
	if (likely(vaccel_is_initialized()))
		return VACCEL_OK;
	note_return();
	return not_ready(code);
}

int ready_or_why(void)
{
	if (likely(vaccel_is_initialized()))
		return VACCEL_OK;
	note_return();
	SCOPED_LOCK(&lock);
	return failure_code ? vaccel_fail(failure_code, "%s", failure) : not_ready(VACCEL_ESESS);
}

void ready_begin(void)
{
	atomic_store_explicit(&ready_epoch, ++bootstraps, memory_order_release);
}

void ready_end(void)
{
	SCOPED_LOCK(&lock);
	atomic_store(&ready_epoch, 0);
	atomic_store(&debt, NOTHING);
	failure_code = VACCEL_OK;
}

void ready_fail(int code)
{
	SCOPED_LOCK(&lock);
	failure_code = code;
	strncpy(failure, vaccel_error_text(), sizeof(failure) - 1);
}

void ready_after_fork(void)
{
	unlock_in_child(&lock);
}
