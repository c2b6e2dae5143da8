// SPDX-License-Identifier: Apache-2.0
/* Runs a function of a library that lies where the work is done: mean() of functions.c. */
#include "example.h"

int main(int argc, char **argv)
{
	double samples[] = {1.5, 2.5, 3, 5};
	double mean = 0;
	struct vaccel_arg_array read, write;
	struct vaccel_session sess;

	if (argc != 2)
		usage("exec LIBRARY");
	TRY(vaccel_arg_array_init(&read, 1));
	TRY(vaccel_arg_array_add_double_array(&read, samples, 4));
	TRY(vaccel_arg_array_init(&write, 1));
	TRY(vaccel_arg_array_add_double(&write, &mean));

	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_exec(&sess, argv[1], "mean", vaccel_arg_array_raw(&read),
			vaccel_arg_array_count(&read), vaccel_arg_array_raw(&write),
			vaccel_arg_array_count(&write)));
	printf("mean: %g\n", mean);
	TRY(vaccel_session_release(&sess));

	TRY(vaccel_arg_array_release(&read));
	TRY(vaccel_arg_array_release(&write));
	return EXIT_SUCCESS;
}
