/* SPDX-License-Identifier: Apache-2.0 */
/* What the test tells its plugin to do, and what the plugin saw. */
#ifndef TESTS_CALL_ANSWERS_H
#define TESTS_CALL_ANSWERS_H

#include <stdbool.h>

struct answers {
	int code;      /* what each operation returns */
	bool say;      /* with words */
	int slot_code; /* what session_open and resource_open return */
	int yields;    /* how often session_open gives way to other threads */
	int forks;     /* how often closing a slot is to fork */
	int calls;
	int sessions_open;
	int resources_open;
	int opened;		/* ever */
	const void *model_seen; /* vaccel_call_resource()'s answer */
};

#endif
