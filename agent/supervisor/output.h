/* SPDX-License-Identifier: Apache-2.0 */
/* What a child writes to its standard output and error, backends' own words mostly: lines of our
 * log. */
#ifndef VACCEL_AGENT_SUPERVISOR_OUTPUT_H
#define VACCEL_AGENT_SUPERVISOR_OUTPUT_H

#include <stddef.h>

#include "agent/supervisor/loop.h"

struct output {
	struct source source; /* the pipe */
	struct loop *loop;
	const char *name;
	size_t used;
	char line[512];
	unsigned int logged; /* lines in the second @since */
	unsigned int dropped;
	int64_t since;
};

/* @name stays the caller's. *ret_end: for the child. */
int output_open(struct output *output, struct loop *loop, const char *name, int *ret_end);

/* Takes what there is still, and logs it. */
void output_close(struct output *output);

#endif
