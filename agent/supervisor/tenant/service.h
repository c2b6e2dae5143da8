/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant's worker: started, watched and replaced, with the connections that wait for it. */
#ifndef VACCEL_AGENT_SUPERVISOR_TENANT_SERVICE_H
#define VACCEL_AGENT_SUPERVISOR_TENANT_SERVICE_H

#include "agent/supervisor/tenant/tenant.h"

/* In a new tenant, and in one that goes: whatever there is of workers is killed. */
void service_init(struct tenant *tenant);
void service_end(struct tenant *tenant);

/* Starts one unless there is one, or it is too early after the last one's end. */
void service_start(struct tenant *tenant);

/* Has a connection wait for its worker; then gives the worker those that wait. */
void service_wait(struct tenant *tenant, struct arrival *arrival);
void service_pass_waiting(struct tenant *tenant);

/* Kills workers of which the surveyor has found that their directory is too full. */
void service_look_at_directory(struct tenant *tenant);

/* The worker answers what it has and ends; the tenant's next one counts on in memory of its own. */
void service_let_go(struct tenant *tenant);

/* The same, and connections that wait for one are closed. */
void service_give_up(struct tenant *tenant);

/* The same, for ever. */
void service_stop(struct tenant *tenant);

/* Tells the monitor of the worker that there is. */
void service_show(struct tenant *tenant);

#endif
