/* SPDX-License-Identifier: Apache-2.0 */
/* The suite rpc: calls through an agent, each beside what two processes can do at best. */
#ifndef BENCH_RPC_RPC_H
#define BENCH_RPC_RPC_H

#include <vaccel.h>

#include "bench/measure.h"
#include "bench/rpc/agent.h"
#include "bench/rpc/partner.h"

#define BULK	  ((size_t)64 << 20)
#define PINGS_MAX 16

struct rpc {
	const char *program;
	const struct bench_models *models;
	bench_show *show;
	void *context;

	struct agent agent;
	struct partner partner;
	int processor;		    /* of both, as rpc_pin() has it */
	struct vaccel_session sess; /* at the agent */

	int unix_ping, tcp_ping, sink;
	struct partner_spin *spin;
	int pings[PINGS_MAX]; /* one of each thread that plays ping-pong beside others */
	unsigned int nr_pings;

	unsigned char *bulk;   /* BULK bytes; of which memory, the row says */
	unsigned char *copies; /* BULK bytes */
	unsigned char *echo;   /* where calls that carry bulk have it come back to, or NULL */
};

/* Bootstraps libvaccel with these plugins and opens a session by that route. */
int rpc_open(struct rpc *rpc, enum route route, const char *plugins);
void rpc_close(struct rpc *rpc);

/* One row after another up to one without a name. */
int rpc_measure(struct rpc *rpc, const struct bench_row *rows);

/* The row on one processor with the other end, and on two; its floor_apart is for the second. */
int rpc_measure_apart(struct rpc *rpc, const struct bench_row *row);

/* Binds the agent, and the partner. */
void rpc_pin(struct rpc *rpc, int processor);

/* A row that was not measured, and one that is a figure read off, with a goal for it or 0. */
int rpc_skip(struct rpc *rpc, const char *name, const char *why);
int rpc_tell(struct rpc *rpc, const char *name, const char *unit, double value, double goal);

/* Parts of the suite */
int rpc_bulk(struct rpc *rpc);
int rpc_classify(struct rpc *rpc);
int rpc_memory(struct rpc *rpc);

/* Work for rows, whose context is the struct rpc. */
bench_work rpc_noop, rpc_ping_unix, rpc_ping_tcp;

#endif
