// SPDX-License-Identifier: Apache-2.0
/* What the monitor keeps, and how Prometheus is told. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/version.h>

#include "agent/monitor/metrics.h"
#include "made_state.h"

/* Whether a line of the text stands there, whole. */
static bool has(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

static void assert_has(const char *text, const char *line)
{
	if (!has(text, line))
		fail_msg("there is no line '%s' in\n%s", line, text);
}

/* A name, labels in quotes, and a number; comments are of two kinds. */
static bool is_sample(const char *line)
{
	const char *at = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	char *end;

	if (at == line)
		return false;
	if (*at == '{') {
		do {
			at += 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
			if (*at++ != '=' || *at++ != '"')
				return false;
			for (; *at && *at != '"' && *at != '\n'; at++)
				at += *at == '\\';
			if (*at++ != '"')
				return false;
		} while (*at == ',');
		if (*at++ != '}')
			return false;
	}
	if (*at++ != ' ')
		return false;
	strtod(at, &end);
	return end > at && *end == '\n';
}

static void check_form(const char *text)
{
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, "# HELP ", 7) && strncmp(line, "# TYPE ", 7) && !is_sample(line))
			fail_msg("'%.*s'", (int)strcspn(line, "\n"), line);
}

static char *text_of(const struct state *state)
{
	size_t size;
	char *text = metrics_text(state, &size);

	assert_int_equal(strlen(text), size);
	check_form(text);
	return text;
}

static void test_nothing_yet(void **state)
{
	struct state empty;
	char *text;

	state_init(&empty);
	text = text_of(&empty);
	assert_has(text, "vaccel_agent_info{version=\"" VACCEL_VERSION "\"} 1");
	assert_has(text, "# TYPE vaccel_call_queue_seconds histogram");
	free(text);
	state_release(&empty);
}

static void test_numbers(void **unused)
{
	struct state state;
	struct stats *stats;
	char *text;

	state_init(&state);
	stats = tell_tenant(&state, "uid-1000", "default", getpid());
	stats->calls[0][0] = 5;
	stats->calls[0][1] = 2;
	stats->calls[127][31] = 1;
	stats->bytes_in = 1000;
	stats->bytes_out = 2000;
	stats->sessions = 3;
	stats->models = 1;
	stats->region_bytes = (uint64_t)1 << 40;
	stats->refused[REFUSED_FOREIGN] = 7;
	stats->restarts = 4;
	histogram_add(&stats->queue, 1500);
	histogram_add(&stats->compute[0], 3000000000);
	text = text_of(&state);
	assert_has(text, "vaccel_calls_total{tenant=\"uid-1000\",op=\"noop\",code=\"OK\"} 5");
	assert_has(text, "vaccel_calls_total{tenant=\"uid-1000\",op=\"noop\",code=\"EINVAL\"} 2");
	assert_has(text, "vaccel_calls_total{tenant=\"uid-1000\",op=\"127\",code=\"ECANCELED\"} 1");
	assert_has(text, "vaccel_call_queue_seconds_bucket{tenant=\"uid-1000\",le=\"1e-06\"} 0");
	assert_has(text, "vaccel_call_queue_seconds_bucket{tenant=\"uid-1000\",le=\"2e-06\"} 1");
	assert_has(text, "vaccel_call_queue_seconds_bucket{tenant=\"uid-1000\",le=\"+Inf\"} 1");
	assert_has(text, "vaccel_call_queue_seconds_sum{tenant=\"uid-1000\"} 1.5e-06");
	assert_has(text, "vaccel_call_compute_seconds_bucket{tenant=\"uid-1000\",op=\"noop\","
			 "le=\"2.097152\"} 0");
	assert_has(text, "vaccel_call_compute_seconds_count{tenant=\"uid-1000\",op=\"noop\"} 1");
	assert_has(text, "vaccel_call_compute_seconds_sum{tenant=\"uid-1000\",op=\"noop\"} 3");
	assert_has(text, "vaccel_payload_bytes_total{tenant=\"uid-1000\",direction=\"in\"} 1000");
	assert_has(text, "vaccel_payload_bytes_total{tenant=\"uid-1000\",direction=\"out\"} 2000");
	assert_has(text, "vaccel_sessions{tenant=\"uid-1000\"} 3");
	assert_has(text, "vaccel_models_resident{tenant=\"uid-1000\"} 1");
	assert_has(text, "vaccel_region_bytes{tenant=\"uid-1000\"} 1099511627776");
	assert_has(text, "vaccel_refused_total{tenant=\"uid-1000\",reason=\"foreign\"} 7");
	assert_has(text, "vaccel_refused_total{tenant=\"uid-1000\",reason=\"busy\"} 0");
	assert_has(text, "vaccel_worker_restarts_total{tenant=\"uid-1000\"} 4");
	assert_has(text, "vaccel_worker_running{tenant=\"uid-1000\",policy=\"default\"} 1");
	assert_false(has(text, "vaccel_worker_resident_bytes{tenant=\"uid-1000\"} 0"));
	free(text);
	stats_unmap(stats);
	state_release(&state);
}

static void test_labels_are_escaped(void **unused)
{
	struct state state;
	char *text;

	state_init(&state);
	stats_unmap(tell_tenant(&state, "a\"} 1\nb\\", "p", 1));
	text = text_of(&state);
	assert_has(text, "vaccel_sessions{tenant=\"a\\\"} 1\\nb\\\\\"} 0");
	free(text);
	state_release(&state);
}

/* A worker that was taken over writes what it likes. */
static void test_hostile_numbers(void **unused)
{
	struct state state;
	struct stats *stats;

	state_init(&state);
	stats = tell_tenant(&state, "evil", "p", 1);
	memset(stats, 0xff, sizeof(*stats));
	free(text_of(&state));
	stats_unmap(stats);
	state_release(&state);
}

static void test_a_tenant_comes_and_goes(void **unused)
{
	struct state state;
	struct stats *first, *second;
	struct ipc_message gone = message_of(IPC_GONE, "t", "worker was ended by signal 6");
	struct ipc_message idle = message_of(IPC_GONE, "t", "");
	struct ipc_message other = message_of(IPC_GONE, "nobody", "");
	char *text;

	state_init(&state);
	first = tell_tenant(&state, "t", "p", 10);
	first->sessions = 2;
	assert_int_equal(state_take(&state, &gone, -1), VACCEL_OK);
	assert_int_equal(state_take(&state, &other, -1), VACCEL_OK);
	text = text_of(&state);
	assert_has(text, "vaccel_worker_running{tenant=\"t\",policy=\"p\"} 0");
	assert_has(text, "vaccel_worker_resident_bytes{tenant=\"t\"} 0");
	assert_has(text, "vaccel_sessions{tenant=\"t\"} 2");
	free(text);
	second = tell_tenant(&state, "t", "q", 11);
	second->sessions = 1;
	assert_int_equal(state.nr_seen, 1);
	assert_int_equal(state.seen[0].pid, 11);
	assert_string_equal(state.seen[0].policy, "q");
	assert_int_equal(state_take(&state, &idle, -1), VACCEL_OK);
	assert_string_equal(state.seen[0].fate, "worker was ended by signal 6");
	text = text_of(&state);
	assert_has(text, "vaccel_sessions{tenant=\"t\"} 1");
	free(text);
	stats_unmap(first);
	stats_unmap(second);
	state_release(&state);
}

static void test_tenants_are_bounded(void **unused)
{
	struct state state;
	struct ipc_message one_more = message_of(IPC_STATS, "one more", "p");
	struct ipc_message gone = message_of(IPC_GONE, "t7", "");
	int fd;

	state_init(&state);
	stats_unmap(tell_tenant(&state, "(nobody)", "", 0));
	for (int i = 0; i < TENANTS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		stats_unmap(tell_tenant(&state, name, "p", 1));
	}
	assert_int_equal(stats_make(&fd), VACCEL_OK);
	one_more.pid = 2;
	assert_int_equal(state_take(&state, &one_more, fd), VACCEL_EDQUOT);
	assert_int_equal(state_take(&state, &gone, -1), VACCEL_OK);
	assert_int_equal(state_take(&state, &one_more, fd), VACCEL_OK);
	assert_int_equal(state.nr_seen, TENANTS_MAX + 1);
	assert_string_equal(state.seen[0].name, "(nobody)");
	assert_string_equal(state.seen[8].name, "one more");
	close(fd);
	state_release(&state);
}

#define MANY 2000 /* one for each of many machines */

static void test_listeners(void **unused)
{
	struct state state;
	struct ipc_message message = message_of(IPC_LISTENER, "vm-1", "tcp://127.0.0.1:1");

	state_init(&state);
	for (message.listener = 0; message.listener < MANY; message.listener++)
		assert_int_equal(state_take(&state, &message, -1), VACCEL_OK);
	message.listener = 3;
	strcpy(message.text, "unix:///x");
	assert_int_equal(state_take(&state, &message, -1), VACCEL_OK);
	assert_int_equal(state.nr_heard, MANY);
	assert_string_equal(state.heard[3].address, "unix:///x");
	assert_string_equal(state.heard[3].tenant, "vm-1");
	/* Closed, and closed again */
	message.text[0] = '\0';
	for (int i = 0; i < 2; i++)
		assert_int_equal(state_take(&state, &message, -1), VACCEL_OK);
	assert_int_equal(state.nr_heard, MANY - 1);
	assert_int_equal(state.heard[3].number, MANY - 1);
	state_release(&state);
}

static void test_nonsense(void **unused)
{
	struct state state;
	struct ipc_message other = message_of(IPC_READY, "", ""),
			   stats = message_of(IPC_STATS, "t", "p");

	state_init(&state);
	assert_int_equal(state_take(&state, &other, -1), VACCEL_EINVAL);
	assert_int_equal(state_take(&state, &stats, -1), VACCEL_EINVAL);
	assert_int_equal(state.nr_seen, 0);
	assert_int_equal(resident_bytes(-1), 0);
	assert_int_equal(resident_bytes(0x7ffffffe), 0);
	assert_true(resident_bytes(getpid()) > 100000);
	assert_true(state_uptime(&state) >= 0);
	assert_true(state_uptime(&state) < 1e7);
	state_release(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_hostile_numbers),
		cmocka_unit_test(test_a_tenant_comes_and_goes),
		cmocka_unit_test(test_tenants_are_bounded),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
