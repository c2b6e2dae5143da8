/* SPDX-License-Identifier: Apache-2.0 */
/* Whether something failed in this thread since a point in time. */
#ifndef VACCEL_BASE_ERROR_H
#define VACCEL_BASE_ERROR_H

#include "base/util.h"

/* On the way of every call, so reached without a function call. */
extern hidden _Thread_local int error_code __attribute__((tls_model("initial-exec")));

static inline void error_code_forget(void)
{
	error_code = 0;
}

/* The code of the thread's last failure since error_code_forget(), or 0. */
static inline int error_code_now(void)
{
	return error_code;
}

#endif
