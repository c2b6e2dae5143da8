/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the tf plugin. */
#ifndef TESTS_TF_SUPPORT_H
#define TESTS_TF_SUPPORT_H

#include "../support/framework.h"

#define MODEL(name) MODELS "/" name ".pb"

#define DIMS(...)               \
	(int64_t[])             \
	{                       \
		__VA_ARGS__, -1 \
	}

FRAMEWORK_TENSORS(vaccel_tf_tensor, vaccel_tf_data_type, int64_t)

#endif
