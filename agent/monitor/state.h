/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor has been told, and the tenants' numbers. */
#ifndef VACCEL_AGENT_MONITOR_STATE_H
#define VACCEL_AGENT_MONITOR_STATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/base/ipc.h"
#include "agent/base/stats.h"

/* A tenant that has or had a worker. Its counters stay when the worker is gone. */
struct seen {
	char name[sizeof(((struct ipc_message *)NULL)->peer)];
	char policy[sizeof(((struct ipc_message *)NULL)->text)];
	char fate[sizeof(((struct ipc_message *)NULL)->text)]; /* of the last worker that failed */
	pid_t pid;					       /* 0: it has no worker */
	struct stats *stats; /* memory that the worker writes: numbers to be copied, no more */
};

struct heard {
	uint32_t number;
	char address[sizeof(((struct ipc_message *)NULL)->text)];
	char tenant[sizeof(((struct ipc_message *)NULL)->peer)]; /* "": it names none */
};

/* Stuck: the supervisor was asked whether it lives, and has not answered for a while. */
enum readiness { STARTING, SERVING, DRAINING, STUCK };

struct state {
	struct seen *seen;
	size_t nr_seen;
	struct heard *heard; /* listeners */
	size_t nr_heard;
	enum readiness told;
	int64_t unheard_since; /* when the supervisor was asked; 0: it has answered */
	pid_t agent;
	double began; /* of the agent, in seconds since the machine's start */
};

/* What the kernel says of the agent, this process's parent. */
void state_init(struct state *state);
void state_release(struct state *state);

/* Remembers what a message says; @fd, if it needs one, stays the caller's. */
int state_take(struct state *state, const struct ipc_message *message, int fd);

enum readiness state_readiness(const struct state *state);
const char *readiness_name(enum readiness readiness);

/* How long the agent has run, in seconds. */
double state_uptime(const struct state *state);

/* Memory of a process that is in RAM, in bytes; 0 if that cannot be told. */
uint64_t resident_bytes(pid_t pid);

/* A counter, copied. */
static inline uint64_t count_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Calls of an operation, and those of them that failed. */
uint64_t calls_of(const struct stats *stats, unsigned int op, uint64_t *ret_errors);

/* An operation's name, or its number where it has none. */
const char *op_name(unsigned int op, char room[16]);

#endif
