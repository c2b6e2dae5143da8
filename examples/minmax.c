// SPDX-License-Identifier: Apache-2.0
/* Finds the smallest and the largest of some values, leaving out those beyond LOW and HIGH. */
#include "example.h"

enum { MOST = 100 };

int main(int argc, char **argv)
{
	int count = argc - 3;
	double in[MOST], out[MOST], min, max;
	struct vaccel_session sess;

	if (count < 1 || count > MOST)
		usage("minmax LOW HIGH VALUE...");
	for (int i = 0; i < count; i++)
		in[i] = atof(argv[i + 3]);

	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_minmax(&sess, in, count, atoi(argv[1]), atoi(argv[2]), out, &min, &max));
	printf("min %g, max %g, within:", min, max);
	for (int i = 0; i < count; i++)
		printf(" %g", out[i]);
	printf("\n");
	TRY(vaccel_session_release(&sess));
	return EXIT_SUCCESS;
}
