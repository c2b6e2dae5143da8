/* SPDX-License-Identifier: Apache-2.0 */
/* OpenCV functions, by arguments of the caller's own. */
#ifndef VACCEL_OPS_OPENCV_H
#define VACCEL_OPS_OPENCV_H

#include <vaccel/ops/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_OPENCV_ARGS(ARG, op)                                       \
	ARG(op, IN, ARGS, arg, read, OPTIONAL, "what the function reads") \
	ARG(op, INOUT, ARGS, arg, write, OPTIONAL, "what the function writes")
VACCEL_OP(23, OPENCV, opencv, vaccel_opencv_unpack, EFFECT, "run an OpenCV function")

/**
 * vaccel_opencv_unpack() - run an OpenCV function
 * @sess: the session
 * @read: @nr_read arguments, whose meaning is the plugin's
 * @nr_read: how many; 0 with NULL for none
 * @write: @nr_write arguments that it writes
 * @nr_write: how many; 0 with NULL for none
 *
 * Return: VACCEL_OK, VACCEL_EINVAL or an error of vaccel_call().
 */
int vaccel_opencv_unpack(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
			 struct vaccel_arg *write, int nr_write);

#ifdef VACCEL_OP_BODIES
int vaccel_opencv_unpack(struct vaccel_session *sess, struct vaccel_arg *read, int nr_read,
			 struct vaccel_arg *write, int nr_write)
{
	struct vaccel_opencv_args args = {
		.read = {read, (size_t)nr_read},
		.write = {write, (size_t)nr_write},
	};

	if (nr_read < 0 || nr_write < 0)
		return vaccel_fail(VACCEL_EINVAL, "opencv: a number of arguments is negative");
	return vaccel_call(sess, &vaccel_op_opencv, &args);
}
#endif

#ifdef __cplusplus
}
#endif

#endif
