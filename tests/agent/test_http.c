// SPDX-License-Identifier: Apache-2.0
/* The monitor's HTTP: what is answered, and what slow and many visitors can do. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/monitor/http.h"
#include "agent/monitor/pages.h"
#include "made_state.h"
#include "transport/transport.h"

#define LONG_MS	 60000
#define SHORT_MS 50
#define CROWD	 64 /* who fit in at once */
#define TRIES	 10

static struct state state;
static struct http *http;
static unsigned short port;

static void open_http(int life_ms)
{
	state_init(&state);
	assert_int_equal(
		agent_http.open(listen_on_port(&port), life_ms, pages_answer, &state, &http),
		VACCEL_OK);
}

static void close_http(void)
{
	agent_http.close(http);
	state_release(&state);
}

/* Lets it run until @fd is readable. */
static void run_until_readable(int fd)
{
	struct pollfd polls[] = {{agent_http.fd(http), POLLIN, 0}, {fd, POLLIN, 0}};

	while (!polls[1].revents) {
		assert_true(poll(polls, 2, agent_http.patience(http)) >= 0);
		agent_http.run(http);
	}
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The whole answer; it is sent at once, and then the connection ends. Empty if time was over. */
static char *ask(const char *request)
{
	int fd = connect_to_port(port);
	char *text, *more;

	say(fd, request);
	run_until_readable(fd);
	/* What is left is sent while this is read. */
	text = calloc(1, 1 << 22);
	more = text;
	for (ssize_t got = 1; got > 0; more += got) {
		run_until_readable(fd);
		got = read(fd, more, 1 << 16);
		if (got < 0 && errno == ECONNRESET)
			break;
		assert_true(got >= 0);
	}
	close(fd);
	return text;
}

static void check_text(char *text, const char *request, const char *status, const char *body)
{
	const char *end = strstr(text, "\r\n\r\n");

	if (strncmp(text + strlen("HTTP/1.1 "), status, strlen(status)) || !end ||
	    (body ? strcmp(end + 4, body) : !end[4]))
		fail_msg("%s: %s", request, text);
	free(text);
}

static void check(const char *request, const char *status, const char *body)
{
	check_text(ask(request), request, status, body);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* Where no visitor has time, who asks comes again if the machine has taken his. */
static void check_alive(void)
{
	char *text = ask(GET("/healthz"));

	for (int tries = 1; !*text && tries < TRIES; tries++) {
		free(text);
		text = ask(GET("/healthz"));
	}
	check_text(text, "/healthz", "200", "alive\n");
}

static void test_answers(void **unused)
{
	open_http(LONG_MS);
	check(GET("/healthz"), "200", "alive\n");
	check(GET("/metrics"), "200", NULL);
	check(GET("/metrics?x=1"), "200", NULL);
	check(GET("/"), "404", "there are /metrics, /healthz and /readyz\n");
	check(GET("/metrics/../etc/passwd"), "404", NULL);
	check("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200", "");
	check("HEAD /none HTTP/1.1\r\nHost: x\r\n\r\n", "404", "");
	check("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "405",
	      "only GET and HEAD are answered\n");
	check("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "405", NULL);
	close_http();
}

static void test_heads(void **unused)
{
	char *text;

	open_http(LONG_MS);
	text = ask(GET("/metrics"));
	assert_non_null(strstr(text, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(text, "\nvaccel_agent_uptime_seconds "));
	free(text);
	text = ask("PUT /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(text, "Allow: GET, HEAD\r\n"));
	free(text);
	close_http();
}

static void test_readiness(void **unused)
{
	struct ipc_message serving = message_of(IPC_SERVING, "", ""),
			   draining = message_of(IPC_DRAIN, "", "");

	open_http(LONG_MS);
	check(GET("/readyz"), "503", "starting\n");
	assert_int_equal(state_take(&state, &serving, -1), VACCEL_OK);
	check(GET("/readyz"), "200", "serving\n");
	assert_int_equal(state_take(&state, &draining, -1), VACCEL_OK);
	check(GET("/readyz"), "503", "draining\n");
	check(GET("/healthz"), "200", "alive\n");
	close_http();
}

static void test_supervisor_that_does_not_answer(void **unused)
{
	struct ipc_message serving = message_of(IPC_SERVING, "", "");

	open_http(LONG_MS);
	assert_int_equal(state_take(&state, &serving, -1), VACCEL_OK);
	state.unheard_since = time_now();
	check(GET("/healthz"), "200", "alive\n");
	state.unheard_since -= 6 * SECOND;
	check(GET("/healthz"), "503", "stuck\n");
	check(GET("/readyz"), "503", "stuck\n");
	state.unheard_since = 0;
	check(GET("/readyz"), "200", "serving\n");
	close_http();
}

/* Who begins to ask and never ends, also who sends a byte now and then, is left. */
static void test_slow_visitors(void **unused)
{
	int silent, slow;
	char byte;

	open_http(SHORT_MS);
	silent = connect_to_port(port);
	slow = connect_to_port(port);
	say(slow, "GET /metrics HTTP/1.1\r\nX: ");
	run_until_readable(slow);
	assert_true(read(slow, &byte, 1) <= 0);
	run_until_readable(silent);
	assert_true(read(silent, &byte, 1) <= 0);
	close(silent);
	close(slow);
	close_http();
}

static void test_a_crowd_does_not_stay(void **unused)
{
	int crowd[2 * CROWD];

	open_http(SHORT_MS);
	for (int i = 0; i < 2 * CROWD; i++) {
		crowd[i] = connect_to_port(port);
		send(crowd[i], "GET /", 5, MSG_NOSIGNAL);
		agent_http.run(http);
	}
	check_alive();
	for (int i = 0; i < 2 * CROWD; i++)
		close(crowd[i]);
	close_http();
}

/* However long the others might stay, who asks is answered; and so are those who ask after him. */
static void test_who_is_silent_makes_room(void **unused)
{
	int crowd[3 * CROWD];

	open_http(LONG_MS);
	for (int i = 0; i < 3 * CROWD; i++) {
		crowd[i] = connect_to_port(port);
		agent_http.run(http);
	}
	for (int i = 0; i < 3; i++)
		check(GET("/healthz"), "200", "alive\n");
	/* The last are there still: nobody has come in their place. */
	say(crowd[3 * CROWD - 1], GET("/healthz"));
	run_until_readable(crowd[3 * CROWD - 1]);
	assert_true(read(crowd[3 * CROWD - 1], (char[64]){0}, 64) > 0);
	for (int i = 0; i < 3 * CROWD; i++)
		close(crowd[i]);
	close_http();
}

static void test_long_requests(void **unused)
{
	static char request[1 << 16];
	size_t used = 0;

	snprintf(request, sizeof(request), "GET /%0*d", (int)sizeof(request) - 6, 0);
	open_http(LONG_MS);
	check(request, "414", NULL);
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nX: %0*d", (int)sizeof(request) - 32,
		 0);
	check(request, "431", NULL);
	used += (size_t)sprintf(request, "GET / HTTP/1.1\r\n");
	while (used < sizeof(request) - 16)
		used += (size_t)sprintf(request + used, "X%zu: y\r\n", used);
	check(request, "431", NULL);
	close_http();
}

/* What follows the first request is not read. */
static void test_who_asks_twice(void **unused)
{
	open_http(LONG_MS);
	check(GET("/healthz") GET("/metrics"), "200", "alive\n");
	check("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\nabc", "4",
	      NULL);
	check("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nabc",
	      "405", NULL);
	close_http();
}

static void test_what_is_no_request(void **unused)
{
	static const char *const words[] = {"\r\n\r\nx\r\n\r\n", "VCCL\r\n\r\n",
					    "GET  HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"};

	open_http(SHORT_MS);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char *text = ask(words[i]);

		assert_null(strstr(text, " 200 "));
		free(text);
	}
	check_alive();
	close_http();
}

static void test_many_tenants(void **unused)
{
	char *text;

	open_http(LONG_MS);
	for (int i = 0; i < 500; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		stats_unmap(tell_tenant(&state, name, "p", 1));
	}
	text = ask(GET("/metrics"));
	assert_non_null(strstr(text, "vaccel_worker_resident_bytes{tenant=\"t499\"}"));
	free(text);
	close_http();
}

static void test_what_is_no_listener(void **unused)
{
	struct http *none = NULL;

	assert_int_equal(agent_http.open(-1, LONG_MS, pages_answer, &state, &none), VACCEL_EINVAL);
	assert_null(none);
	agent_http.close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_readiness),
		cmocka_unit_test(test_supervisor_that_does_not_answer),
		cmocka_unit_test(test_slow_visitors),
		cmocka_unit_test(test_a_crowd_does_not_stay),
		cmocka_unit_test(test_who_is_silent_makes_room),
		cmocka_unit_test(test_long_requests),
		cmocka_unit_test(test_who_asks_twice),
		cmocka_unit_test(test_what_is_no_request),
		cmocka_unit_test(test_many_tenants),
		cmocka_unit_test(test_what_is_no_listener),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
