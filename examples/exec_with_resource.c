// SPDX-License-Identifier: Apache-2.0
/*
 * Brings a library along and runs a function of it: upper() of functions.c.
 * Libraries that it needs are named before it.
 */
#include "example.h"

int main(int argc, char **argv)
{
	char text[] = "wherever the hardware is";
	char answer[64] = "";
	struct vaccel_arg read, write;
	struct vaccel_resource library;
	struct vaccel_session sess;

	if (argc < 2)
		usage("exec_with_resource [NEEDED_LIBRARY...] LIBRARY");
	TRY(vaccel_session_init(&sess, 0));
	TRY(vaccel_resource_init_multi(&library, (const char **)&argv[1], (size_t)argc - 1,
				       VACCEL_RESOURCE_LIB));
	TRY(vaccel_resource_register(&library, &sess));

	TRY(vaccel_arg_init_from_buf(&read, text, sizeof(text), VACCEL_ARG_STRING, 0));
	TRY(vaccel_arg_init_from_buf(&write, answer, sizeof(answer), VACCEL_ARG_STRING, 0));
	TRY(vaccel_exec_with_resource(&sess, &library, "upper", &read, 1, &write, 1));
	printf("%s (%zu bytes)\n", answer, write.size);

	TRY(vaccel_arg_release(&read));
	TRY(vaccel_arg_release(&write));
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_resource_release(&library));
	return EXIT_SUCCESS;
}
