/* SPDX-License-Identifier: Apache-2.0 */
/* The operation that does nothing: what a call itself costs. */
#ifndef VACCEL_OPS_NOOP_H
#define VACCEL_OPS_NOOP_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_NOOP_ARGS(ARG, op)
VACCEL_OP(0, NOOP, noop, vaccel_noop, PURE, "do nothing")

/**
 * vaccel_noop() - do nothing, wherever the session's work is done
 * @sess: the session
 *
 * Measures the way there and back, and shows that there is one.
 *
 * Return: VACCEL_OK or an error of vaccel_call().
 */
int vaccel_noop(struct vaccel_session *sess);

#ifdef VACCEL_OP_BODIES
int vaccel_noop(struct vaccel_session *sess)
{
	struct vaccel_noop_args args = {0};

	return vaccel_call(sess, &vaccel_op_noop, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
