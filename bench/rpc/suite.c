// SPDX-License-Identifier: Apache-2.0
/*
 * What a call through an agent costs: the rows about time, and what the other
 * parts share. The agent and the partner are children of this process, made before it
 * has threads, and bound to the processors that a row wants.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/module.h"
#include "bench/rpc/links.h"
#include "bench/rpc/process.h"
#include "bench/rpc/rpc.h"

#define IDLE	  1000
#define SPIN_US	  "50"
#define THREADS	  8
#define NAME_ROOM 64

int rpc_noop(void *context, size_t times)
{
	struct rpc *rpc = context;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_noop(&rpc->sess);
	return ret;
}

static int ping(int connection, size_t times)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = partner_ping(connection);
	return ret;
}

int rpc_ping_unix(void *context, size_t times)
{
	return ping(((struct rpc *)context)->unix_ping, times);
}

int rpc_ping_tcp(void *context, size_t times)
{
	return ping(((struct rpc *)context)->tcp_ping, times);
}

static int ping_spinning(void *context, size_t times)
{
	return partner_spin_ping(((struct rpc *)context)->spin, times);
}

/* Each thread has a session and a connection of its own, made at its first sample. */
static int noop_on_own(void *context, size_t times)
{
	static _Thread_local struct vaccel_session own;
	int ret = own.id ? VACCEL_OK : vaccel_session_init(&own, VACCEL_PLUGIN_REMOTE);

	(void)context;
	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_noop(&own);
	return ret;
}

static int ping_on_own(void *context, size_t times)
{
	static _Thread_local int own = -1;
	struct rpc *rpc = context;

	if (own < 0) {
		own = partner_connect(&rpc->partner, false, PARTNER_ECHO);
		if (own < 0)
			return VACCEL_EREMOTEIO;
		rpc->pings[__atomic_fetch_add(&rpc->nr_pings, 1, __ATOMIC_RELAXED)] = own;
	}
	return ping(own, times);
}

static int open_and_close(void *context, size_t times)
{
	struct vaccel_session sess;
	int ret = VACCEL_OK;

	(void)context;
	for (size_t i = 0; !ret && i < times; i++) {
		ret = vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE);
		if (!ret)
			ret = vaccel_session_release(&sess);
	}
	return ret;
}

static int ping_twice(void *context, size_t times)
{
	return rpc_ping_unix(context, 2 * times);
}

int rpc_open(struct rpc *rpc, enum route route, const char *plugins)
{
	struct vaccel_config config = {.plugins = (char *)plugins, .log_level = VACCEL_LOG_ERROR};
	int ret;

	agent_choose(&rpc->agent, route);
	ret = vaccel_bootstrap_with_config(&config);
	if (!ret)
		ret = vaccel_session_init(&rpc->sess, VACCEL_PLUGIN_REMOTE);
	/* Its first call makes the worker, so that it can be bound to a processor. */
	return ret ? ret : rpc_noop(rpc, 1);
}

void rpc_close(struct rpc *rpc)
{
	if (rpc->sess.id)
		vaccel_session_release(&rpc->sess);
	memset(&rpc->sess, 0, sizeof(rpc->sess));
	vaccel_cleanup();
}

void rpc_pin(struct rpc *rpc, int processor)
{
	rpc->processor = processor;
	agent_pin(&rpc->agent, processor);
	process_pin(rpc->partner.pid, processor);
}

int rpc_measure(struct rpc *rpc, const struct bench_row *rows)
{
	int ret = VACCEL_OK;

	for (; !ret && rows->name; rows++) {
		struct bench_row row = *rows;
		struct bench_result result;

		if (rpc->models->brief)
			row.seconds = 0;
		ret = bench_measure(&row, &result);
		if (!ret)
			ret = rpc->show(rpc->context, &row, &result);
	}
	return ret;
}

int rpc_measure_apart(struct rpc *rpc, const struct bench_row *row)
{
	static const char *const places[] = {"one core", "two cores"};
	struct bench_row rows[2] = {*row};
	char name[NAME_ROOM];
	int ret = VACCEL_OK;

	rows[0].name = name;
	for (int i = 0; !ret && i < 2; i++) {
		snprintf(name, sizeof(name), "%s, %s", row->name, places[i]);
		if (i && processors() < 2) {
			ret = rpc_skip(rpc, name, "there is only one processor");
			continue;
		}
		rpc_pin(rpc, i);
		rows[0].floor_apart = row->floor_apart * (unsigned int)i;
		ret = rpc_measure(rpc, rows);
	}
	return ret;
}

int rpc_skip(struct rpc *rpc, const char *name, const char *why)
{
	const struct bench_row row = {.name = name, .unit = ""};
	const struct bench_result result = {.skipped = why};

	return rpc->show(rpc->context, &row, &result);
}

int rpc_tell(struct rpc *rpc, const char *name, const char *unit, double value, double goal)
{
	const struct bench_row row = {.name = name, .unit = unit, .value_goal = goal};
	const struct bench_result result = {.value = value};

	return rpc->show(rpc->context, &row, &result);
}

/* A round trip, call by call. */
#define ROUND_TRIP(name_, floor_, goal_, p99_goal_)                                                \
	(struct bench_row)                                                                         \
	{                                                                                          \
		.name = name_, .unit = "us", .threads = 1, .batch = 1, .seconds = 2,               \
		.run = rpc_noop, .floor = floor_, .context = rpc, .run_length = 50, .goal = goal_, \
		.p99_goal = p99_goal_                                                              \
	}

static int measure_session(struct rpc *rpc)
{
	struct bench_row row = ROUND_TRIP("session open and close", ping_twice, 2, 0);

	row.run = open_and_close;
	return rpc_measure_apart(rpc, &row);
}

static int measure_threads(struct rpc *rpc)
{
	const struct bench_row rows[] = {
		{.name = "noop, unix, 8 threads",
		 .unit = "calls/s",
		 .threads = THREADS,
		 .batch = 500,
		 .seconds = 4,
		 .run = noop_on_own,
		 .floor = ping_on_own,
		 .context = rpc,
		 .amount = 1,
		 .goal = 0.8},
		{.name = NULL},
	};

	rpc_pin(rpc, ANY_PROCESSOR);
	return rpc_measure(rpc, rows);
}

/* With the worker having many other connections meanwhile. */
static int measure_among_idle(struct rpc *rpc, int (*measure)(struct rpc *rpc))
{
	const struct bench_links *links;
	struct bench_idle *idle;
	int ret = bench_module("links", "bench_links", (const void **)&links);

	if (!ret)
		ret = links->open(rpc->agent.address[ROUTE_UNIX], rpc->agent.directory, IDLE,
				  &idle);
	if (ret)
		return ret;
	ret = measure(rpc);
	links->close(idle);
	return ret;
}

static int measure_noop(struct rpc *rpc)
{
	const struct bench_row row = ROUND_TRIP("noop, unix, 1000 idle", rpc_ping_unix, 1.15, 2.5);

	return rpc_measure_apart(rpc, &row);
}

static int measure_unix(struct rpc *rpc)
{
	int ret = rpc_open(rpc, ROUTE_UNIX, "remote");

	if (!ret)
		ret = measure_among_idle(rpc, measure_noop);
	if (!ret)
		ret = measure_session(rpc);
	if (!ret)
		ret = measure_threads(rpc);
	rpc_close(rpc);
	return ret;
}

static const char spinning[] = "noop, unix, 1000 idle, spinning";

/* On two cores; on one the ends would wait for each other. */
static int measure_noop_spinning(struct rpc *rpc)
{
	const struct bench_row rows[] = {
		{.name = spinning,
		 .unit = "us",
		 .threads = 1,
		 .batch = 5000,
		 .seconds = 2,
		 .run = rpc_noop,
		 .floor = ping_spinning,
		 .context = rpc,
		 .value_goal = 0.5},
		{.name = NULL},
	};

	rpc_pin(rpc, 1);
	return rpc_measure(rpc, rows);
}

static int measure_spinning(struct rpc *rpc)
{
	int ret;

	if (processors() < 2)
		return rpc_skip(rpc, spinning, "there is only one processor");
	setenv("VACCEL_SPIN_US", SPIN_US, 1);
	ret = rpc_open(rpc, ROUTE_UNIX, "remote");
	if (!ret)
		ret = measure_among_idle(rpc, measure_noop_spinning);
	rpc_close(rpc);
	unsetenv("VACCEL_SPIN_US");
	return ret;
}

static int measure_stream(struct rpc *rpc, enum route route, const char *name, double goal)
{
	const struct bench_row row = ROUND_TRIP(name, rpc_ping_tcp, goal, 0);
	int ret;

	if (route != ROUTE_TCP && !rpc->agent.has_tls)
		return rpc_skip(rpc, name, "no OpenSSL, or no command openssl");
	ret = rpc_open(rpc, route, "remote");
	if (!ret)
		ret = rpc_measure_apart(rpc, &row);
	rpc_close(rpc);
	return ret;
}

static int measure_times(struct rpc *rpc)
{
	int ret = agent_start(&rpc->agent, rpc->program, "noop");

	if (!ret)
		ret = measure_unix(rpc);
	if (!ret)
		ret = rpc_bulk(rpc);
	if (!ret)
		ret = measure_spinning(rpc);
	if (!ret)
		ret = measure_stream(rpc, ROUTE_TCP, "noop, tcp", 1.15);
	if (!ret)
		ret = measure_stream(rpc, ROUTE_TLS, "noop, tls", 1.8);
	if (!ret)
		ret = measure_stream(rpc, ROUTE_RELAYED, "noop, tls relayed", 3.5);
	agent_stop(&rpc->agent);
	return ret;
}

static int begin(struct rpc *rpc)
{
	struct rlimit limit;
	int ret = agent_begin(&rpc->agent);

	/* Many connections; the agent inherits it. */
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (!ret)
		ret = partner_start(&rpc->partner, rpc->agent.directory);
	if (ret)
		return ret;
	rpc->unix_ping = partner_connect(&rpc->partner, false, PARTNER_ECHO);
	rpc->tcp_ping = partner_connect(&rpc->partner, true, PARTNER_ECHO);
	rpc->sink = partner_connect(&rpc->partner, true, PARTNER_SINK);
	if (rpc->unix_ping < 0 || rpc->tcp_ping < 0 || rpc->sink < 0)
		return VACCEL_EREMOTEIO;
	ret = partner_spin_start(&rpc->partner, &rpc->spin);
	rpc->copies = malloc(BULK);
	return ret || rpc->copies ? ret : vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void end(struct rpc *rpc)
{
	const int fds[] = {rpc->unix_ping, rpc->tcp_ping, rpc->sink};

	close_all(fds, 3);
	close_all(rpc->pings, rpc->nr_pings);
	partner_spin_stop(rpc->spin);
	partner_stop(&rpc->partner);
	agent_end(&rpc->agent);
	free(rpc->copies);
}

int bench_rpc(const char *program, const struct bench_models *models, bench_show *show,
	      void *context)
{
	struct rpc rpc = {
		.program = program,
		.models = models,
		.show = show,
		.context = context,
		.unix_ping = -1,
		.tcp_ping = -1,
		.sink = -1,
	};
	int ret = begin(&rpc);

	if (!ret)
		ret = measure_times(&rpc);
	if (!ret)
		ret = rpc_memory(&rpc);
	if (!ret)
		ret = rpc_classify(&rpc);
	end(&rpc);
	return ret;
}
