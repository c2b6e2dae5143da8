/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent for one measurement: the vaccel-agent that lies beside the command, in a
 * directory of its own, with a policy that permits what the rows need. It ends
 * with this process.
 */
#ifndef BENCH_RPC_AGENT_H
#define BENCH_RPC_AGENT_H

#include <stdbool.h>
#include <sys/types.h>

/* Listeners, each of a tenant of that name, but for RELAYED, which asks the certificate. */
enum route { ROUTE_UNIX, ROUTE_TCP, ROUTE_TLS, ROUTE_RELAYED, ROUTE_COUNT };

struct agent {
	pid_t pid;
	char directory[64];
	char address[ROUTE_COUNT][128];
	bool has_tls; /* else the last two lead nowhere */
};

/*
 * Makes a directory, and certificates if that can be done. agent_end() removes it.
 */
int agent_begin(struct agent *agent);
void agent_end(struct agent *agent);

/* Starts one that loads @plugins, "a, b". @program: the command's path. */
int agent_start(struct agent *agent, const char *program, const char *plugins);
void agent_stop(struct agent *agent);

/* Sets what the remote plugin reads; before libvaccel is bootstrapped. */
void agent_choose(const struct agent *agent, enum route route);

/* Binds all its processes, if it was started, to a processor, or to ANY_PROCESSOR. */
void agent_pin(const struct agent *agent, int processor);

/* The worker of a route's tenant; VACCEL_ENOENT if there is none. */
int agent_worker(const struct agent *agent, enum route route, pid_t *ret_worker);

/* What all its processes hold and have done: supervisor, front and workers. */
struct usage {
	double kib; /* resident */
	double busy_ns;
};
int agent_usage(const struct agent *agent, struct usage *ret_usage);

#endif
