// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps a processor busy for a given time, for measuring what goes on around
 * an operation. As in vAccel 0.8 it is an exec whose library or function is
 * named "mbench"; the first argument read is the time in milliseconds, as text.
 * Any other arguments are there for their size on the way only.
 */
#include <string.h>
#include <time.h>

#include <vaccel/ops/exec.h>
#include <vaccel/plugin.h>

#define MOST_MS	  300000
#define MS_DIGITS 6

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The text need not end in NUL. 0 if it is no number from 1 to MOST_MS. */
static int milliseconds(const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	int ms = 0;

	if (length > MS_DIGITS)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		ms = ms * 10 + (text[i] - '0');
	}
	return ms <= MOST_MS ? ms : 0;
}

static int mbench_exec(struct vaccel_call *call, struct vaccel_exec_args *args)
{
	int64_t end;
	int ms = 0;

	if (strcmp(args->library, "mbench") != 0 && strcmp(args->symbol, "mbench") != 0)
		return vaccel_fail(VACCEL_EINVAL,
				   "mbench: neither the library '%s' nor the function '%s' is "
				   "'mbench', and there is nothing else here",
				   args->library, args->symbol);
	if (args->read.count && args->read.data[0].size)
		ms = milliseconds(args->read.data[0].buf, args->read.data[0].size);
	if (!ms)
		return vaccel_fail(VACCEL_EINVAL,
				   "mbench: give the time as first argument, text, from 1 to %d ms",
				   MOST_MS);
	end = now_ns() + (int64_t)ms * 1000000;
	while (now_ns() < end)
		;
	return VACCEL_OK;
}

static const struct vaccel_plugin_info info = {
	.name = "mbench",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_DEBUG,
	.sentence = "keeps a processor busy for a given time",
};

static const struct vaccel_plugin_op ops[] = {VACCEL_PLUGIN_OP(EXEC, exec, mbench_exec)};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]));
