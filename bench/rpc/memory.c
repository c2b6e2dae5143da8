// SPDX-License-Identifier: Apache-2.0
/* What an agent takes when nothing is asked of it, or much: figures of /proc, beside no limit but a
 * goal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/module.h"
#include "bench/rpc/links.h"
#include "bench/rpc/process.h"
#include "bench/rpc/rpc.h"

#define IDLE	   10000
#define IDLE_BRIEF 100
#define SPARE_FDS  100
#define CALLS	   20
#define SETTLE_NS  1e9 /* after which the worker's watcher sleeps */
#define REST_NS	   2e9
#define BUSY_GOAL  1 /* ms */
#define PEAK_GOAL  1.2

static void rest(double ns)
{
	const struct timespec time = {(time_t)(ns / 1e9), (long)ns % 1000000000};

	nanosleep(&time, NULL);
}

static size_t idle_count(const struct rpc *rpc)
{
	return rpc->models->brief ? IDLE_BRIEF : IDLE;
}

static double busy_ns(struct rpc *rpc, enum route route)
{
	return process_busy_ns(rpc->agent.pid) + process_busy_ns(agent_worker(&rpc->agent, route));
}

/* @before: the worker's memory with one connection. */
static int tell_idle(struct rpc *rpc, enum route route, double before, double goal)
{
	static const char *const names[] = {"unix", "tcp", "tls"};
	pid_t worker = agent_worker(&rpc->agent, route);
	size_t count = idle_count(rpc);
	double busy, each;
	char name[64];
	int ret;

	rest(SETTLE_NS);
	busy = busy_ns(rpc, route);
	each = (process_kib(worker, "VmRSS") - before) / (double)count;
	snprintf(name, sizeof(name), "%zu idle, %s, each", count, names[route]);
	ret = rpc_tell(rpc, name, "KiB", each, goal);
	rest(REST_NS);
	snprintf(name, sizeof(name), "%zu idle, %s, busy in 2 s", count, names[route]);
	busy = (busy_ns(rpc, route) - busy) * 1e-6;
	return ret ? ret : rpc_tell(rpc, name, "ms", busy, BUSY_GOAL);
}

static int measure_idle(struct rpc *rpc, enum route route, double goal)
{
	const char *address = rpc->agent.address[route], *directory = rpc->agent.directory;
	const struct bench_links *links;
	struct bench_idle *one = NULL, *many = NULL;
	double before;
	int ret = bench_module("links", "bench_links", (const void **)&links);

	if (!ret)
		ret = links->open(address, directory, 1, &one);
	before = process_kib(agent_worker(&rpc->agent, route), "VmRSS");
	if (!ret)
		ret = links->open(address, directory, idle_count(rpc), &many);
	if (!ret)
		ret = tell_idle(rpc, route, before, goal);
	if (many)
		links->close(many);
	if (one)
		links->close(one);
	return ret;
}

static int measure_peak(struct rpc *rpc, enum route route, const char *name)
{
	unsigned char *bulk = malloc(BULK);
	struct vaccel_arg read = {.buf = bulk, .size = BULK, .type = VACCEL_ARG_RAW};
	int ret = rpc_open(rpc, route, "remote");
	pid_t worker = agent_worker(&rpc->agent, route);

	if (!ret && !bulk)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	if (!ret)
		memset(bulk, 1, BULK);
	process_reset_peak(worker);
	for (int i = 0; !ret && i < CALLS; i++)
		ret = vaccel_exec(&rpc->sess, "/bench", "take", &read, 1, NULL, 0);
	if (!ret)
		ret = rpc_tell(rpc, name, "MiB", process_kib(worker, "VmHWM") / 1024,
			       PEAK_GOAL * BULK / (1 << 20));
	rpc_close(rpc);
	free(bulk);
	return ret;
}

static int measure_many(struct rpc *rpc)
{
	static const char few[] = "fewer than 10100 descriptors are permitted";
	struct rlimit limit;
	int ret;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < idle_count(rpc) + SPARE_FDS)
		return rpc_skip(rpc, "idle connections", few);
	ret = measure_idle(rpc, ROUTE_UNIX, 8);
	if (ret)
		return ret;
	if (!rpc->agent.has_tls)
		return rpc_skip(rpc, "idle, tls", "no OpenSSL, or no command openssl");
	return measure_idle(rpc, ROUTE_TLS, 32);
}

int rpc_memory(struct rpc *rpc)
{
	int ret = agent_start(&rpc->agent, rpc->program, "noop");

	if (!ret)
		ret = rpc_tell(rpc, "supervisor at rest", "MiB",
			       process_kib(rpc->agent.pid, "VmRSS") / 1024, 10);
	if (!ret)
		ret = measure_peak(rpc, ROUTE_UNIX, "worker's most, 64 MiB in, unix");
	if (!ret)
		ret = measure_peak(rpc, ROUTE_TCP, "worker's most, 64 MiB in, tcp");
	agent_stop(&rpc->agent);
	/* Workers that have done nothing yet. */
	if (!ret)
		ret = agent_start(&rpc->agent, rpc->program, "noop");
	if (!ret)
		ret = measure_many(rpc);
	agent_stop(&rpc->agent);
	return ret;
}
