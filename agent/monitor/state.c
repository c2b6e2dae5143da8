// SPDX-License-Identifier: Apache-2.0
/*
 * Tenants and listeners as the supervisor tells of them. A tenant that is gone
 * keeps its place and its counters, so that sums do not fall, until the place is
 * needed for another.
 */
#include "agent/monitor/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>
#include <vaccel/op.h>

#include "base/util.h"
#include "transport/transport.h"

#define SEEN_MAX	  (TENANTS_MAX + 1) /* nobody in particular is one more */
#define STUCK_NS	  (5 * SECOND)
#define STAT_BEFORE_START 20 /* fields of /proc/PID/stat between the name and the time */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* When a process was started; its name, in parentheses, may hold anything. */
static double start_of(pid_t pid)
{
	char path[64], text[1024];
	_cleanup_(fclosep) FILE *file = NULL;
	const char *at;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[size] = '\0';
	at = strrchr(text, ')');
	for (int i = 0; at && i < STAT_BEFORE_START; i++)
		at = strchr(at + 1, ' ');
	return at ? strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK) : now();
}

void state_init(struct state *state)
{
	*state = (struct state){.agent = getppid()};
	state->began = start_of(state->agent);
}

void state_release(struct state *state)
{
	for (size_t i = 0; i < state->nr_seen; i++)
		stats_unmap(state->seen[i].stats);
	free(state->seen);
	free(state->heard);
}

double state_uptime(const struct state *state)
{
	return now() - state->began;
}

enum readiness state_readiness(const struct state *state)
{
	if (state->unheard_since && time_now() - state->unheard_since > STUCK_NS)
		return STUCK;
	return state->told;
}

const char *readiness_name(enum readiness readiness)
{
	static const char *const names[] = {"starting", "serving", "draining", "stuck"};

	return names[readiness];
}

static struct seen *find(struct state *state, const char *name)
{
	for (size_t i = 0; i < state->nr_seen; i++)
		if (!strcmp(state->seen[i].name, name))
			return &state->seen[i];
	return NULL;
}

/* Nobody in particular has no policy, and stays. */
static bool is_gone(const struct seen *seen)
{
	return !seen->pid && *seen->policy;
}

/* A place for a tenant that has none: a new one, or that of one that is gone. */
static struct seen *make_place(struct state *state)
{
	struct seen *more;

	for (size_t i = 0; state->nr_seen >= SEEN_MAX && i < state->nr_seen; i++)
		if (is_gone(&state->seen[i])) {
			stats_unmap(state->seen[i].stats);
			return &state->seen[i];
		}
	if (state->nr_seen >= SEEN_MAX)
		return NULL;
	more = reallocarray(state->seen, state->nr_seen + 1, sizeof(*more));
	if (!more)
		return NULL;
	state->seen = more;
	return &state->seen[state->nr_seen++];
}

static int take_stats(struct state *state, const struct ipc_message *message, int fd)
{
	struct seen *seen = find(state, message->peer);
	struct stats *stats = NULL;
	int ret = stats_map(fd, false, &stats);

	if (ret)
		return ret;
	if (seen) {
		stats_unmap(seen->stats);
	} else {
		seen = make_place(state);
		if (!seen) {
			stats_unmap(stats);
			return vaccel_fail(VACCEL_EDQUOT, "there are more than %d tenants",
					   SEEN_MAX);
		}
		*seen = (struct seen){.pid = 0};
		strcpy(seen->name, message->peer);
	}
	strcpy(seen->policy, message->text);
	seen->pid = message->pid;
	seen->stats = stats;
	return VACCEL_OK;
}

static void take_end(struct state *state, const struct ipc_message *message)
{
	struct seen *seen = find(state, message->peer);

	if (!seen)
		return;
	seen->pid = 0;
	if (*message->text)
		strcpy(seen->fate, message->text);
}

static int take_listener(struct state *state, const struct ipc_message *message)
{
	struct heard *heard = state->heard;
	struct heard *end = heard + state->nr_heard;

	while (heard < end && heard->number != message->listener)
		heard++;
	if (!*message->text) {
		if (heard < end)
			*heard = state->heard[--state->nr_heard];
		return VACCEL_OK;
	}
	if (heard == end) {
		heard = reallocarray(state->heard, state->nr_heard + 1, sizeof(*heard));
		if (!heard)
			return vaccel_fail(VACCEL_ENOMEM, "no memory for a listener");
		state->heard = heard;
		heard += state->nr_heard++;
	}
	heard->number = message->listener;
	strcpy(heard->address, message->text);
	strcpy(heard->tenant, message->peer);
	return VACCEL_OK;
}

int state_take(struct state *state, const struct ipc_message *message, int fd)
{
	switch (message->kind) {
	case IPC_STATS:
		return take_stats(state, message, fd);
	case IPC_GONE:
		take_end(state, message);
		return VACCEL_OK;
	case IPC_LISTENER:
		return take_listener(state, message);
	case IPC_SERVING:
		state->told = SERVING;
		return VACCEL_OK;
	case IPC_DRAIN:
		state->told = DRAINING;
		return VACCEL_OK;
	default:
		return vaccel_fail(VACCEL_EINVAL, "message %" PRIu32 " is none for a monitor",
				   message->kind);
	}
}

uint64_t resident_bytes(pid_t pid)
{
	char path[64];
	_cleanup_(fclosep) FILE *file = NULL;
	uint64_t size, resident = 0;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = pid > 0 ? fopen(path, "re") : NULL;
	if (!file || fscanf(file, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t calls_of(const struct stats *stats, unsigned int op, uint64_t *ret_errors)
{
	uint64_t errors = 0;

	for (unsigned int code = 1; code < STATS_CODES; code++)
		errors += count_of(&stats->calls[op][code]);
	*ret_errors = errors;
	return errors + count_of(&stats->calls[op][0]);
}

const char *op_name(unsigned int op, char room[16])
{
	const struct vaccel_op *known = vaccel_op_by_number(op);

	if (known)
		return known->name;
	snprintf(room, 16, "%u", op);
	return room;
}
