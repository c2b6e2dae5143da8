// SPDX-License-Identifier: Apache-2.0
/* The least that a program does: open a session, run an operation, close the session. */
#include "example.h"

int main(int argc, char **argv)
{
	struct vaccel_session sess;

	if (argc != 1)
		usage("noop");
	TRY(vaccel_session_init(&sess, 0));
	printf("Initialized session with id: %" PRId64 "\n", sess.id);
	TRY(vaccel_noop(&sess));
	printf("did nothing\n");
	TRY(vaccel_session_release(&sess));
	return EXIT_SUCCESS;
}
