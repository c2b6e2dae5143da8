// SPDX-License-Identifier: Apache-2.0
/* The values of PyTorch. All is in the templates, which see. */
#include <vaccel/ops/torch.h>

/* Bits of an element; 0 where elements have no one size. */
static const unsigned char element_bits[] = {
	[VACCEL_TORCH_BYTE] = 8,    [VACCEL_TORCH_CHAR] = 8,   [VACCEL_TORCH_BOOL] = 8,
	[VACCEL_TORCH_SHORT] = 16,  [VACCEL_TORCH_HALF] = 16,  [VACCEL_TORCH_BFLOAT16] = 16,
	[VACCEL_TORCH_INT] = 32,    [VACCEL_TORCH_FLOAT] = 32, [VACCEL_TORCH_LONG] = 64,
	[VACCEL_TORCH_DOUBLE] = 64,
};

#define TENSOR		vaccel_torch_tensor
#define TENSOR_RANK	int64_t
#define TENSOR_MIN_RANK 1
#define TENSOR_DIM	int64_t
#define TENSOR_TYPE	enum vaccel_torch_data_type
#define TENSOR_BITS	element_bits
#include "value/tensor_template.h"

#define BUFFER	    vaccel_torch_buffer
#define BUFFER_DATA char
#include "value/buffer_template.h"
