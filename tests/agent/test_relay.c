// SPDX-License-Identifier: Apache-2.0
/* The front, as the supervisor has it: told of listeners of TLS, and not believed all it says. */
#include "house.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/supervisor/relay.h"
#include "base/util.h"
#include "certified.h"
#include "fake_child.h"

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
	certify(house);
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
	assert_string_equal(ask_by_tls(house).carrier, "tcp");
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

/* With names that it may tell, others, and none. */
static void test_a_front_that_babbles_is_ended(void **state)
{
	struct house *house = *state;

	begin_front(house, "babbles");
	until(house, front_is_ready);
	close(knock_by_tls(house));
	house->number = 0;
	until(house, front_has_ended);
	assert_null(tenant_of(house, "uid-0"));
	assert_null(tenant_of(house, "../x"));
	ask(house, "stays");
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

/* However much that is. */
static void test_a_front_is_told_all_that_it_must_know(void **state)
{
	const struct ipc_message message = {.kind = IPC_LISTENER, .listener = 4711};
	struct house *house = *state;
	struct helper *front = &house->supervisor.front;

	begin_front(house, "alice");
	until(house, front_is_ready);
	kill(front->child.pid, SIGSTOP);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(
			helper_tell(front, &message, i % 100 ? -1 : house->supervisor.nobody.fd),
			VACCEL_OK);
	assert_int_equal(helper_offer(front, &message, -1), VACCEL_EAGAIN);
	relay_drain(&house->supervisor);
	kill(front->child.pid, SIGCONT);
	house->number = front->failures;
	until(house, front_has_ended);
	assert_null(front->errands);
	assert_false(front->child.frozen);
}

static bool front_knows_what_is_there(struct house *house)
{
	return house->supervisor.nobody.stats->sessions == UINT64_C(1)
								   << relayed(house)->number % 64;
}

/* A key that is replaced is not kept. */
static void test_the_front_forgets_what_is_gone(void **state)
{
	struct house *house = *state;
	uint32_t number;

	begin_front(house, "alice");
	until(house, front_is_ready);
	until(house, front_knows_what_is_there);
	number = relayed(house)->number;
	begin_front(house, "alice");
	assert_int_not_equal(relayed(house)->number, number);
	until(house, front_knows_what_is_there);
	ask_by_tls(house);
}

static bool front_knows_nothing(struct house *house)
{
	return !house->supervisor.nobody.stats->sessions;
}

/* The key of a listener that has got a tenant is its worker's alone. */
static void test_the_front_forgets_what_a_tenant_has(void **state)
{
	struct house *house = *state;

	begin_front(house, "alice");
	until(house, front_is_ready);
	until(house, front_knows_what_is_there);
	apply(house, "listeners:\n"
		     "  - {address: 'tls://127.0.0.1:0', cert: @/cert, key: @/key, "
		     "client_ca: @/cert, tenant: stays}\n");
	until(house, front_knows_nothing);
	apply(house, RELAYED);
	until(house, front_knows_what_is_there);
	ask_by_tls(house);
}

/* It has run: that it cannot is logged once. */
static void test_a_front_that_complains_is_ended(void **state)
{
	struct house *house = *state;

	begin_front(house, "complains");
	house->number = 0;
	until(house, front_has_ended);
	setenv("VACCEL_TEST_FRONT", "alice", 1);
	timer_set(&house->supervisor.loop, &house->supervisor.front.restart, 0);
	until(house, front_is_ready);
	ask_by_tls(house);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_HOUSE(test_what_the_front_passes_is_its_tenants),
		IN_HOUSE(test_names_that_the_front_may_not_tell),
		IN_HOUSE(test_a_front_that_babbles_is_ended),
		IN_HOUSE(test_a_front_that_complains_is_ended),
		IN_HOUSE(test_the_front_forgets_what_is_gone),
		IN_HOUSE(test_the_front_forgets_what_a_tenant_has),
		IN_HOUSE(test_a_front_is_told_all_that_it_must_know),
		IN_HOUSE(test_a_front_that_dies_is_started_anew),
		IN_HOUSE(test_a_front_that_cannot_start_is_tried_more_rarely),
	};

	fake_child(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
