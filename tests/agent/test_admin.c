// SPDX-License-Identifier: Apache-2.0
/* The admin socket: the document, who may have it, and those who do not take it. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/version.h>

#include "agent/monitor/admin.h"
#include "made_state.h"

#define NOBODY 65534

static char path[] = "/tmp/vaccel-admin-XXXXXX/s";
static struct state state;
static struct admin admin;

static int setup(void **unused)
{
	char *slash;

	strcpy(path, "/tmp/vaccel-admin-XXXXXX/s");
	slash = strrchr(path, '/');
	*slash = '\0';
	if (!mkdtemp(path) || chmod(path, 0755))
		return -1;
	*slash = '/';
	state_init(&state);
	admin_init(&admin);
	admin.listener = listen_at(path);
	return chmod(path, 0666);
}

static int teardown(void **unused)
{
	admin_release(&admin);
	state_release(&state);
	unlink(path);
	*strrchr(path, '/') = '\0';
	return rmdir(path);
}

/* Lets it do what there is to do now, or, if @wait, what will be next. */
static int run(bool wait)
{
	struct pollfd polls[ADMIN_POLLS];
	int patience = admin_prepare(&admin, polls);
	int ready = poll(polls, ADMIN_POLLS, wait ? patience : 0);

	assert_true(ready >= 0);
	admin_run(&admin, &state, polls);
	return ready;
}

static struct json_object *ask(void)
{
	int fd = connect_to(path);
	struct json_object *document;
	char *text;

	assert_int_equal(run(false), 1);
	text = read_all(fd);
	document = json_tokener_parse(text);
	assert_non_null(document);
	free(text);
	return document;
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("there is no '%s'", key);
	return value;
}

static int64_t number(struct json_object *object, const char *key)
{
	assert_int_equal(json_object_get_type(get(object, key)), json_type_int);
	return json_object_get_int64(get(object, key));
}

static const char *text(struct json_object *object, const char *key)
{
	return json_object_get_string(get(object, key));
}

static void test_the_document(void **unused)
{
	struct ipc_message listener = message_of(IPC_LISTENER, "vm-1", "unix:///run/a.sock"),
			   serving = message_of(IPC_SERVING, "", ""),
			   gone = message_of(IPC_GONE, "uid-1000", "ended by signal 6");
	struct stats *stats = tell_tenant(&state, "uid-1000", "default", getpid());
	struct json_object *document, *tenant, *op;

	assert_int_equal(state_take(&state, &listener, -1), VACCEL_OK);
	assert_int_equal(state_take(&state, &serving, -1), VACCEL_OK);
	stats->calls[0][0] = 10;
	stats->calls[22][0] = 90;
	stats->calls[22][3] = 10;
	stats->sessions = 3;
	stats->busy = 2;
	stats->queued = 1;
	stats->region_bytes = 4096;
	stats->restarts = 5;
	stats->refused[REFUSED_QUOTA] = 6;
	histogram_add(&stats->compute[22], 3000);
	document = ask();
	assert_string_equal(text(document, "version"), VACCEL_VERSION);
	assert_string_equal(text(document, "state"), "serving");
	assert_int_equal(number(document, "pid"), getppid());
	assert_true(number(document, "time_ns") > 0);
	assert_string_equal(
		text(json_object_array_get_idx(get(document, "listeners"), 0), "address"),
		"unix:///run/a.sock");
	tenant = json_object_array_get_idx(get(document, "tenants"), 0);
	assert_string_equal(text(tenant, "name"), "uid-1000");
	assert_string_equal(text(tenant, "policy"), "default");
	assert_int_equal(number(tenant, "worker"), getpid());
	assert_true(number(tenant, "resident_bytes") > 0);
	assert_int_equal(number(tenant, "calls"), 110);
	assert_int_equal(number(tenant, "errors"), 10);
	assert_int_equal(number(tenant, "sessions"), 3);
	assert_int_equal(number(tenant, "busy"), 2);
	assert_int_equal(number(tenant, "queued"), 1);
	assert_int_equal(number(tenant, "region_bytes"), 4096);
	assert_int_equal(number(tenant, "restarts"), 5);
	assert_int_equal(number(get(tenant, "refused"), "quota"), 6);
	assert_int_equal(number(tenant, "p99_ns"), 3980);
	assert_int_equal(json_object_array_length(get(tenant, "latency_us_log2")), STATS_BUCKETS);
	assert_null(get(tenant, "last_failure"));
	op = json_object_array_get_idx(get(tenant, "ops"), 0);
	assert_string_equal(text(op, "name"), "minmax");
	assert_int_equal(number(op, "calls"), 100);
	assert_int_equal(number(op, "errors"), 10);
	assert_int_equal(json_object_array_length(get(tenant, "ops")), 2);
	json_object_put(document);

	assert_int_equal(state_take(&state, &gone, -1), VACCEL_OK);
	document = ask();
	tenant = json_object_array_get_idx(get(document, "tenants"), 0);
	assert_null(get(tenant, "worker"));
	assert_string_equal(text(tenant, "last_failure"), "ended by signal 6");
	json_object_put(document);
	stats_unmap(stats);
}

static void test_hostile_numbers(void **unused)
{
	struct stats *stats = tell_tenant(&state, "\"evil\"", "p", 1);

	memset(stats, 0xff, sizeof(*stats));
	json_object_put(ask());
	stats_unmap(stats);
}

/* Enough to fill any socket's buffer. */
static void tell_many(void)
{
	for (int i = 0; i < 1000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		stats_unmap(tell_tenant(&state, name, "p", 1));
	}
}

static void test_a_long_document(void **unused)
{
	struct json_object *document;
	char *room, *end;
	ssize_t got = 1;
	int fd;

	tell_many();
	room = end = calloc(1, 8 << 20);
	fd = connect_to(path);
	while (got > 0) {
		run(false);
		got = recv(fd, end, 1 << 16, MSG_DONTWAIT);
		assert_true(got >= 0 || errno == EAGAIN);
		end += got > 0 ? got : 0;
		got = got < 0 ? 1 : got;
	}
	close(fd);
	document = json_tokener_parse(room);
	assert_int_equal(json_object_array_length(get(document, "tenants")), 1000);
	json_object_put(document);
	free(room);
}

static unsigned int places_taken(void)
{
	unsigned int taken = 0;

	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++)
		taken += admin.clients[i].fd >= 0;
	return taken;
}

/* Their places are free again after a while, and until then others wait. */
static void test_who_does_not_take_it(void **unused)
{
	struct pollfd polls[ADMIN_POLLS];
	int lazy[ADMIN_CLIENTS_MAX], next;

	tell_many();
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		lazy[i] = connect_to(path);
		assert_int_equal(run(false), 1);
		/* Documents of this length take a slow machine a while. */
		admin.clients[i].until += INT64_C(3600) * 1000000000;
	}
	assert_int_equal(places_taken(), ADMIN_CLIENTS_MAX);
	next = connect_to(path);
	admin_prepare(&admin, polls);
	assert_int_equal(polls[0].fd, -1);
	admin.clients[3].until = time_now();
	run(true);
	assert_int_equal(places_taken(), ADMIN_CLIENTS_MAX - 1);
	run(true);
	assert_int_equal(places_taken(), ADMIN_CLIENTS_MAX);
	/* Who goes before all is sent is left, too. */
	close(next);
	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++)
		close(lazy[i]);
	run(true);
	assert_int_equal(places_taken(), 0);
}

static void test_who_may_ask(void **unused)
{
	pid_t child;
	int status;

	if (geteuid()) {
		print_message("only root can be somebody else\n");
		skip();
	}
	child = fork();
	if (!child) {
		char *got;

		if (setresuid(NOBODY, NOBODY, NOBODY))
			_exit(2);
		got = read_all(connect_to(path));
		_exit(*got != '\0');
	}
	assert_int_equal(run(true), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_the_document),    TEST(test_hostile_numbers),
		TEST(test_a_long_document), TEST(test_who_does_not_take_it),
		TEST(test_who_may_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
