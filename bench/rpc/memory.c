// SPDX-License-Identifier: Apache-2.0
/* What an agent takes when nothing is asked of it, or much: figures of /proc, beside no limit but a
 * goal. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/module.h"
#include "bench/rpc/links.h"
#include "bench/rpc/process.h"
#include "bench/rpc/rpc.h"
#include "transport/clock.h"

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
	const struct timespec time = timespec_of((int64_t)ns);

	nanosleep(&time, NULL);
}

struct idle_row {
	enum route route;
	const char *name;
	double goal; /* KiB each */
	size_t count;
};

/* @before: with one connection, so that the worker is there. */
static int tell_idle(struct rpc *rpc, const struct idle_row *row, double before)
{
	struct usage settled, rested;
	char name[64];
	int ret;

	rest(SETTLE_NS);
	ret = agent_usage(&rpc->agent, &settled);
	rest(REST_NS);
	if (!ret)
		ret = agent_usage(&rpc->agent, &rested);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "%zu idle, %s, each", row->count, row->name);
	ret = rpc_tell(rpc, name, "KiB", (settled.kib - before) / (double)row->count, row->goal);
	snprintf(name, sizeof(name), "%zu idle, %s, busy in 2 s", row->count, row->name);
	return ret ? ret
		   : rpc_tell(rpc, name, "ms", (rested.busy_ns - settled.busy_ns) * 1e-6,
			      BUSY_GOAL);
}

/* By an agent of its own: workers of other routes would give memory back meanwhile. */
static int measure_idle(struct rpc *rpc, const struct idle_row *row)
{
	const char *address = rpc->agent.address[row->route], *directory = rpc->agent.directory;
	const struct bench_links *links;
	struct bench_idle *one = NULL, *many = NULL;
	struct usage before;
	int ret = bench_module("links", "bench_links", (const void **)&links);

	if (!ret)
		ret = agent_start(&rpc->agent, rpc->program, "noop");
	if (!ret)
		ret = links->open(address, directory, 1, &one);
	if (!ret)
		ret = agent_usage(&rpc->agent, &before);
	if (!ret)
		ret = links->open(address, directory, row->count, &many);
	if (!ret)
		ret = tell_idle(rpc, row, before.kib);
	if (many)
		links->close(many);
	if (one)
		links->close(one);
	agent_stop(&rpc->agent);
	return ret;
}

/* What the worker looks at is resident: what is only taken, by shared memory, it does not touch. */
static int measure_peak(struct rpc *rpc, enum route route, const char *name, bool echoed)
{
	size_t payload = echoed ? 2 * BULK : BULK;
	unsigned char *bulk = malloc(2 * BULK);
	struct vaccel_arg read = {.buf = bulk, .size = BULK, .type = VACCEL_ARG_RAW};
	struct vaccel_arg write = {.buf = bulk + BULK, .size = BULK, .type = VACCEL_ARG_RAW};
	pid_t worker = 0;
	double peak;
	int ret = rpc_open(rpc, route, "remote");

	if (!ret && !bulk)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	if (!ret)
		ret = agent_worker(&rpc->agent, route, &worker);
	if (!ret) {
		memset(bulk, 1, BULK);
		process_reset_peak(worker);
	}
	for (int i = 0; !ret && i < CALLS; i++)
		ret = vaccel_exec(&rpc->sess, "/bench", "echo", &read, 1, &write, echoed);
	if (!ret)
		ret = process_kib(worker, "VmHWM", &peak);
	if (!ret)
		ret = rpc_tell(rpc, name, "MiB", peak / 1024, PEAK_GOAL * (double)(payload >> 20));
	rpc_close(rpc);
	free(bulk);
	return ret;
}

static int measure_peaks(struct rpc *rpc)
{
	int ret = measure_peak(rpc, ROUTE_UNIX, "worker's most, 64 MiB in, unix", false);

	if (!ret)
		ret = measure_peak(rpc, ROUTE_TCP, "worker's most, 64 MiB in, tcp", false);
	if (!ret)
		ret = measure_peak(rpc, ROUTE_UNIX, "worker's most, 64 MiB echoed, unix", true);
	if (!ret)
		ret = measure_peak(rpc, ROUTE_TCP, "worker's most, 64 MiB echoed, tcp", true);
	return ret;
}

static int measure_many(struct rpc *rpc)
{
	/* Of those that it relays the front has two descriptors each. */
	static const struct idle_row rows[] = {
		{ROUTE_UNIX, "unix", 8, IDLE},
		{ROUTE_TLS, "tls", 32, IDLE},
		{ROUTE_RELAYED, "tls relayed", 32, IDLE / 2},
	};
	static const char few[] = "fewer than 10100 descriptors are permitted";
	size_t most = rpc->models->brief ? IDLE_BRIEF : IDLE;
	struct rlimit limit;
	int ret = VACCEL_OK;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < most + SPARE_FDS)
		return rpc_skip(rpc, "idle connections", few);
	for (size_t i = 0; !ret && i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct idle_row row = rows[i];
		char name[32];

		if (row.count > most)
			row.count = most;
		snprintf(name, sizeof(name), "idle, %s", row.name);
		if (row.route != ROUTE_UNIX && !rpc->agent.has_tls)
			ret = rpc_skip(rpc, name, "no OpenSSL, or no command openssl");
		else
			ret = measure_idle(rpc, &row);
	}
	return ret;
}

static int measure_supervisor(struct rpc *rpc)
{
	double kib;
	int ret = process_kib(rpc->agent.pid, "VmRSS", &kib);

	return ret ? ret : rpc_tell(rpc, "supervisor at rest", "MiB", kib / 1024, 10);
}

int rpc_memory(struct rpc *rpc)
{
	int ret = agent_start(&rpc->agent, rpc->program, "noop");

	if (!ret)
		ret = measure_supervisor(rpc);
	if (!ret)
		ret = measure_peaks(rpc);
	agent_stop(&rpc->agent);
	return ret ? ret : measure_many(rpc);
}
