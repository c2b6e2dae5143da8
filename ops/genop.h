/* SPDX-License-Identifier: Apache-2.0 */
/* Any operation, by a list of arguments. */
#ifndef VACCEL_OPS_GENOP_H
#define VACCEL_OPS_GENOP_H

#include <vaccel/arg.h>
#include <vaccel/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vaccel_genop() - run an operation given by its number and a list of arguments
 * @sess: the session
 * @read: @nr_read arguments: the operation's number as UINT8 (or UINT32), then its inputs
 *	in the order of its description (`vaccel ops`)
 * @nr_read: how many
 * @write: @nr_write arguments: room for its outputs, in the order of its description
 * @nr_write: how many
 *
 * An argument that is read and written is among @write only. By kind an argument is
 * - ONE: an argument of that type, or RAW of that size;
 * - SPAN: of any type whose bytes make whole elements;
 * - TEXT: STRING, the NUL included; as an output room for it;
 * - RESOURCE: the id of a resource registered with @sess, INT64;
 * - ARGS: all arguments that are left;
 * - LIST and TENSORS: RAW or BUFFER, encoded as docs/protocol.md describes them.
 * An OPTIONAL one may be empty: no bytes. For an output that GROWS there must be room:
 * the argument's size is lowered to what there is.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for a list that does not fit the operation;
 * VACCEL_ENOSPC if there is too little room for an output; or an error of vaccel_call().
 */
int vaccel_genop(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
		 struct vaccel_arg *write, int nr_write);

#ifdef __cplusplus
}
#endif

#endif
