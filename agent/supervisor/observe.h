/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's sockets, and what it is told of listeners and tenants. */
#ifndef VACCEL_AGENT_SUPERVISOR_OBSERVE_H
#define VACCEL_AGENT_SUPERVISOR_OBSERVE_H

#include "agent/supervisor/supervisor.h"

/* Sockets that a configuration wants and that are not open yet. */
struct windows {
	struct window admin, metrics;
};

/* Opens them; to be committed or abandoned. */
int observe_prepare(struct supervisor *supervisor, const struct config *config,
		    struct windows *ret_wanted);

/* From now on these are the monitor's, which is started, or started anew if they are others. */
void observe_commit(struct supervisor *supervisor, struct windows *wanted);
void observe_abandon(struct windows *wanted);

void observe_listener_gone(struct supervisor *supervisor, uint32_t number);

/* What was refused before its tenant was known, as that of a tenant which no name is fit for. */
#define NOBODY "(nobody)"
void observe_nobody(struct supervisor *supervisor);

/* The listeners are others than they were. */
void observe_listeners(struct supervisor *supervisor);

/* /readyz says yes, or no. */
void observe_serving(struct supervisor *supervisor, bool serving);

void observe_close(struct supervisor *supervisor);

#endif
