// SPDX-License-Identifier: Apache-2.0
/*
 * The words for a worker's end. What the worker has written into shared memory is
 * taken as numbers only: it may have been anything's prey before it died.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <vaccel/error.h>
#include <vaccel/op.h>

#include "agent/supervisor/tenant/fate.h"
#include "base/util.h"
#include "transport/control.h"

#define NAMED_MAX 2 /* operations; of more only how many */

static const char *op_name(uint32_t number)
{
	const struct vaccel_op *op =
		number < CONTROL_FIRST ? vaccel_op_by_number(number) : control_by_number(number);

	return op ? op->name : "an operation";
}

/* " while it ran exec"; nothing if no call was running. */
static void print_calls(FILE *out, const struct stats *stats)
{
	unsigned int running = 0;

	for (size_t i = 0; i < STATS_RUNNING; i++) {
		if (!atomic_load(&stats->running[i].since))
			continue;
		if (running++ < NAMED_MAX)
			fprintf(out, "%s%s", running == 1 ? " while it ran " : ", ",
				op_name(atomic_load(&stats->running[i].op)));
	}
	if (running > NAMED_MAX)
		fprintf(out, " and %u more", running - NAMED_MAX);
}

/*
 * Whether it held most of the memory that it may have: then it is for lack of memory that it
 * failed, by whatever signal that shows. The rest may be what it never touched, such as most of
 * a stack.
 */
static bool was_full(const struct ending *ending)
{
	uint64_t most = (uint64_t)ending->usage->ru_maxrss * 1024;

	return ending->policy->memory && most >= ending->policy->memory / 4 * 3;
}

static int print_signal(FILE *out, const struct ending *ending)
{
	int signal = WTERMSIG(ending->status);
	int code = VACCEL_EBACKEND;

	if (signal == SIGSYS) {
		fprintf(out, "worker made a forbidden system call (SIGSYS)");
		code = VACCEL_EPERM;
	} else if (was_full(ending)) {
		fprintf(out, "worker ran out of memory, %" PRIu64 " MiB by policy '%s',",
			ending->policy->memory >> 20, ending->policy->name);
		code = VACCEL_ENOMEM;
	} else {
		fprintf(out, "worker was ended by signal %d (%s)", signal, strsignal(signal));
	}
	print_calls(out, ending->stats);
	return code;
}

static int print_ending(FILE *out, const struct ending *ending)
{
	if (ending->overran) {
		fprintf(out, "worker overran the deadline of policy '%s' in %s",
			ending->policy->name, op_name(ending->overran));
		return VACCEL_ETIMEDOUT;
	}
	if (ending->exceeded) {
		fprintf(out,
			"worker had more in its directory than the %" PRIu64
			" MiB of content that policy '%s' permits",
			ending->policy->content >> 20, ending->policy->name);
		print_calls(out, ending->stats);
		return VACCEL_EDQUOT;
	}
	if (ending->frozen) {
		fprintf(out, "worker gave no sign of life");
		print_calls(out, ending->stats);
		return VACCEL_EBACKEND;
	}
	if (ending->failed[0]) {
		fprintf(out, "worker cannot start: %s", ending->failed);
		return VACCEL_EBACKEND;
	}
	if (WIFSIGNALED(ending->status))
		return print_signal(out, ending);
	fprintf(out, "worker exited with status %d", WEXITSTATUS(ending->status));
	print_calls(out, ending->stats);
	return VACCEL_EBACKEND;
}

struct fate fate_of(const struct ending *ending)
{
	struct fate fate = {.epoch = ending->epoch, .status = VACCEL_EBACKEND};
	/* What does not fit is cut, and the last byte stays 0. */
	FILE *out = fmemopen(fate.text, sizeof(fate.text) - 1, "w");

	if (!out) {
		strcpy(fate.text, "worker ended");
		return fate;
	}
	fate.status = print_ending(out, ending);
	fclose(out);
	return fate;
}
