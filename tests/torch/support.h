/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the torch plugin. */
#ifndef TESTS_TORCH_SUPPORT_H
#define TESTS_TORCH_SUPPORT_H

#include "../support/framework.h"

#define MODEL(name) MODELS "/" name ".pt"

#define DIMS(...)               \
	(int64_t[])             \
	{                       \
		__VA_ARGS__, -1 \
	}

FRAMEWORK_TENSORS(vaccel_torch_tensor, vaccel_torch_data_type, int64_t)

/* One of floats, in one dimension. */
#define FLOATS(...)                                                                        \
	tensor(VACCEL_TORCH_FLOAT, (float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}), \
	       DIMS(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))

/* Runs a model with one input and one output. */
static inline int run(struct vaccel_session *sess, struct vaccel_resource *model,
		      const struct vaccel_torch_tensor *in, struct vaccel_torch_tensor **ret_out)
{
	struct vaccel_torch_tensor *const ins[] = {(struct vaccel_torch_tensor *)in};

	return vaccel_torch_model_run(sess, model, NULL, ins, 1, ret_out, 1);
}

#endif
