// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel top: the tenants of this host's agent as a table. Rates and latencies are of
 * the time between two documents of the agent, so that it shows what happens now.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vaccel.h>

#include "base/agent.h"
#include "base/describe.h"
#include "command.h"

#define NAME_LEAST   12
#define CELL_MAX     16
#define BUCKETS_MAX  64
#define HOME	     "\033[H"
#define CLEAR	     "\033[2J"
#define CLEAR_BELOW  "\033[J"
#define CLEAR_BEHIND "\033[K"
#define WRAP_OFF     "\033[?7l" /* what is too long is cut, so that a line is one */
#define WRAP_ON	     "\033[?7h"

/* A tenant in both documents; @before is NULL for one that is new. */
struct tenant {
	struct json_object *before;
	struct json_object *now;
	double seconds; /* between them */
	double rate;	/* calls a second */
};

struct column {
	const char *title;
	size_t width;
	void (*write)(const struct tenant *tenant, char cell[CELL_MAX]);
};

/* 3 digits and a unit: 8.62k */
static void write_short(double value, double step, const char *const *units, char cell[CELL_MAX])
{
	while (value >= 0.9995 * step && units[1]) {
		value /= step;
		units++;
	}
	snprintf(cell, CELL_MAX, "%.*f%s",
		 value >= 99.95 || !**units ? 0
		 : value >= 9.995	    ? 1
					    : 2,
		 value, *units);
}

static void write_count(double count, char cell[CELL_MAX])
{
	static const char *const units[] = {"", "k", "M", "G", "T", NULL};

	write_short(count, 1000, units, cell);
}

static void write_bytes(double bytes, char cell[CELL_MAX])
{
	static const char *const units[] = {"", "K", "M", "G", "T", NULL};

	write_short(bytes, 1024, units, cell);
}

static void write_time(double ns, char cell[CELL_MAX])
{
	static const char *const units[] = {"ns", "us", "ms", "s", NULL};

	write_short(ns, 1000, units, cell);
}

static void write_rate(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_count(tenant->rate, cell);
}

/* By how much a counter rose; a worker that was exchanged for another may begin anew. */
static double rise_of(double before, double now)
{
	return now >= before ? now - before : now;
}

static double bucket(struct json_object *tenant, size_t index)
{
	struct json_object *buckets = agent_list(tenant, "latency_us_log2");

	return (double)json_object_get_uint64(json_object_array_get_idx(buckets, index));
}

/* What @part of the calls between the documents did not take longer than, in ns; 0: no calls. */
static double quantile(const struct tenant *tenant, double part)
{
	size_t nr = agent_list_length(tenant->now, "latency_us_log2");
	double rises[BUCKETS_MAX], all = 0, below = 0;

	nr = nr < BUCKETS_MAX ? nr : BUCKETS_MAX;
	for (size_t i = 0; i < nr; i++) {
		rises[i] = rise_of(tenant->before ? bucket(tenant->before, i) : 0,
				   bucket(tenant->now, i));
		all += rises[i];
	}
	for (size_t i = 0; i < nr; i++) {
		/* Bucket i ends at 2^i us; within it calls are taken to lie evenly. */
		double least = i ? ldexp(1000, (int)i - 1) : 0;

		if (rises[i] > 0 && below + rises[i] >= part * all)
			return least +
			       (ldexp(1000, (int)i) - least) * (part * all - below) / rises[i];
		below += rises[i];
	}
	return 0;
}

static void write_quantile(const struct tenant *tenant, double part, char cell[CELL_MAX])
{
	double ns = quantile(tenant, part);

	if (ns > 0)
		write_time(ns, cell);
	else
		strcpy(cell, "-");
}

static void write_median(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_quantile(tenant, 0.5, cell);
}

static void write_p99(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_quantile(tenant, 0.99, cell);
}

static void write_sessions(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_count(agent_number(tenant->now, "sessions"), cell);
}

static void write_busy(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_count(agent_number(tenant->now, "busy"), cell);
}

static void write_queued(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_count(agent_number(tenant->now, "queued"), cell);
}

static void write_memory(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_bytes(agent_number(tenant->now, "resident_bytes"), cell);
}

static void write_errors(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_count(rise_of(tenant->before ? agent_number(tenant->before, "errors") : 0,
			    agent_number(tenant->now, "errors")),
		    cell);
}

static void write_restarts(const struct tenant *tenant, char cell[CELL_MAX])
{
	write_count(agent_number(tenant->now, "restarts"), cell);
}

/* Behind the tenant's name; the last ones are left out where there is no room. */
static const struct column columns[] = {
	{"CALLS/S", 8, write_rate},  {"P50", 7, write_median},	  {"P99", 7, write_p99},
	{"BUSY", 6, write_busy},     {"WAIT", 6, write_queued},	  {"MEMORY", 7, write_memory},
	{"ERRORS", 7, write_errors}, {"SESS", 6, write_sessions}, {"RESTARTS", 9, write_restarts},
};
#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct view {
	struct tenant *tenants;
	size_t nr;
	size_t nr_columns;
	size_t name_width;
	size_t lines; /* that may be printed; 0: any number */
	bool live;
};

static struct json_object *find(struct json_object *document, const char *name)
{
	size_t nr = document ? agent_list_length(document, "tenants") : 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *tenant =
			json_object_array_get_idx(agent_list(document, "tenants"), i);

		if (!strcmp(agent_text(tenant, "name"), name))
			return tenant;
	}
	return NULL;
}

/* The busiest first */
static int compare(const void *a, const void *b)
{
	const struct tenant *left = a, *right = b;

	if (left->rate != right->rate)
		return left->rate < right->rate ? 1 : -1;
	return strcmp(agent_text(left->now, "name"), agent_text(right->now, "name"));
}

static bool fill(struct view *view, struct json_object *before, struct json_object *now)
{
	double ns = agent_number(now, "time_ns") - agent_number(before, "time_ns");
	size_t nr = agent_list_length(now, "tenants");

	view->tenants = calloc(nr + 1, sizeof(*view->tenants));
	for (view->nr = 0; view->tenants && view->nr < nr; view->nr++) {
		struct tenant *tenant = &view->tenants[view->nr];

		tenant->now = json_object_array_get_idx(agent_list(now, "tenants"), view->nr);
		tenant->before = find(before, agent_text(tenant->now, "name"));
		tenant->seconds = ns > 0 ? ns / 1e9 : 1;
		tenant->rate = rise_of(tenant->before ? agent_number(tenant->before, "calls") : 0,
				       agent_number(tenant->now, "calls")) /
			       tenant->seconds;
	}
	if (view->tenants)
		qsort(view->tenants, nr, sizeof(*view->tenants), compare);
	return view->tenants;
}

static void measure(struct view *view)
{
	/* What clears the rest of a line takes what is in the last column along. */
	size_t room = terminal_columns() - view->live, used = NAME_LEAST;

	for (view->nr_columns = 0; view->nr_columns < NR_COLUMNS; view->nr_columns++) {
		if (used + columns[view->nr_columns].width > room)
			break;
		used += columns[view->nr_columns].width;
	}
	view->name_width = NAME_LEAST + room - used;
	view->lines = view->live ? terminal_lines() : 0;
}

static void end_line(const struct view *view)
{
	puts(view->live ? CLEAR_BEHIND : "");
}

static void put_name(const struct view *view, const char *name)
{
	char *cut = strdup(name);

	if (!cut)
		return;
	/* Only the loss of a character's first byte makes it narrower: no half ones are left. */
	while (terminal_width_of(cut) >= view->name_width)
		cut[strlen(cut) - 1] = '\0';
	terminal_put(STYLE_PLAIN, view->name_width, cut);
	free(cut);
}

static void put_titles(const struct view *view)
{
	char title[CELL_MAX];

	terminal_put(STYLE_HEADING, view->name_width, "TENANT");
	for (size_t i = 0; i < view->nr_columns; i++) {
		snprintf(title, sizeof(title), "%*s", (int)columns[i].width, columns[i].title);
		terminal_put(STYLE_HEADING, 0, title);
	}
	end_line(view);
}

static void put_tenant(const struct view *view, const struct tenant *tenant)
{
	char cell[CELL_MAX];

	put_name(view, agent_text(tenant->now, "name"));
	for (size_t i = 0; i < view->nr_columns; i++) {
		columns[i].write(tenant, cell);
		printf("%*s", (int)columns[i].width, cell);
	}
	end_line(view);
}

/* How the last worker that failed did, of tenants that had one. */
static void put_failures(const struct view *view, size_t lines)
{
	for (size_t i = 0; i < view->nr && lines; i++) {
		const char *failure = agent_text(view->tenants[i].now, "last_failure");

		if (!*failure)
			continue;
		terminal_put(STYLE_DOUBTFUL, 0, agent_text(view->tenants[i].now, "name"));
		printf(": ");
		terminal_put(STYLE_PLAIN, 0, failure);
		end_line(view);
		lines--;
	}
}

static void put_table(const struct view *view)
{
	/* Beside the tenants: summary, blank line, titles, what is left out, and where the cursor
	 * is.
	 */
	size_t room = view->lines > 5 ? view->lines - 5 : view->lines ? 1 : SIZE_MAX;
	size_t shown = view->nr < room ? view->nr : room;

	end_line(view);
	put_titles(view);
	for (size_t i = 0; i < shown; i++)
		put_tenant(view, &view->tenants[i]);
	if (shown < view->nr)
		printf("and %zu more%s\n", view->nr - shown, view->live ? CLEAR_BEHIND : "");
	else
		put_failures(view, room - shown);
}

static void show(struct json_object *before, struct json_object *now, bool live)
{
	struct view view = {.live = live};
	double rate = 0;
	char cell[CELL_MAX];

	if (!fill(&view, before, now)) {
		complain("no memory for %zu tenants", agent_list_length(now, "tenants"));
		return;
	}
	measure(&view);
	for (size_t i = 0; i < view.nr; i++)
		rate += view.tenants[i].rate;
	write_count(rate, cell);
	if (live)
		fputs(HOME WRAP_OFF, stdout);
	agent_put_summary(now);
	printf(", %s calls/s", cell);
	end_line(&view);
	if (view.nr)
		put_table(&view);
	else
		printf("No tenant has been here yet.%s\n", live ? CLEAR_BEHIND : "");
	if (live)
		fputs(CLEAR_BELOW WRAP_ON, stdout);
	fflush(stdout);
	free(view.tenants);
}

static int watch(const struct options *options, struct json_object *before)
{
	bool live = !options->once && isatty(STDOUT_FILENO);
	struct json_object *now = before;

	if (live)
		fputs(CLEAR, stdout);
	while (now) {
		nanosleep(&(struct timespec){.tv_sec = options->interval}, NULL);
		now = agent_ask(options->socket);
		if (now)
			show(before, now, live);
		json_object_put(before);
		before = now;
		if (!live)
			break;
	}
	json_object_put(now);
	return now ? STATUS_OK : STATUS_FAILED;
}

int top_main(const struct options *options)
{
	struct json_object *document = agent_ask(options->socket);

	if (!document)
		return STATUS_FAILED;
	if (!options->json)
		return watch(options, document);
	json_print(document);
	return STATUS_OK;
}
