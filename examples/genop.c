// SPDX-License-Identifier: Apache-2.0
/*
 * Runs an operation by its number and a list of arguments, as bindings do. The
 * order of the arguments is that of `vaccel ops`: first all that is read, the
 * number before it, then all that is written.
 */
#include "example.h"

int main(int argc, char **argv)
{
	uint8_t op = VACCEL_OP_MINMAX;
	double samples[] = {3, -7, 12, 5, 400}, out[5], min, max;
	int32_t n = 5, low = -10, high = 100;
	struct vaccel_arg_array read, write;
	struct vaccel_session sess;

	if (argc != 1)
		usage("genop");
	TRY(vaccel_arg_array_init(&read, 5));
	TRY(vaccel_arg_array_add_uint8(&read, &op));
	TRY(vaccel_arg_array_add_double_array(&read, samples, 5));
	TRY(vaccel_arg_array_add_int32(&read, &n));
	TRY(vaccel_arg_array_add_int32(&read, &low));
	TRY(vaccel_arg_array_add_int32(&read, &high));
	TRY(vaccel_arg_array_init(&write, 3));
	TRY(vaccel_arg_array_add_double_array(&write, out, 5));
	TRY(vaccel_arg_array_add_double(&write, &min));
	TRY(vaccel_arg_array_add_double(&write, &max));

	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_genop(&sess, vaccel_arg_array_raw(&read), (int)vaccel_arg_array_count(&read),
			 vaccel_arg_array_raw(&write), (int)vaccel_arg_array_count(&write)));
	printf("operation %u: min %g, max %g\n", op, min, max);
	TRY(vaccel_session_release(&sess));

	TRY(vaccel_arg_array_release(&write));
	TRY(vaccel_arg_array_release(&read));
	return EXIT_SUCCESS;
}
