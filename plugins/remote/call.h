/* SPDX-License-Identifier: Apache-2.0 */
/* A call at an agent. */
#ifndef VACCEL_REMOTE_CALL_H
#define VACCEL_REMOTE_CALL_H

#include "remote/session.h"

/*
 * Runs an operation where the session is. The agent's error with its words;
 * VACCEL_EREMOTEIO if the connection was lost and it may have run; VACCEL_ETIMEDOUT; or as
 * session_reach().
 */
int call_run(struct session *session, const struct vaccel_op *op, void *args);

#endif
