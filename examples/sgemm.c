// SPDX-License-Identifier: Apache-2.0
/* Multiplies two matrices, row-major: c = alpha a b + beta c. */
#include "example.h"

enum { M = 2, N = 2, K = 3 };

int main(int argc, char **argv)
{
	float a[M][K] = {{1, 2, 3}, {4, 5, 6}};
	float b[K][N] = {{1, 0}, {0, 1}, {1, 1}};
	float c[M][N] = {{10, 10}, {10, 10}};
	struct vaccel_session sess;

	if (argc != 1)
		usage("sgemm");
	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_sgemm(&sess, M, N, K, 2, a[0], K, b[0], N, 1, c[0], N));
	for (int i = 0; i < M; i++)
		printf("%g %g\n", (double)c[i][0], (double)c[i][1]);
	TRY(vaccel_session_release(&sess));
	return EXIT_SUCCESS;
}
