// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisor with children that do what a test wants: how workers and the front are started,
 * watched, replaced, and told how the one before ended.
 */
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/relay.h"
#include "agent/supervisor/tenant.h"
#include "base/util.h"
#include "certificates.h"
#include "fake_child.h"
#include "transport/carrier.h"

#define MS	 INT64_C(1000000) /* ns */
#define PATIENCE (30000 * MS)	  /* for machines that do other things */

struct house {
	struct supervisor supervisor;
	char directory[32];
	struct timer look;
	bool (*is_reached)(struct house *house);
	int64_t end;

	int client; /* what the condition is about */
	uint64_t number;
};

/* The house */

/* @text with the house's directory for each '@'. */
static struct config *config_of(const struct house *house, const char *text)
{
	struct config *config = NULL;
	char *whole = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&whole, &size);

	assert_non_null(out);
	for (; *text; text++)
		fprintf(out, *text == '@' ? "%s" : "%.1s", *text == '@' ? house->directory : text);
	fclose(out);
	if (config_parse("a test", whole, size, &config))
		fail_msg("%s", vaccel_error_text());
	free(whole);
	return config;
}

static void apply(struct house *house, const char *text)
{
	struct supervisor *supervisor = &house->supervisor;
	struct config *config = config_of(house, text);

	if (listeners_apply(supervisor, config))
		fail_msg("%s", vaccel_error_text());
	config_unref(supervisor->config);
	supervisor->config = config;
	relay_apply(supervisor);
	tenants_reload(supervisor);
	supervisor->ready = true;
	listeners_begin(supervisor);
}

static void look(struct timer *timer)
{
	struct house *house = CONTAINER_OF(timer, struct house, look);

	if (time_now() > house->end)
		fail_msg("not within %d s", (int)(PATIENCE / MS / 1000));
	house->supervisor.loop.over = house->is_reached(house);
	if (!house->supervisor.loop.over)
		timer_set(&house->supervisor.loop, timer, 1);
}

/* Lets the supervisor do its work until this is so. */
static void until(struct house *house, bool (*is_reached)(struct house *house))
{
	house->is_reached = is_reached;
	house->end = time_now() + PATIENCE;
	house->supervisor.loop.over = false;
	timer_set(&house->supervisor.loop, &house->look, 0);
	assert_int_equal(loop_run(&house->supervisor.loop), VACCEL_OK);
}

static int house_make(void **state)
{
	struct house *house = calloc(1, sizeof(*house));
	char base[64];

	assert_non_null(house);
	strcpy(house->directory, "/tmp/vaccel-test-XXXXXX");
	assert_non_null(mkdtemp(house->directory));
	snprintf(base, sizeof(base), "%s/run", house->directory);
	house->look.expired = look;
	house->supervisor.admin.fd = house->supervisor.metrics.fd = -1;
	assert_int_equal(loop_open(&house->supervisor.loop), VACCEL_OK);
	assert_int_equal(directory_open(base, &house->supervisor.directory), VACCEL_OK);
	assert_int_equal(tally_new(&house->supervisor.nobody), VACCEL_OK);
	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR}, STDERR_FILENO);
	*state = house;
	return 0;
}

static int house_drop(void **state)
{
	struct house *house = *state;
	struct supervisor *supervisor = &house->supervisor;
	char command[64];

	listeners_close(supervisor);
	tenants_delete(supervisor);
	helper_stop(&supervisor->front);
	directory_close(&supervisor->directory);
	tally_release(&supervisor->nobody);
	timer_clear(&supervisor->loop, &house->look);
	assert_null(supervisor->loop.timers);
	loop_close(&supervisor->loop);
	config_unref(supervisor->config);
	snprintf(command, sizeof(command), "rm -rf %s", house->directory);
	assert_int_equal(system(command), 0);
	free(house);
	unsetenv("VACCEL_TEST_FRONT");
	return 0;
}

static struct tenant *tenant_of(const struct house *house, const char *name)
{
	struct tenant *tenant = house->supervisor.tenants;

	while (tenant && strcmp(tenant->name, name))
		tenant = tenant->next;
	return tenant;
}

/* Clients */

static int knock(const struct house *house, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.sock", house->directory, name);
	assert_int_equal(unix_connect(path, time_now() + PATIENCE, &fd), 0);
	return fd;
}

static bool is_answered(struct house *house)
{
	return !socket_wait(house->client, POLLIN, 0);
}

/* What a worker has said on a connection. */
struct line {
	int pid, status;
	char token[256], words[256];
};

static struct line read_line(struct house *house, int client)
{
	char text[600] = "";
	struct line line;

	house->client = client;
	until(house, is_answered);
	assert_true(recv(client, text, sizeof(text) - 1, 0) > 0);
	if (sscanf(text, FAKE_LINE, &line.pid, &line.status, line.token, line.words) != 4)
		fail_msg("'%s'", text);
	return line;
}

static struct line ask(struct house *house, const char *name)
{
	int client = knock(house, name);
	struct line line = read_line(house, client);

	close(client);
	return line;
}

static void assert_hung_up(struct house *house, int client)
{
	char byte;

	house->client = client;
	until(house, is_answered);
	assert_int_equal(recv(client, &byte, 1, 0), 0);
	close(client);
}

/* Workers that end */

#define LISTENER(name) "  - {address: 'unix://@/" name ".sock', tenant: " name "}\n"

/* A timer that was set after @start. */
static void assert_pause(const struct timer *timer, int64_t start, int ms)
{
	assert_true(timer->due >= start + ms * MS);
	assert_true(timer->due <= time_now() + ms * MS);
}

static bool has_failed(struct house *house)
{
	return house->supervisor.tenants->failures == house->number;
}

static void test_the_next_is_told_how_the_last_one_ended(void **state)
{
	struct house *house = *state;
	struct line first, second;

	apply(house, "listeners:\n" LISTENER("dies"));
	first = ask(house, "dies");
	assert_int_equal(first.status, VACCEL_OK);
	house->number = 1;
	until(house, has_failed);
	second = ask(house, "dies");
	assert_int_equal(second.status, VACCEL_EBACKEND);
	assert_string_equal(second.words, "worker was ended by signal 9 (Killed)");
	assert_int_not_equal(first.pid, second.pid);
}

/* The first is started at once, since its client is there still; then it takes ever longer. */
static void test_young_deaths_are_slowed_down(void **state)
{
	static const int pauses[] = {0, 200, 400, 800, 800};
	struct house *house = *state;

	apply(house, "listeners:\n" LISTENER("dies"));
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		int64_t start = time_now();
		int client = knock(house, "dies");
		struct tenant *tenant;

		read_line(house, client);
		house->number = i + 1;
		until(house, has_failed);
		tenant = tenant_of(house, "dies");
		assert_int_equal(!tenant->worker, pauses[i] != 0);
		if (pauses[i])
			assert_pause(&tenant->restart, start, pauses[i]);
		else
			assert_false(tenant->restart.due);
		close(client);
		/* It is the test that has no time. */
		if (tenant->restart.due)
			timer_set(&house->supervisor.loop, &tenant->restart, 0);
	}
	assert_int_equal(tenant_of(house, "dies")->tally.stats->restarts, ARRAY_SIZE(pauses));
}

static void test_who_waits_for_one_that_cannot_start_is_not_kept(void **state)
{
	struct house *house = *state;
	int clients[3];

	apply(house, "listeners:\n" LISTENER("fails"));
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i] = knock(house, "fails");
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		assert_hung_up(house, clients[i]);
	assert_int_equal(tenant_of(house, "fails")->fates[0].status, VACCEL_EBACKEND);
	assert_string_equal(tenant_of(house, "fails")->fates[0].text,
			    "worker cannot start: no plugin fits");
	assert_null(tenant_of(house, "fails")->waiting);
}

static void test_a_call_past_its_deadline_ends_the_worker(void **state)
{
	struct house *house = *state;
	int64_t start, took;
	struct line line;

	apply(house, "listeners:\n" LISTENER("overruns") "policies: {default: {deadline: 300ms}}");
	assert_int_equal(ask(house, "overruns").status, VACCEL_OK);
	start = time_now();
	house->number = 1;
	until(house, has_failed);
	took = time_now() - start;
	assert_true(took > 1200 * MS && took < 10000 * MS);
	line = ask(house, "overruns");
	assert_int_equal(line.status, VACCEL_ETIMEDOUT);
	assert_string_equal(line.words, "worker overran the deadline of policy 'default' in exec");
}

static bool has_no_worker(struct house *house)
{
	return !house->supervisor.tenants->worker && !house->supervisor.tenants->leaving;
}

static void test_an_idle_worker_ends(void **state)
{
	struct house *house = *state;
	struct line first;

	apply(house, "listeners:\n" LISTENER("rests") "policies: {default: {worker_idle: 20ms}}");
	first = ask(house, "rests");
	/* The client is gone. */
	tenant_of(house, "rests")->tally.stats->connections = 0;
	until(house, has_no_worker);
	assert_int_equal(tenant_of(house, "rests")->failures, 0);
	assert_int_not_equal(ask(house, "rests").pid, first.pid);
	assert_int_equal(ask(house, "rests").status, VACCEL_OK);
}

static void test_no_more_connections_than_permitted(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;
	int clients[2];

	apply(house, "listeners:\n" LISTENER("stays") "policies: {default: {connections: 2}}");
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		clients[i] = knock(house, "stays");
		read_line(house, clients[i]);
	}
	assert_hung_up(house, knock(house, "stays"));
	tenant = tenant_of(house, "stays");
	assert_int_equal(tenant->tally.stats->refused[REFUSED_QUOTA], 1);
	tenant->tally.stats->connections = 1;
	ask(house, "stays");
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		close(clients[i]);
}

/* Listeners */

static mode_t mode_of(const struct house *house, const char *name)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", house->directory, name);
	return stat(path, &st) ? 0 : st.st_mode & 0777;
}

static void write_file(const struct house *house, const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", house->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fclose(file);
}

static void test_a_listener_has_its_options(void **state)
{
	struct house *house = *state;

	write_file(house, "token", "a-secret-of-some-length\n");
	apply(house, "listeners:\n"
		     "  - {address: 'unix://@/a.sock', mode: 0640, tenant: stays,\n"
		     "     token_file: @/token}\n"
		     "  - {address: 'unix://@/b.sock', mode: 0600}\n");
	assert_int_equal(mode_of(house, "a.sock"), 0640);
	assert_int_equal(mode_of(house, "b.sock"), 0600);
	assert_string_equal(ask(house, "a").token, "a-secret-of-some-length");
	assert_string_equal(ask(house, "b").token, "-");
}

/* Those that stay keep who waits for them; those that change their mode are others. */
static void test_a_reload_closes_only_what_is_gone(void **state)
{
	struct house *house = *state;
	struct stat before, after;
	char path[64];
	int early;

	apply(house, "listeners:\n" LISTENER("stays") LISTENER("goes"));
	snprintf(path, sizeof(path), "%s/stays.sock", house->directory);
	assert_int_equal(stat(path, &before), 0);
	early = knock(house, "stays");
	apply(house, "listeners:\n" LISTENER("stays") LISTENER("comes"));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	read_line(house, early);
	close(early);
	assert_int_equal(mode_of(house, "goes.sock"), 0);
	ask(house, "comes");
	assert_int_equal(ask(house, "stays").status, VACCEL_OK);
}

static void test_a_reload_is_all_or_nothing(void **state)
{
	struct house *house = *state;
	struct config *config;

	apply(house, "listeners:\n" LISTENER("stays"));
	write_file(house, "in-the-way", "");
	config = config_of(house,
			   "listeners:\n" LISTENER("stays") LISTENER(
				   "comes") "  - {address: 'unix://@/in-the-way', tenant: x}\n");
	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EEXIST);
	assert_non_null(strstr(vaccel_error_text(), "in-the-way' is there and no socket"));
	config_unref(config);
	assert_int_equal(mode_of(house, "comes.sock"), 0);
	ask(house, "stays");
}

static void test_only_a_changed_policy_changes_the_worker(void **state)
{
	struct house *house = *state;
	struct line one, other;

	apply(house,
	      "listeners:\n" LISTENER(
		      "one") "  - {address: 'unix://@/other.sock', tenant: other, policy: gold}\n"
			     "policies: {gold: {calls: 1}}\n");
	one = ask(house, "one");
	other = ask(house, "other");
	apply(house,
	      "listeners:\n" LISTENER(
		      "one") "  - {address: 'unix://@/other.sock', tenant: other, policy: gold}\n"
			     "policies: {gold: {calls: 2}}\n");
	assert_int_equal(ask(house, "one").pid, one.pid);
	assert_int_not_equal(ask(house, "other").pid, other.pid);
	assert_int_equal(ask(house, "other").status, VACCEL_OK);
}

/* A listener that nobody could shake hands with is none. */
static void test_certificates_must_fit_their_keys(void **state)
{
	struct house *house = *state;
	struct certificate one, other;
	struct config *config;

	certificate_make(&(struct certificate_order){.name = "one"}, &one);
	certificate_make(&(struct certificate_order){.name = "other"}, &other);
	write_file(house, "cert", one.cert);
	write_file(house, "key", other.key);
	config = config_of(house, "listeners: [{address: 'tls://127.0.0.1:0', tenant: t,"
				  "cert: @/cert, key: @/key, insecure: true}]");
	assert_int_equal(supervisor_check(config), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "tls://127.0.0.1:0: TLS: "));
	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EINVAL);
	assert_null(house->supervisor.listeners);
	write_file(house, "key", one.key);
	assert_int_equal(supervisor_check(config), VACCEL_OK);
	config_unref(config);
	certificate_release(&one);
	certificate_release(&other);
}

/* The front */

#define RELAYED                                                                             \
	"listeners:\n"                                                                      \
	"  - {address: 'unix://@/stays.sock', tenant: stays, policy: other}\n"              \
	"  - {address: 'tls://127.0.0.1:0', cert: @/cert, key: @/key, client_ca: @/cert}\n" \
	"policies: {other: {calls: 7}}\n"

static bool front_is_ready(struct house *house)
{
	return house->supervisor.front.ready;
}

static bool front_has_ended(struct house *house)
{
	return !house->supervisor.front.running && house->supervisor.front.failures > house->number;
}

static void begin_front(struct house *house, const char *tenant)
{
	struct certificate certificate;

	certificate_make(&(struct certificate_order){.name = "localhost"}, &certificate);
	write_file(house, "cert", certificate.cert);
	write_file(house, "key", certificate.key);
	certificate_release(&certificate);
	setenv("VACCEL_TEST_FRONT", tenant, 1);
	apply(house, RELAYED);
}

static const struct listener *relayed(const struct house *house)
{
	const struct listener *listener = house->supervisor.listeners;

	while (!listener_is_relayed(listener->how))
		listener = listener->next;
	return listener;
}

static int knock_by_tls(const struct house *house)
{
	const struct listener *listener = relayed(house);
	struct address address;
	char text[64];
	int fd;

	assert_int_equal(
		listener_text(&listener->how->address, listener->source.fd, text, sizeof(text)),
		VACCEL_OK);
	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	assert_int_equal(tcp_connect(&address, time_now() + PATIENCE, &fd), VACCEL_OK);
	address_release(&address);
	return fd;
}

static struct line ask_by_tls(struct house *house)
{
	int client = knock_by_tls(house);
	struct line line = read_line(house, client);

	close(client);
	return line;
}

static void test_what_the_front_passes_is_its_tenants(void **state)
{
	struct house *house = *state;

	begin_front(house, "alice");
	until(house, front_is_ready);
	ask_by_tls(house);
	assert_non_null(tenant_of(house, "alice"));
	assert_string_equal(tenant_of(house, "alice")->policy->name, "default");
}

static void test_names_that_the_front_may_not_tell(void **state)
{
	static const char *const names[] = {"uid-0", "../x", "", "stays"};
	struct house *house = *state;

	begin_front(house, "alice");
	until(house, front_is_ready);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		pid_t pid = house->supervisor.front.child.pid;

		setenv("VACCEL_TEST_FRONT", names[i], 1);
		house->number = house->supervisor.front.failures;
		kill(pid, SIGKILL);
		until(house, front_has_ended);
		until(house, front_is_ready);
		assert_hung_up(house, knock_by_tls(house));
	}
	assert_null(house->supervisor.tenants);
	assert_int_equal(house->supervisor.nobody.stats->refused[REFUSED_AUTH], ARRAY_SIZE(names));
}

/* Its listeners wait meanwhile; the others have never heard of it. */
static void test_a_front_that_dies_is_started_anew(void **state)
{
	struct house *house = *state;
	int client;

	begin_front(house, "alice");
	until(house, front_is_ready);
	ask_by_tls(house);
	kill(house->supervisor.front.child.pid, SIGKILL);
	house->number = 0;
	until(house, front_has_ended);
	assert_false(relayed(house)->accepting);
	client = knock_by_tls(house);
	ask(house, "stays");
	until(house, front_is_ready);
	assert_true(relayed(house)->accepting);
	read_line(house, client);
	close(client);
	assert_int_equal(house->supervisor.front.failures, 0);
}

static void test_a_front_that_cannot_start_is_tried_more_rarely(void **state)
{
	static const int pauses[] = {100, 200, 400, 800};
	struct house *house = *state;
	struct helper *front = &house->supervisor.front;
	int64_t start = time_now();

	begin_front(house, "fails");
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		house->number = i;
		until(house, front_has_ended);
		assert_pause(&front->restart, start, pauses[i]);
		start = time_now();
		timer_set(&house->supervisor.loop, &front->restart, 0);
	}
	ask(house, "stays");
	setenv("VACCEL_TEST_FRONT", "alice", 1);
	timer_set(&house->supervisor.loop, &front->restart, 0);
	until(house, front_is_ready);
	ask_by_tls(house);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, house_make, house_drop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_next_is_told_how_the_last_one_ended),
		TEST(test_young_deaths_are_slowed_down),
		TEST(test_who_waits_for_one_that_cannot_start_is_not_kept),
		TEST(test_a_call_past_its_deadline_ends_the_worker),
		TEST(test_an_idle_worker_ends),
		TEST(test_no_more_connections_than_permitted),
		TEST(test_a_listener_has_its_options),
		TEST(test_a_reload_closes_only_what_is_gone),
		TEST(test_a_reload_is_all_or_nothing),
		TEST(test_only_a_changed_policy_changes_the_worker),
		TEST(test_certificates_must_fit_their_keys),
		TEST(test_what_the_front_passes_is_its_tenants),
		TEST(test_names_that_the_front_may_not_tell),
		TEST(test_a_front_that_dies_is_started_anew),
		TEST(test_a_front_that_cannot_start_is_tried_more_rarely),
	};
	int status = fake_child(argc, argv);

	/* A child's memory is nobody's business. */
	if (status >= 0)
		_exit(status);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
