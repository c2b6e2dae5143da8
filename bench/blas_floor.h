/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of products of matrices: OpenBLAS called directly. A module, bench-blas.so
 * beside the plugins, that exports one `const struct blas_floor blas_floor`.
 */
#ifndef BENCH_BLAS_FLOOR_H
#define BENCH_BLAS_FLOOR_H

struct blas_floor {
	/* c = a b, matrices of @side rows, as many columns, and @stride from row to row. */
	void (*multiply)(int side, int stride, const float *a, const float *b, float *c);
};

#endif
