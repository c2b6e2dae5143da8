// SPDX-License-Identifier: Apache-2.0
/*
 * One table of what each tenant's numbers are called; a family of metrics is
 * written whole, over all tenants, as the format asks for.
 */
#include "agent/monitor/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/version.h>

#include "base/util.h"
#include "codec/frame.h"

#define NS 1e9

struct family {
	const char *name;
	const char *type;
	const char *help;
	void (*write)(FILE *out, const struct family *family, const struct seen *seen);
	size_t offset; /* of the counter, for write_one() */
};

/* A label's value in its quotes. */
static void put_value(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			putc(*text, out);
	}
	putc('"', out);
}

/* "NAME{tenant="…"", to be followed by more labels and "}". */
static void begin(FILE *out, const char *name, const char *suffix, const struct seen *seen)
{
	fprintf(out, "%s%s{tenant=", name, suffix);
	put_value(out, seen->name);
}

static void put_label(FILE *out, const char *label, const char *value)
{
	fprintf(out, ",%s=", label);
	put_value(out, value);
}

static void write_one(FILE *out, const struct family *family, const struct seen *seen)
{
	const char *counters = (const char *)seen->stats;

	begin(out, family->name, "", seen);
	fprintf(out, "} %" PRIu64 "\n",
		count_of((const _Atomic uint64_t *)(counters + family->offset)));
}

static void write_calls(FILE *out, const struct family *family, const struct seen *seen)
{
	char room[16];

	for (unsigned int op = 0; op < STATS_OPS; op++)
		for (unsigned int code = 0; code < STATS_CODES; code++) {
			uint64_t calls = count_of(&seen->stats->calls[op][code]);

			if (!calls)
				continue;
			begin(out, family->name, "", seen);
			put_label(out, "op", op_name(op, room));
			put_label(out, "code",
				  vaccel_error_name(status_from_wire(code)) + strlen("VACCEL_"));
			fprintf(out, "} %" PRIu64 "\n", calls);
		}
}

/* @op: NULL for none. */
static void write_histogram(FILE *out, const struct family *family, const struct seen *seen,
			    const char *op, const struct histogram *histogram)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < STATS_BUCKETS; i++) {
		sum += histogram->bucket[i];
		begin(out, family->name, "_bucket", seen);
		if (op)
			put_label(out, "op", op);
		if (i + 1 < STATS_BUCKETS)
			fprintf(out, ",le=\"%.9g\"", (double)histogram_bound(i) / NS);
		else
			fputs(",le=\"+Inf\"", out);
		fprintf(out, "} %" PRIu64 "\n", sum);
	}
	begin(out, family->name, "_sum", seen);
	if (op)
		put_label(out, "op", op);
	fprintf(out, "} %.9g\n", (double)histogram->sum_ns / NS);
	begin(out, family->name, "_count", seen);
	if (op)
		put_label(out, "op", op);
	fprintf(out, "} %" PRIu64 "\n", sum);
}

static void write_queue(FILE *out, const struct family *family, const struct seen *seen)
{
	struct histogram copy;

	histogram_read(&seen->stats->queue, &copy);
	write_histogram(out, family, seen, NULL, &copy);
}

static void write_compute(FILE *out, const struct family *family, const struct seen *seen)
{
	struct histogram copy;
	char room[16];

	for (unsigned int op = 0; op < STATS_OPS; op++) {
		histogram_read(&seen->stats->compute[op], &copy);
		if (histogram_count(&copy))
			write_histogram(out, family, seen, op_name(op, room), &copy);
	}
}

static void write_bytes(FILE *out, const struct family *family, const struct seen *seen)
{
	begin(out, family->name, "", seen);
	fprintf(out, ",direction=\"in\"} %" PRIu64 "\n", count_of(&seen->stats->bytes_in));
	begin(out, family->name, "", seen);
	fprintf(out, ",direction=\"out\"} %" PRIu64 "\n", count_of(&seen->stats->bytes_out));
}

static void write_refused(FILE *out, const struct family *family, const struct seen *seen)
{
	for (unsigned int i = 0; i < REFUSED_COUNT; i++) {
		begin(out, family->name, "", seen);
		put_label(out, "reason", refusal_name((enum refusal)i));
		fprintf(out, "} %" PRIu64 "\n", count_of(&seen->stats->refused[i]));
	}
}

static void write_resident(FILE *out, const struct family *family, const struct seen *seen)
{
	begin(out, family->name, "", seen);
	fprintf(out, "} %" PRIu64 "\n", resident_bytes(seen->pid));
}

static void write_running(FILE *out, const struct family *family, const struct seen *seen)
{
	begin(out, family->name, "", seen);
	put_label(out, "policy", seen->policy);
	fprintf(out, "} %d\n", seen->pid != 0);
}

#define ONE(member) write_one, offsetof(struct stats, member)

/* clang-format off */
static const struct family families[] = {
	{"vaccel_calls_total", "counter", "Calls that were answered.", write_calls},
	{"vaccel_call_queue_seconds", "histogram", "How long calls waited for their turn.",
	 write_queue},
	{"vaccel_call_compute_seconds", "histogram", "How long backends took.", write_compute},
	{"vaccel_payload_bytes_total", "counter", "Bytes of arguments and results.", write_bytes},
	{"vaccel_connections", "gauge", "Connections of clients.", ONE(connections)},
	{"vaccel_sessions", "gauge", "Sessions of clients.", ONE(sessions)},
	{"vaccel_resources", "gauge", "Resources of clients.", ONE(resources)},
	{"vaccel_models_resident", "gauge", "Models that are loaded.", ONE(models)},
	{"vaccel_region_bytes", "gauge", "Memory that clients share.", ONE(region_bytes)},
	{"vaccel_calls_running", "gauge", "Calls that a backend works on.", ONE(busy)},
	{"vaccel_calls_waiting", "gauge", "Calls that wait for their turn.", ONE(queued)},
	{"vaccel_refused_total", "counter", "What was asked for and refused.", write_refused},
	{"vaccel_worker_restarts_total", "counter", "Workers that failed, each to be replaced.",
	 ONE(restarts)},
	{"vaccel_worker_running", "gauge", "Whether the tenant has a worker.", write_running},
	{"vaccel_worker_resident_bytes", "gauge", "Memory of the tenant's worker.", write_resident},
};
/* clang-format on */

char *metrics_text(const struct state *state, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	if (!out)
		return NULL;
	fprintf(out,
		"# HELP vaccel_agent_info The agent's version.\n"
		"# TYPE vaccel_agent_info gauge\n"
		"vaccel_agent_info{version=\"%s\"} 1\n"
		"# HELP vaccel_agent_uptime_seconds How long the agent has run.\n"
		"# TYPE vaccel_agent_uptime_seconds gauge\n"
		"vaccel_agent_uptime_seconds %.3f\n",
		VACCEL_VERSION, state_uptime(state));
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *family = &families[i];

		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
			family->name, family->type);
		for (size_t j = 0; j < state->nr_seen; j++)
			family->write(out, family, &state->seen[j]);
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}
