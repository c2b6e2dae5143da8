// SPDX-License-Identifier: Apache-2.0
/* The small operations on arrays that FPGA boards offer; n counts elements. */
#include "example.h"

enum { COUNT = 4 };

static void print(const char *what, const float values[COUNT])
{
	printf("%s:", what);
	for (int i = 0; i < COUNT; i++)
		printf(" %g", (double)values[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	int numbers[COUNT] = {1, 2, 3, 4}, copy[COUNT];
	float a[COUNT] = {1, 2, 3, 4}, b[COUNT] = {5, 6, 7, 8};
	float c[COUNT], sum[COUNT], product[COUNT];
	struct vaccel_session sess;

	if (argc != 1)
		usage("fpga");
	TRY(vaccel_session_init(&sess, VACCEL_PLUGIN_FPGA));

	TRY(vaccel_fpga_arraycopy(&sess, numbers, copy, COUNT));
	printf("arraycopy: %d %d %d %d\n", copy[0], copy[1], copy[2], copy[3]);
	/* As 2 x 2 matrices, row by row */
	TRY(vaccel_fpga_mmult(&sess, a, b, c, COUNT));
	print("mmult", c);
	TRY(vaccel_fpga_parallel(&sess, a, b, sum, product, COUNT));
	print("parallel, sum", sum);
	print("parallel, product", product);
	TRY(vaccel_fpga_vadd(&sess, a, b, c, COUNT, COUNT));
	print("vadd", c);

	TRY(vaccel_session_release(&sess));
	return EXIT_SUCCESS;
}
