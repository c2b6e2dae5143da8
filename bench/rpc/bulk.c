// SPDX-License-Identifier: Apache-2.0
/*
 * Large arguments: 64 MiB that noop's exec is given, or echoes. Before a row is
 * timed and after, the same call is made with an echo, and with other bytes each time, so that
 * what the agent was given is seen also of calls that give nothing back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rpc/rpc.h"

static int send_bulk(void *context, size_t times)
{
	struct rpc *rpc = context;
	struct vaccel_arg read = {.buf = rpc->bulk, .size = BULK, .type = VACCEL_ARG_RAW};
	struct vaccel_arg write = {.buf = rpc->echo, .size = BULK, .type = VACCEL_ARG_RAW};
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < times; i++)
		ret = vaccel_exec(&rpc->sess, "/bench", "echo", &read, 1, &write,
				  rpc->echo ? 1 : 0);
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

static int check_bulk(struct rpc *rpc)
{
	static unsigned char seed;
	int ret;

	seed++;
	for (size_t i = 0; i < BULK; i++)
		rpc->bulk[i] = (unsigned char)(i * 7 + (i >> 12) + seed);
	memset(rpc->copies, 0, BULK);
	rpc->echo = rpc->copies;
	ret = send_bulk(rpc, 1);
	rpc->echo = NULL;
	if (!ret && memcmp(rpc->bulk, rpc->copies, BULK) != 0)
		ret = vaccel_fail(VACCEL_EREMOTEIO,
				  "the agent echoes other bytes than it was sent");
	return ret;
}

typedef int measure_row(struct rpc *rpc, const struct bench_row *row);

static int measure_here(struct rpc *rpc, const struct bench_row *row)
{
	const struct bench_row rows[] = {*row, {.name = NULL}};

	return rpc_measure(rpc, rows);
}

/* Twice before, so that it is seen in memory that was used before. */
static int measure_checked(struct rpc *rpc, measure_row *measure, const struct bench_row *row,
			   unsigned char *echo)
{
	int ret = check_bulk(rpc);

	if (!ret)
		ret = check_bulk(rpc);
	rpc->echo = echo;
	if (!ret)
		ret = measure(rpc, row);
	rpc->echo = NULL;
	return ret ? ret : check_bulk(rpc);
}

#define BULK_ROW(name_, floor_, goal_)                                                           \
	(const struct bench_row)                                                                 \
	{                                                                                        \
		.name = name_, .unit = "GB/s", .threads = 1, .batch = 1, .seconds = 5,           \
		.run = send_bulk, .floor = floor_, .context = rpc, .amount = BULK, .goal = goal_ \
	}

static int measure_plain(struct rpc *rpc)
{
	const struct bench_row in = BULK_ROW("64 MiB in, unix", copy_bulk, 1);
	const struct bench_row echoed = BULK_ROW("64 MiB echoed, unix", copy_three_times, 0.8);
	int ret;

	rpc->bulk = malloc(BULK);
	if (!rpc->bulk)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	ret = measure_checked(rpc, measure_here, &in, NULL);
	if (!ret)
		ret = measure_checked(rpc, measure_here, &echoed, rpc->copies);
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
	ret = measure_checked(rpc, rpc_measure_apart, &row, NULL);
	vaccel_free(rpc->bulk);
	rpc->bulk = NULL;
	return ret;
}

static int measure_stream(struct rpc *rpc)
{
	const struct bench_row row = BULK_ROW("64 MiB in, tcp", stream_bulk, 0.9);
	int ret = rpc_open(rpc, ROUTE_TCP, "remote");

	rpc_pin(rpc, 1);
	rpc->bulk = malloc(BULK);
	if (!ret && !rpc->bulk)
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory to measure with");
	if (!ret)
		ret = measure_checked(rpc, measure_here, &row, NULL);
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
