// SPDX-License-Identifier: Apache-2.0
/* The values of PyTorch. All is in the templates, which see. */
#include <vaccel/ops/torch.h>

#define TENSOR		vaccel_torch_tensor
#define TENSOR_RANK	int64_t
#define TENSOR_MIN_RANK 1
#define TENSOR_DIM	int64_t
#define TENSOR_TYPE	enum vaccel_torch_data_type
#include "value/tensor_template.h"

#define BUFFER	    vaccel_torch_buffer
#define BUFFER_DATA char
#include "value/buffer_template.h"
