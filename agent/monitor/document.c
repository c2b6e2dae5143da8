// SPDX-License-Identifier: Apache-2.0
/*
 * What `vaccel top` and others read, as JSON. Counters are given with the time of a
 * steady clock, so that a rate is the difference of two documents. The worker's
 * numbers may be anything; a document of them is well-formed all the same.
 */
#include <json-c/json.h>
#include <string.h>

#include <vaccel/version.h>

#include "agent/monitor/admin.h"
#include "base/util.h"

#define TOP_OPS 8

struct busiest {
	unsigned int op;
	uint64_t calls, errors;
};

static void put(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void put_number(struct json_object *object, const char *key, uint64_t value)
{
	put(object, key, json_object_new_uint64(value));
}

static void put_text(struct json_object *object, const char *key, const char *text)
{
	put(object, key, *text ? json_object_new_string(text) : NULL);
}

static void put_latency(struct json_object *object, const struct histogram *histogram)
{
	put(object, "p50_ns", json_object_new_int64(histogram_quantile(histogram, 500)));
	put(object, "p99_ns", json_object_new_int64(histogram_quantile(histogram, 990)));
}

static int by_calls(const void *a, const void *b)
{
	const struct busiest *left = a, *right = b;

	return left->calls < right->calls ? 1 : left->calls > right->calls ? -1 : 0;
}

static struct json_object *busiest_ops(const struct busiest *busiest, const struct stats *stats)
{
	struct json_object *list = json_object_new_array();
	char room[16];

	for (unsigned int i = 0; i < TOP_OPS && busiest[i].calls; i++) {
		struct json_object *op = json_object_new_object();
		struct histogram histogram;

		put(op, "name", json_object_new_string(op_name(busiest[i].op, room)));
		put_number(op, "calls", busiest[i].calls);
		put_number(op, "errors", busiest[i].errors);
		histogram_read(&stats->compute[busiest[i].op], &histogram);
		put_latency(op, &histogram);
		json_object_array_add(list, op);
	}
	return list;
}

/* Calls of all operations, and how long backends took. */
static void put_calls(struct json_object *tenant, const struct stats *stats)
{
	struct json_object *buckets = json_object_new_array();
	struct busiest busiest[STATS_OPS] = {0};
	struct histogram all = {0};
	uint64_t calls = 0, errors = 0;

	for (unsigned int op = 0; op < STATS_OPS; op++) {
		busiest[op].op = op;
		busiest[op].calls = calls_of(stats, op, &busiest[op].errors);
		calls += busiest[op].calls;
		errors += busiest[op].errors;
		histogram_join(&all, &stats->compute[op]);
	}
	qsort(busiest, STATS_OPS, sizeof(busiest[0]), by_calls);
	put_number(tenant, "calls", calls);
	put_number(tenant, "errors", errors);
	put_latency(tenant, &all);
	for (unsigned int i = 0; i < STATS_BUCKETS; i++)
		json_object_array_add(buckets, json_object_new_uint64(all.bucket[i]));
	put(tenant, "latency_us_log2", buckets);
	put(tenant, "ops", busiest_ops(busiest, stats));
}

static struct json_object *refusals(const struct stats *stats)
{
	struct json_object *object = json_object_new_object();

	for (unsigned int i = 0; i < REFUSED_COUNT; i++)
		put_number(object, refusal_name((enum refusal)i), count_of(&stats->refused[i]));
	return object;
}

static struct json_object *describe(const struct seen *seen)
{
	struct json_object *tenant = json_object_new_object();
	const struct stats *stats = seen->stats;

	put_text(tenant, "name", seen->name);
	put_text(tenant, "policy", seen->policy);
	put(tenant, "worker", seen->pid ? json_object_new_int(seen->pid) : NULL);
	put_number(tenant, "resident_bytes", resident_bytes(seen->pid));
	put_number(tenant, "restarts", count_of(&stats->restarts));
	put_text(tenant, "last_failure", seen->fate);
	put_number(tenant, "connections", count_of(&stats->connections));
	put_number(tenant, "sessions", count_of(&stats->sessions));
	put_number(tenant, "resources", count_of(&stats->resources));
	put_number(tenant, "models", count_of(&stats->models));
	put_number(tenant, "region_bytes", count_of(&stats->region_bytes));
	put_number(tenant, "busy", count_of(&stats->busy));
	put_number(tenant, "queued", count_of(&stats->queued));
	put_number(tenant, "bytes_in", count_of(&stats->bytes_in));
	put_number(tenant, "bytes_out", count_of(&stats->bytes_out));
	put_calls(tenant, stats);
	put(tenant, "refused", refusals(stats));
	return tenant;
}

static struct json_object *listeners(const struct state *state)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < state->nr_heard; i++) {
		struct json_object *listener = json_object_new_object();

		put_text(listener, "address", state->heard[i].address);
		put_text(listener, "tenant", state->heard[i].tenant);
		json_object_array_add(list, listener);
	}
	return list;
}

char *admin_text(const struct state *state)
{
	struct json_object *document = json_object_new_object();
	struct json_object *tenants = json_object_new_array();
	char *text;

	put_text(document, "version", VACCEL_VERSION);
	put(document, "pid", json_object_new_int(state->agent));
	put(document, "uptime_seconds", json_object_new_double(state_uptime(state)));
	put(document, "time_ns", json_object_new_int64(time_now()));
	put_text(document, "state", readiness_name(state_readiness(state)));
	put(document, "listeners", listeners(state));
	for (size_t i = 0; i < state->nr_seen; i++)
		json_object_array_add(tenants, describe(&state->seen[i]));
	put(document, "tenants", tenants);
	text = strdup(json_object_to_json_string_ext(
		document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
	return text;
}
