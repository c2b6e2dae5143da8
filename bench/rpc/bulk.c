// SPDX-License-Identifier: Apache-2.0
/*
 * Large arguments: 64 MiB that noop's exec is given, or echoes. Before a row is
 * timed the same call is made with bytes that are looked at when they come back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rpc/rpc.h"

static int exec(struct rpc *rpc, unsigned char *to)
{
	struct vaccel_arg read = {.buf = rpc->bulk, .size = BULK, .type = VACCEL_ARG_RAW};
	struct vaccel_arg write = {.buf = to, .size = BULK, .type = VACCEL_ARG_RAW};

	return vaccel_exec(&rpc->sess, "/bench", "echo", &read, 1, &write, to ? 1 : 0);
}

static int send_bulk(void *context, size_t times)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = exec(context, NULL);
	return ret;
}

static int echo_bulk(void *context, size_t times)
{
	struct rpc *rpc = context;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = exec(rpc, rpc->copies);
	return ret;
}

static int copy_bulk(void *context, size_t times)
{
	struct rpc *rpc = context;

	for (size_t i = 0; i < times; i++) {
		memcpy(rpc->copies, rpc->bulk, BULK);
		/* The compiler must not leave one out. */
		__asm__ volatile("" : : "r"(rpc->copies) : "memory");
	}
	return VACCEL_OK;
}

static int copy_three_times(void *context, size_t times)
{
	return copy_bulk(context, 3 * times);
}

static int stream_bulk(void *context, size_t times)
{
	struct rpc *rpc = context;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = partner_send(rpc->sink, rpc->bulk, BULK);
	return ret;
}

static int check_echo(struct rpc *rpc, unsigned char seed)
{
	int ret;

	for (size_t i = 0; i < BULK; i++)
		rpc->bulk[i] = (unsigned char)(i * 7 + (i >> 12) + seed);
	memset(rpc->copies, 0, BULK);
	ret = exec(rpc, rpc->copies);
	if (!ret && memcmp(rpc->bulk, rpc->copies, BULK) != 0)
		ret = vaccel_fail(VACCEL_EREMOTEIO,
				  "the agent echoes other bytes than it was sent");
	return ret;
}

/* Twice, so that it is seen in memory that was used before. */
static int check_echoes(struct rpc *rpc)
{
	int ret = check_echo(rpc, 1);

	return ret ? ret : check_echo(rpc, 2);
}

#define BULK_ROW(name_, run_, floor_, goal_)                                                \
	{                                                                                   \
		.name = name_, .unit = "GB/s", .threads = 1, .batch = 1, .seconds = 5,      \
		.run = run_, .floor = floor_, .context = rpc, .amount = BULK, .goal = goal_ \
	}

static int measure_plain(struct rpc *rpc)
{
	const struct bench_row rows[] = {
		BULK_ROW("64 MiB in, unix", send_bulk, copy_bulk, 1),
		BULK_ROW("64 MiB echoed, unix", echo_bulk, copy_three_times, 0.8),
		{.name = NULL},
	};
	int ret;

	rpc->bulk = malloc(BULK);
	if (!rpc->bulk)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	ret = check_echoes(rpc);
	if (!ret)
		ret = rpc_measure(rpc, rows);
	free(rpc->bulk);
	rpc->bulk = NULL;
	return ret;
}

/* Beside a call that carries nothing: the memory is shared, and nothing is copied. */
static int measure_shared(struct rpc *rpc)
{
	const struct bench_row row = {
		.name = "64 MiB in, unix, vaccel_alloc",
		.unit = "us",
		.threads = 1,
		.batch = 1,
		.seconds = 2,
		.run = send_bulk,
		.floor = rpc_noop,
		.context = rpc,
		.run_length = 50,
		.goal = 1.5,
	};
	int ret;

	rpc->bulk = vaccel_alloc(BULK);
	if (!rpc->bulk)
		return VACCEL_ENOMEM;
	ret = check_echoes(rpc);
	if (!ret)
		ret = rpc_measure_apart(rpc, &row);
	vaccel_free(rpc->bulk);
	rpc->bulk = NULL;
	return ret;
}

static int measure_stream(struct rpc *rpc)
{
	const struct bench_row rows[] = {
		BULK_ROW("64 MiB in, tcp", send_bulk, stream_bulk, 0.9),
		{.name = NULL},
	};
	int ret = rpc_open(rpc, ROUTE_TCP, "remote");

	rpc_pin(rpc, 1);
	rpc->bulk = malloc(BULK);
	if (!ret && !rpc->bulk)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	if (!ret)
		ret = check_echoes(rpc);
	if (!ret)
		ret = rpc_measure(rpc, rows);
	free(rpc->bulk);
	rpc->bulk = NULL;
	rpc_close(rpc);
	return ret;
}

int rpc_bulk(struct rpc *rpc)
{
	int ret = rpc_open(rpc, ROUTE_UNIX, "remote");

	rpc_pin(rpc, 1);
	if (!ret)
		ret = measure_plain(rpc);
	if (!ret)
		ret = measure_shared(rpc);
	rpc_close(rpc);
	return ret ? ret : measure_stream(rpc);
}
