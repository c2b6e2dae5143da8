// SPDX-License-Identifier: Apache-2.0
/* The supervisor's workers: started, watched, replaced, and told how the one before ended. */
#include "house.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/tenant/service.h"
#include "base/util.h"
#include "fake_child.h"

int __real_close_range(unsigned int first, unsigned int last, int flags);
int __wrap_close_range(unsigned int first, unsigned int last, int flags);

/* A number that no child has for another. */
#define FOREIGN_MIN 100

/* What somebody has passed to the supervisor, and whether any child had it, to close it. */
static int foreign = -1;
static pid_t tester;
static atomic_bool *was_inherited;

int __wrap_close_range(unsigned int first, unsigned int last, int flags)
{
	if (foreign >= 0 && getpid() != tester && fcntl(foreign, F_GETFD) >= 0)
		atomic_store(was_inherited, true);
	return __real_close_range(first, last, flags);
}

/* To close it might take for ever, so it does not even have it for a moment. */
static void test_a_worker_has_nothing_that_others_passed(void **state)
{
	struct house *house = *state;

	was_inherited = mmap(NULL, sizeof(*was_inherited), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(was_inherited != MAP_FAILED);
	tester = getpid();
	foreign = fcntl(STDERR_FILENO, F_DUPFD, FOREIGN_MIN);
	apply(house, "listeners:\n" LISTENER("stays"));
	ask(house, "stays");
	assert_false(atomic_load(was_inherited));
	close(TAKE_FD(foreign));
	munmap(was_inherited, sizeof(*was_inherited));
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

/* Nobody is there for whom another would be started, and yet an alert goes by the count. */
static void test_deaths_are_counted_while_nobody_is_connected(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;

	apply(house, "listeners:\n" LISTENER("stays"));
	for (house->number = 1; house->number <= 2; house->number++) {
		struct line line = ask(house, "stays");

		tenant = tenant_of(house, "stays");
		assert_int_equal(tenant->tally.stats->restarts, house->number - 1);
		tenant->tally.stats->connections = 0;
		assert_int_equal(kill(line.pid, SIGKILL), 0);
		until(house, has_failed);
		assert_null(tenant->worker);
		assert_int_equal(tenant->tally.stats->restarts, house->number);
	}
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
	assert_int_equal(tenant_of(house, "fails")->tally.stats->restarts,
			 tenant_of(house, "fails")->failures);
}

static bool is_rested(struct house *house)
{
	return !house->supervisor.tenants->restart.due;
}

static void test_one_that_cannot_start_is_started_for_somebody(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;

	apply(house, "listeners:\n" LISTENER("fails"));
	for (int i = 0; i < 2; i++)
		assert_hung_up(house, knock(house, "fails"));
	tenant = tenant_of(house, "fails");
	assert_true(tenant->restart.due);
	timer_set(&house->supervisor.loop, &tenant->restart, 0);
	until(house, is_rested);
	assert_null(tenant->worker);
	assert_hung_up(house, knock(house, "fails"));
}

static void test_a_call_past_its_deadline_ends_the_worker(void **state)
{
	struct house *house = *state;
	int64_t start = time_now(), took;
	struct line line;

	apply(house, "listeners:\n" LISTENER("overruns") "policies: {default: {deadline: 300ms}}");
	assert_int_equal(ask(house, "overruns").status, VACCEL_OK);
	house->number = 1;
	until(house, has_failed);
	took = time_now() - start;
	assert_true(took > 1200 * MILLISECOND && took < 10 * SECOND);
	line = ask(house, "overruns");
	assert_int_equal(line.status, VACCEL_ETIMEDOUT);
	assert_string_equal(line.words, "worker overran the deadline of policy 'default' in exec");
}

static bool is_watched(struct house *house)
{
	return house->supervisor.tenants->deadline.due;
}

static void test_a_call_that_begins_some_day_is_looked_at_in_time(void **state)
{
	struct house *house = *state;

	apply(house, "listeners:\n" LISTENER("lies") "policies: {default: {deadline: 300ms}}");
	assert_int_equal(ask(house, "lies").status, VACCEL_OK);
	until(house, is_watched);
	assert_true(tenant_of(house, "lies")->deadline.due < time_now() + 1400 * MILLISECOND);
}

static bool has_no_worker(struct house *house)
{
	return !house->supervisor.tenants->worker && !house->supervisor.tenants->leaving;
}

/* Nobody watches the deadline of a call that begins as the agent ends. */
static void test_a_call_that_ends_with_its_worker_in_a_shutdown(void **state)
{
	struct house *house = *state;

	apply(house, "listeners:\n" LISTENER("stumbles") "policies: {default: {deadline: 300ms}}");
	ask(house, "stumbles");
	tenants_drain(&house->supervisor);
	until(house, has_no_worker);
	assert_false(is_watched(house));
	assert_int_equal(tenant_of(house, "stumbles")->tally.stats->connections, 0);
}

/* Whatever a worker says and counts, it is its own tenant's loss. */
static void test_one_that_babbles_is_ended(void **state)
{
	struct house *house = *state;

	apply(house, "listeners:\n" LISTENER("babbles") LISTENER("stays"));
	ask(house, "stays");
	ask(house, "babbles");
	house->number = 1;
	until(house, has_failed);
	assert_int_equal(tenant_of(house, "stays")->failures, 0);
	assert_int_equal(ask(house, "stays").status, VACCEL_OK);
}

static void test_one_that_passes_something_is_ended(void **state)
{
	struct house *house = *state;

	apply(house, "listeners:\n" LISTENER("passes"));
	ask(house, "passes");
	house->number = 1;
	until(house, has_failed);
}

/* It is the test that has no time. */
static bool has_failed_by_silence(struct house *house)
{
	struct worker *worker = house->supervisor.tenants->worker;

	if (worker && worker->child.pulse.due)
		timer_set(&house->supervisor.loop, &worker->child.pulse, 0);
	return has_failed(house);
}

static void test_one_that_is_frozen_is_replaced(void **state)
{
	struct house *house = *state;
	int client;
	struct line line;

	apply(house, "listeners:\n" LISTENER("freezes"));
	client = knock(house, "freezes");
	read_line(house, client);
	house->number = 1;
	until(house, has_failed_by_silence);
	assert_hung_up(house, client);
	line = ask(house, "freezes");
	assert_int_equal(line.status, VACCEL_EBACKEND);
	assert_string_equal(line.words, "worker gave no sign of life");
}

/* The client's connection is the worker's and that of a process which it has started. */
static void test_what_a_worker_has_started_ends_with_it(void **state)
{
	struct house *house = *state;
	int client;

	apply(house, "listeners:\n" LISTENER("breeds"));
	client = knock(house, "breeds");
	assert_int_equal(kill(read_line(house, client).pid, SIGKILL), 0);
	assert_hung_up(house, client);
	house->number = 1;
	until(house, has_failed);
	client = knock(house, "breeds");
	read_line(house, client);
	service_let_go(tenant_of(house, "breeds"));
	assert_hung_up(house, client);
}

static bool has_been_heard(struct house *house)
{
	const struct worker *worker = house->supervisor.tenants->worker;

	return !worker->child.unheard && (uint64_t)worker->child.pulse.due > house->number;
}

static bool is_left_alone(struct house *house)
{
	return !house->supervisor.tenants->worker->child.pulse.due;
}

static void test_one_that_answers_is_asked_while_somebody_needs_it(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;
	struct timer *pulse;
	struct line line;

	apply(house, "listeners:\n" LISTENER("stays"));
	line = ask(house, "stays");
	tenant = tenant_of(house, "stays");
	pulse = &tenant->worker->child.pulse;
	for (int i = 0; i < 2 * CHILD_UNHEARD_MAX; i++) {
		until(house, has_been_heard);
		house->number = (uint64_t)pulse->due;
		timer_set(&house->supervisor.loop, pulse, 0);
	}
	until(house, has_been_heard);
	tenant->tally.stats->connections = 0;
	timer_set(&house->supervisor.loop, pulse, 0);
	until(house, is_left_alone);
	assert_int_equal(ask(house, "stays").pid, line.pid);
	assert_true(pulse->due);
}

/* As where SIGCHLD is ignored: the system keeps nothing of it. */
static void test_an_end_that_nobody_can_wait_for(void **state)
{
	struct house *house = *state;
	struct line first;

	apply(house, "listeners:\n" LISTENER("dies"));
	signal(SIGCHLD, SIG_IGN);
	first = ask(house, "dies");
	house->number = 1;
	until(house, has_failed);
	signal(SIGCHLD, SIG_DFL);
	assert_int_not_equal(ask(house, "dies").pid, first.pid);
}

int __real_waitpid(pid_t pid, int *ret_status, int options);
int __wrap_waitpid(pid_t pid, int *ret_status, int options);

static pid_t endless; /* a process whose end does not come */

int __wrap_waitpid(pid_t pid, int *ret_status, int options)
{
	if (pid != endless)
		return __real_waitpid(pid, ret_status, options);
	assert_int_equal(options, WNOHANG);
	return 0;
}

static void test_one_that_takes_no_end_is_left_behind(void **state)
{
	struct house *house = *state;
	char words[256], expected[64];
	int log[2];
	ssize_t size;

	apply(house, "listeners:\n" LISTENER("stays"));
	endless = ask(house, "stays").pid;
	snprintf(expected, sizeof(expected), "process %ld takes no end", (long)endless);
	assert_int_equal(pipe(log), 0);
	log_open(&(struct log_setup){.level = VACCEL_LOG_WARN}, log[1]);
	tenants_delete(&house->supervisor);
	log_open(&(struct log_setup){.level = VACCEL_LOG_ERROR}, STDERR_FILENO);
	size = read(log[0], words, sizeof(words) - 1);
	assert_true(size > 0);
	words[size] = '\0';
	assert_non_null(strstr(words, expected));
	assert_int_equal(__real_waitpid(endless, NULL, 0), endless);
	endless = 0;
	close(log[0]);
	close(log[1]);
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
	assert_int_equal(tenant_of(house, "rests")->tally.stats->restarts, 0);
	assert_int_not_equal(ask(house, "rests").pid, first.pid);
	assert_int_equal(ask(house, "rests").status, VACCEL_OK);
}

static void test_what_one_counts_that_leaves_is_added(void **state)
{
	struct house *house = *state;
	struct tenant *tenant;
	struct stats *stats, *left;

	apply(house, "listeners:\n" LISTENER("stays"));
	ask(house, "stays");
	tenant = tenant_of(house, "stays");
	left = tenant->tally.stats;
	left->calls[1][0] = left->queue.bucket[2] = left->bytes_out = 5;
	service_let_go(tenant);
	/* The next one begins before it has ended. */
	stats = tenant->tally.stats;
	for (int i = 0; i < 2; i++) {
		left->calls[1][0]++;
		left->queue.bucket[2]++;
		left->compute[1].sum_ns += 10;
		left->refused[REFUSED_STALE]++;
		left->bytes_out++;
	}
	stats->calls[1][0]++;
	until(house, has_no_worker);
	assert_int_equal(stats->calls[1][0], 8);
	assert_int_equal(stats->queue.bucket[2], 7);
	assert_int_equal(stats->compute[1].sum_ns, 20);
	assert_int_equal(stats->refused[REFUSED_STALE], 2);
	assert_int_equal(stats->bytes_out, 7);
	assert_int_equal(stats->connections, 0);
}

/* What it has known is that of the one that leaves, which no other adds to. */
static void test_the_monitor_is_shown_what_is_counted_on(void **state)
{
	struct house *house = *state;
	struct ipc_message message;
	struct tenant *tenant;
	struct stats *stats;
	int ends[2], fd;

	apply(house, "listeners:\n" LISTENER("stays"));
	ask(house, "stays");
	tenant = tenant_of(house, "stays");
	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	house->supervisor.monitor = (struct helper){.running = true, .child.ipc.fd = ends[0]};
	service_let_go(tenant);
	house->supervisor.monitor = (struct helper){.running = false};
	assert_int_equal(ipc_receive(ends[1], false, &message, &fd), VACCEL_OK);
	assert_int_equal(message.kind, IPC_STATS);
	assert_int_equal(stats_map(fd, false, &stats), VACCEL_OK);
	tenant->tally.stats->bytes_in = 4711;
	assert_int_equal(stats->bytes_in, 4711);
	stats_unmap(stats);
	close(fd);
	assert_int_equal(ipc_receive(ends[1], false, &message, &fd), VACCEL_OK);
	assert_int_equal(message.kind, IPC_GONE);
	close(ends[0]);
	close(ends[1]);
}

static void test_one_that_can_have_no_counters_of_its_own(void **state)
{
	struct house *house = *state;
	struct rlimit files;

	apply(house, "listeners:\n" LISTENER("stays"));
	ask(house, "stays");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, files.rlim_max}), 0);
	service_let_go(tenant_of(house, "stays"));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	house->number = 1;
	until(house, has_failed);
	ask(house, "stays");
	assert_int_equal(tenant_of(house, "stays")->tally.stats->connections, 1);
}

int __real_ipc_send(int socket, const struct ipc_message *message, int fd);
int __wrap_ipc_send(int socket, const struct ipc_message *message, int fd);

static int refusals; /* of connections that are passed, by a socket that has room */

int __wrap_ipc_send(int socket, const struct ipc_message *message, int fd)
{
	if (refusals && message->kind == IPC_CONNECTION) {
		refusals--;
		return VACCEL_EAGAIN;
	}
	return __real_ipc_send(socket, message, fd);
}

/* As where too many descriptors are under way. */
static void test_what_finds_no_room_is_tried_again_in_a_while(void **state)
{
	struct house *house = *state;
	int64_t start = time_now();

	apply(house, "listeners:\n" LISTENER("stays"));
	refusals = 20;
	ask(house, "stays");
	assert_int_equal(refusals, 0);
	assert_true(time_now() - start >= 20 * CHILD_ROOM_MS * MILLISECOND);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_HOUSE(test_a_worker_has_nothing_that_others_passed),
		IN_HOUSE(test_the_next_is_told_how_the_last_one_ended),
		IN_HOUSE(test_young_deaths_are_slowed_down),
		IN_HOUSE(test_deaths_are_counted_while_nobody_is_connected),
		IN_HOUSE(test_who_waits_for_one_that_cannot_start_is_not_kept),
		IN_HOUSE(test_one_that_cannot_start_is_started_for_somebody),
		IN_HOUSE(test_a_call_past_its_deadline_ends_the_worker),
		IN_HOUSE(test_a_call_that_begins_some_day_is_looked_at_in_time),
		IN_HOUSE(test_a_call_that_ends_with_its_worker_in_a_shutdown),
		IN_HOUSE(test_one_that_babbles_is_ended),
		IN_HOUSE(test_one_that_passes_something_is_ended),
		IN_HOUSE(test_one_that_is_frozen_is_replaced),
		IN_HOUSE(test_what_a_worker_has_started_ends_with_it),
		IN_HOUSE(test_one_that_answers_is_asked_while_somebody_needs_it),
		IN_HOUSE(test_an_end_that_nobody_can_wait_for),
		IN_HOUSE(test_one_that_takes_no_end_is_left_behind),
		IN_HOUSE(test_an_idle_worker_ends),
		IN_HOUSE(test_what_one_counts_that_leaves_is_added),
		IN_HOUSE(test_the_monitor_is_shown_what_is_counted_on),
		IN_HOUSE(test_one_that_can_have_no_counters_of_its_own),
		IN_HOUSE(test_what_finds_no_room_is_tried_again_in_a_while),
		IN_HOUSE(test_no_more_connections_than_permitted),
	};

	fake_child(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
