/* SPDX-License-Identifier: Apache-2.0 */
/* How a worker ended, in words: for the log, and for the clients whose calls it took along. */
#ifndef VACCEL_AGENT_SUPERVISOR_TENANT_FATE_H
#define VACCEL_AGENT_SUPERVISOR_TENANT_FATE_H

#include <sys/resource.h>

#include "agent/base/setup.h"
#include "agent/base/stats.h"

struct ending {
	uint64_t epoch;
	int status;		    /* of wait4() */
	const struct rusage *usage; /* of wait4() */
	const struct policy *policy;
	const struct stats *stats; /* as the worker left them */
	uint32_t overran;	   /* the operation for which it was killed at the deadline, or 0 */
	bool frozen;		   /* it was killed because it gave no sign of life */
	bool exceeded;		   /* it was killed because its directory was too full */
	const char *failed;	   /* why it could not start, in its own words; or "" */
};

struct fate fate_of(const struct ending *ending);

#endif
