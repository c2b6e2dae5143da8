// SPDX-License-Identifier: Apache-2.0
/* Runs an OpenCV function; what its arguments mean is up to the plugin. */
#include "example.h"

int main(int argc, char **argv)
{
	float matrix[] = {1, 0, 0, 1};
	size_t answer[4] = {0};
	struct vaccel_arg read, write;
	struct vaccel_session sess;

	if (argc != 1)
		usage("opencv");
	TRY(vaccel_arg_init_from_buf(&read, matrix, sizeof(matrix), VACCEL_ARG_FLOAT32_ARRAY, 0));
	TRY(vaccel_arg_init_from_buf(&write, answer, sizeof(answer), VACCEL_ARG_RAW, 0));

	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_opencv_unpack(&sess, &read, 1, &write, 1));
	printf("%zu values in %zu bytes\n", answer[0], write.size);
	TRY(vaccel_session_release(&sess));

	TRY(vaccel_arg_release(&write));
	TRY(vaccel_arg_release(&read));
	return EXIT_SUCCESS;
}
