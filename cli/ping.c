// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel ping: whether an agent is there. This host's tells of itself on its admin
 * socket; one by its address is asked for operations that do nothing, as any program would ask it,
 * and it is told how long they took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>
#include <vaccel/plugin.h>

#include "base/agent.h"
#include "base/describe.h"
#include "base/library.h"
#include "base/progress.h"
#include "command.h"

#define ADDRESS_MAX 512
#define PATIENCE_MS "10000" /* with one call, unless the user has said */

static const struct vaccel_knob rpc_address = {
	"VACCEL_RPC_ADDRESS", NULL, "where agents are", VACCEL_KNOB_TEXT, 0, 0,
};

struct trips {
	double connect; /* seconds, until the first answer */
	double *seconds;
	size_t nr;
};

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static int bootstrap(const char *address)
{
	struct vaccel_config config;
	int ret;

	setenv("VACCEL_RPC_ADDRESS", address, 1);
	setenv("VACCEL_TIMEOUT_MS", PATIENCE_MS, 0);
	ret = vaccel_config_init(&config, "remote", VACCEL_LOG_ERROR, NULL, false, false);
	if (ret)
		return ret;
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret;
}

static int make_trips(struct vaccel_session *sess, struct trips *trips, size_t count)
{
	int ret = VACCEL_OK;

	for (; !ret && trips->nr < count; trips->nr += !ret) {
		double began = seconds_now();

		ret = vaccel_noop(sess);
		trips->seconds[trips->nr] = seconds_now() - began;
	}
	return ret;
}

static int measure(const char *address, struct trips *trips, size_t count)
{
	double began = seconds_now();
	struct vaccel_session sess;
	int ret = bootstrap(address);

	if (!ret)
		ret = vaccel_session_init(&sess, 0);
	if (ret)
		return ret;
	ret = vaccel_noop(&sess);
	trips->connect = seconds_now() - began;
	if (!ret)
		ret = make_trips(&sess, trips, count);
	if (trips->nr)
		qsort(trips->seconds, trips->nr, sizeof(double), compare);
	vaccel_session_release(&sess);
	return ret;
}

static double part(const struct trips *trips, double part_of_all)
{
	return trips->seconds[(size_t)((double)(trips->nr - 1) * part_of_all)] * 1e6;
}

static void print_trips(const char *address, const struct trips *trips, struct json_object *list)
{
	struct json_object *object;

	if (!list) {
		printf("%s answers, first after %.1f ms\n", address, trips->connect * 1e3);
		printf("%zu round trips: least %.1f us, median %.1f us, p99 %.1f us\n", trips->nr,
		       part(trips, 0), part(trips, 0.5), part(trips, 0.99));
		return;
	}
	object = json_object_new_object();
	json_put(object, "address", json_text(address));
	json_put(object, "first_ms", json_number(trips->connect * 1e3));
	json_put(object, "count", json_object_new_int64((int64_t)trips->nr));
	json_put(object, "least_us", json_number(part(trips, 0)));
	json_put(object, "median_us", json_number(part(trips, 0.5)));
	json_put(object, "p99_us", json_number(part(trips, 0.99)));
	json_append(list, object);
}

static int ping_one(const char *address, const struct options *options, struct json_object *list)
{
	struct trips trips = {.seconds = calloc((size_t)options->count, sizeof(double))};
	int ret;

	if (!trips.seconds) {
		complain("no memory for %ld measurements", options->count);
		return STATUS_FAILED;
	}
	ret = measure(address, &trips, (size_t)options->count);
	if (ret)
		complain("%s", vaccel_error_text());
	else
		print_trips(address, &trips, list);
	free(trips.seconds);
	return ret ? STATUS_FAILED : STATUS_OK;
}

/* Of one address there is an object, of several a list of those that answer. */
static void print_list(struct json_object *list, bool is_one)
{
	if (!is_one)
		json_print(json_object_get(list));
	else if (json_object_array_length(list))
		json_print(json_object_get(json_object_array_get_idx(list, 0)));
	json_object_put(list);
}

/* What a program gets that has all of them: whichever answers. */
static int reach_any(const char *addresses)
{
	struct trips none = {0};

	return measure(addresses, &none, 0);
}

/*
 * Each of the addresses, with ',' between them: which of them answers is the question. It is a
 * failure if a program that has them all gets no answer.
 */
static int ping(const char *addresses, const struct options *options)
{
	struct json_object *list = options->json ? json_object_new_array() : NULL;
	bool is_one = !strchr(addresses, ',');
	char *copy = strdup(addresses), *rest = copy, *item;
	int ret = STATUS_OK;

	if (!is_one && reach_any(addresses)) {
		complain("%s", vaccel_error_text());
		ret = STATUS_FAILED;
	}
	while (!ret && (item = strsep(&rest, ",")))
		if (*item && ping_one(item, options, list) && is_one)
			ret = STATUS_FAILED;
	if (list)
		print_list(list, is_one);
	free(copy);
	return ret;
}

/* Who was turned away before it was known who that was is listed among them, in brackets. */
static size_t count_tenants(struct json_object *document)
{
	struct json_object *tenants = agent_list(document, "tenants");
	size_t count = 0;

	for (size_t i = 0; i < agent_list_length(document, "tenants"); i++)
		count += *agent_text(json_object_array_get_idx(tenants, i), "name") != '(';
	return count;
}

static void print_agent(struct json_object *document)
{
	struct json_object *listeners = agent_list(document, "listeners");
	size_t tenants = count_tenants(document);

	agent_put_summary(document);
	printf(", %zu tenant%s\n", tenants, tenants == 1 ? "" : "s");
	for (size_t i = 0; i < agent_list_length(document, "listeners"); i++)
		put_fact(NULL, "listens at",
			 agent_text(json_object_array_get_idx(listeners, i), "address"));
}

/* Its state, and no tenants: those are top's. */
static void print_agent_json(struct json_object *document)
{
	struct json_object *object = json_object_new_object();

	json_put(object, "version", json_text(agent_text(document, "version")));
	json_put(object, "pid", json_object_new_int64((int64_t)agent_number(document, "pid")));
	json_put(object, "uptime_seconds", json_number(agent_number(document, "uptime_seconds")));
	json_put(object, "state", json_text(agent_text(document, "state")));
	json_put(object, "listeners", json_object_get(agent_list(document, "listeners")));
	json_put(object, "tenants", json_object_new_int64((int64_t)count_tenants(document)));
	json_print(object);
}

/* A socket file's agent is of this host, and tells more on its admin socket. */
static void take_device(void *context, const struct vaccel_agent_place *place)
{
	char *address = context;

	if (!place->code && !*address && strncmp(place->address, "unix:", strlen("unix:")) != 0)
		snprintf(address, ADDRESS_MAX, "%s", place->address);
}

/* By what a virtual machine reaches the agent of its host; NULL: nothing, or this is none. */
static const char *find_device(char address[ADDRESS_MAX])
{
	*address = '\0';
	/* Which plugins are named decides what is looked at. */
	if (!library_failure())
		vaccel_agent_look(take_device, address);
	return *address ? address : NULL;
}

int ping_main(const struct options *options)
{
	const char *address =
		options->nr_operands ? options->operands[0] : vaccel_knob_text(&rpc_address);
	struct json_object *document;
	char found[ADDRESS_MAX];

	if ((!address || !*address) && !options->socket)
		address = find_device(found);
	if (address && *address && !options->socket)
		return ping(address, options);
	document = agent_ask(options->socket);
	if (!document)
		return STATUS_FAILED;
	if (options->json)
		print_agent_json(document);
	else
		print_agent(document);
	json_object_put(document);
	return STATUS_OK;
}
