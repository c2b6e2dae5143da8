/* SPDX-License-Identifier: Apache-2.0 */
/* What a child writes: records of its log, or, to its standard output and error, backends' own
 * words mostly. Both become lines of our log, LOG_LINES_A_SECOND at most. */
#ifndef VACCEL_AGENT_SUPERVISOR_CHILD_OUTPUT_H
#define VACCEL_AGENT_SUPERVISOR_CHILD_OUTPUT_H

#include <stddef.h>

#include "agent/base/log.h"
#include "agent/supervisor/loop.h"

enum output_of { OUTPUT_OF_LOG, OUTPUT_OF_PROGRAM };

struct output {
	struct source source; /* the socket */
	struct loop *loop;
	enum output_of what;
	const char *name;
	size_t used;
	char line[LOG_RECORD_MAX];
	unsigned int logged; /* lines in the second that @second ends */
	unsigned int dropped;
	struct timer second;
};

/* @name, of the tenant, or NULL, stays the caller's. *ret_end: for the child. */
int output_open(struct output *output, struct loop *loop, enum output_of what, const char *name,
		int *ret_end);

/* Takes what there is still, and logs it. */
void output_close(struct output *output);

#endif
