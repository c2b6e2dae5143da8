// SPDX-License-Identifier: Apache-2.0
/* See blas_floor.h. */
#include "bench/blas_floor.h"

#include <cblas.h>

static void multiply(int side, int stride, const float *a, const float *b, float *c)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, side, side, side, 1, a, stride, b,
		    stride, 0, c, stride);
}

__attribute__((visibility("default"))) extern const struct blas_floor blas_floor;
const struct blas_floor blas_floor = {multiply};
