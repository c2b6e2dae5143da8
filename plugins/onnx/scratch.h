/* SPDX-License-Identifier: Apache-2.0 */
/* Working memory for pictures, kept from call to call. */
#ifndef ONNX_SCRATCH_H
#define ONNX_SCRATCH_H

#include "vision/classify.h"
#include "vision/preprocess.h"

/**
 * struct scratch - what one call works with
 * @pictures: decoding and resizing
 * @tensor: the model's input
 * @tensor_size: bytes of @tensor
 * @ranks: the classes asked for
 * @nr_ranks: room at @ranks
 */
struct scratch {
	struct preprocess_scratch pictures;
	float *tensor;
	size_t tensor_size;
	struct rank *ranks;
	size_t nr_ranks;
};

/** scratch_take() - working memory for this call alone; NULL after vaccel_fail() */
struct scratch *scratch_take(void);

/** scratch_give() - keep it for a later call, if it is of a common size */
void scratch_give(struct scratch *scratch);

static inline void scratch_givep(struct scratch **scratch)
{
	scratch_give(*scratch);
}

/** scratch_tensor() - room for a tensor of @size bytes; NULL after vaccel_fail() */
float *scratch_tensor(struct scratch *scratch, size_t size);

/** scratch_ranks() - room for @nr ranks; NULL after vaccel_fail() */
struct rank *scratch_ranks(struct scratch *scratch, size_t nr);

/** scratch_drop_all() - free what is kept. No call may be running. */
void scratch_drop_all(void);

#endif
