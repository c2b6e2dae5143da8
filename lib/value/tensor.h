/* SPDX-License-Identifier: Apache-2.0 */
/* What tensors of all frameworks have in common; see tensor_template.h. */
#ifndef VACCEL_VALUE_TENSOR_H
#define VACCEL_VALUE_TENSOR_H

#include <stddef.h>
#include <stdint.h>

/*
 * A malloc'd copy of the dimensions, or zeros. EINVAL if there are fewer than
 * @min or more than VACCEL_TENSOR_DIMS_MAX.
 */
int tensor_copy_dims(int64_t nr_dims, int64_t min, const void *dims, size_t dim_size,
		     void **ret_copy);

#endif
