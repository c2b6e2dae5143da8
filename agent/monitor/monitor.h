/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that tells others how the agent does: metrics over HTTP, and one
 * JSON document for `vaccel top` over the admin socket. It hears from the supervisor
 * on IPC_FD and takes numbers from the workers' shared counters.
 */
#ifndef VACCEL_AGENT_MONITOR_MONITOR_H
#define VACCEL_AGENT_MONITOR_MONITOR_H

/* Until the supervisor closes its end. Returns the exit status. */
int monitor_main(void);

#endif
