// SPDX-License-Identifier: Apache-2.0
/*
 * A shelf of working memory: a call takes what it finds first and puts it back,
 * each by one atomic exchange. Memory that a large picture needed is not kept,
 * so that it does not stay with the process.
 */
#include "onnx/scratch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <vaccel/error.h>

#define SHELF_SIZE 32
#define KEPT_SIZE  (32 << 20)

static _Atomic(struct scratch *) shelf[SHELF_SIZE];

static void scratch_delete(struct scratch *scratch)
{
	preprocess_scratch_release(&scratch->pictures);
	free(scratch->tensor);
	free(scratch->ranks);
	free(scratch);
}

struct scratch *scratch_take(void)
{
	struct scratch *scratch = NULL;

	for (size_t i = 0; !scratch && i < SHELF_SIZE; i++)
		if (atomic_load_explicit(&shelf[i], memory_order_relaxed))
			scratch = atomic_exchange(&shelf[i], NULL);
	if (!scratch)
		scratch = calloc(1, sizeof(*scratch));
	if (!scratch)
		vaccel_fail(VACCEL_ENOMEM, "no memory to work with");
	return scratch;
}

static size_t size_of(const struct scratch *scratch)
{
	return scratch->pictures.decoded.room + scratch->pictures.resized.room +
	       scratch->pictures.resize.size + scratch->tensor_size +
	       scratch->nr_ranks * sizeof(*scratch->ranks);
}

void scratch_give(struct scratch *scratch)
{
	struct scratch *none;

	if (!scratch)
		return;
	for (size_t i = 0; size_of(scratch) <= KEPT_SIZE && i < SHELF_SIZE; i++) {
		none = NULL;
		if (!atomic_load_explicit(&shelf[i], memory_order_relaxed) &&
		    atomic_compare_exchange_strong(&shelf[i], &none, scratch))
			return;
	}
	scratch_delete(scratch);
}

float *scratch_tensor(struct scratch *scratch, size_t size)
{
	if (scratch->tensor_size >= size)
		return scratch->tensor;
	free(scratch->tensor);
	scratch->tensor = malloc(size);
	scratch->tensor_size = scratch->tensor ? size : 0;
	if (!scratch->tensor)
		vaccel_fail(VACCEL_ENOMEM, "no memory for a tensor of %zu bytes", size);
	return scratch->tensor;
}

struct rank *scratch_ranks(struct scratch *scratch, size_t nr)
{
	if (scratch->nr_ranks >= nr)
		return scratch->ranks;
	free(scratch->ranks);
	scratch->ranks = calloc(nr, sizeof(*scratch->ranks));
	scratch->nr_ranks = scratch->ranks ? nr : 0;
	if (!scratch->ranks)
		vaccel_fail(VACCEL_ENOMEM, "no memory for %zu classes", nr);
	return scratch->ranks;
}

void scratch_drop_all(void)
{
	for (size_t i = 0; i < SHELF_SIZE; i++) {
		struct scratch *scratch = atomic_exchange(&shelf[i], NULL);

		if (scratch)
			scratch_delete(scratch);
	}
}
