// SPDX-License-Identifier: Apache-2.0
/* Names that stand for several agents. */
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "bed.h"
#include "name_server.h"

#define SLACK	    (5 * SECOND) /* enough for a machine that does other things */
#define STUCK_S	    30
#define SERVERS_MAX 64

/* Two agents, at one port of two addresses */

static struct fake *second;
static const char *port;

static int begin(void **state)
{
	char text[64];

	fake = fake_start_at("tcp://127.0.0.2:0");
	port = strrchr(fake_address(fake), ':') + 1;
	snprintf(text, sizeof(text), "tcp://127.0.0.3:%s", port);
	second = fake_start_at(text);
	clear_records();
	sem_init(&may_answer, 0, 0);
	snprintf(text, sizeof(text), "tcp://" NAME ":%s", port);
	setenv("VACCEL_PLUGINS", "remote", 1);
	setenv("VACCEL_RPC_ADDRESS", text, 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	return 0;
}

static int end(void **state)
{
	int ret = bed_end_bare(state);

	fake_await_connections(second, 0);
	fake_stop(second);
	return ret;
}

static void open_session(struct vaccel_session *session)
{
	assert_int_equal(vaccel_session_init(session, 0), VACCEL_OK);
}

static void close_session(struct vaccel_session *session)
{
	assert_int_equal(vaccel_session_release(session), VACCEL_OK);
}

static void test_all_that_a_name_stands_for(void **state)
{
	/* At 127.0.0.4 nobody listens, and one is named twice. */
	add_record("127.0.0.4");
	add_record("127.0.0.2");
	add_record("127.0.0.3");
	add_record("127.0.0.2");
	fake_set_load(fake, 900);
	fake_set_load(second, 100);
	open_session(&sess);
	assert_int_equal(fake_sessions(fake), 0);
	assert_int_equal(fake_sessions(second), 1);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(second, &vaccel_op_noop), 1);
	/* Each was asked once how busy it is, and the name once what it stands for. */
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 1);
	assert_int_equal(questions(), 1);
	close_session(&sess);
}

static void test_equal_loads_are_spread(void **state)
{
	struct vaccel_session sessions[6];

	add_record("127.0.0.2");
	add_record("127.0.0.3");
	for (int i = 0; i < 6; i++)
		open_session(&sessions[i]);
	assert_int_equal(fake_sessions(fake), 3);
	assert_int_equal(fake_sessions(second), 3);
	for (int i = 0; i < 6; i++)
		close_session(&sessions[i]);
}

static void test_next_one_on_failure_and_back(void **state)
{
	add_record("127.0.0.2");
	add_record("127.0.0.3");
	fake_set_load(second, 900);
	open_session(&sess);
	for (int round = 0; round < 2; round++) {
		struct fake *here = round ? second : fake, *there = round ? fake : second;

		assert_int_equal(fake_sessions(here), 1);
		fake_listen(here, false);
		fake_disconnect(here);
		assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
		assert_int_equal(fake_sessions(there), 1);
		assert_int_equal(fake_calls(there, &vaccel_op_noop), 1);
		fake_listen(here, true);
	}
	/* It stays where it is. */
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(fake, &vaccel_op_noop), 2);
	close_session(&sess);
}

static void test_name_that_leads_elsewhere_now(void **state)
{
	int64_t began;

	add_record("127.0.0.2");
	open_session(&sess);
	fake_listen(fake, false);
	fake_disconnect(fake);
	clear_records();
	add_record("127.0.0.3");
	began = time_now();
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_calls(second, &vaccel_op_noop), 1);
	/* The old one is not waited for to the end. */
	assert_true(time_now() - began < 5 * SECOND);
	/* Not at each attempt. */
	assert_in_range(questions(), 1, 5);
	fake_listen(fake, true);
	close_session(&sess);
}

/* Has the session's agent break, so that the name is looked up; it is there again afterwards. */
static void look_up_again(struct fake *broken)
{
	fake_listen(broken, false);
	fake_disconnect(broken);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	fake_listen(broken, true);
}

/* Who is not meant any more gets no sessions, however idle; and gets some again when named again.
 */
static void test_record_that_goes_and_comes_back(void **state)
{
	int64_t until;

	add_record("127.0.0.2");
	fake_set_load(second, 900);
	open_session(&sess);
	assert_int_equal(fake_sessions(fake), 1);
	clear_records();
	add_record("127.0.0.3");
	look_up_again(fake);
	/* For longer than it is passed over for having failed. */
	for (until = time_now() + 1200 * MILLISECOND; time_now() < until;) {
		struct vaccel_session other;

		open_session(&other);
		assert_int_equal(fake_sessions(second), 2);
		close_session(&other);
	}
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 1);
	clear_records();
	add_record("127.0.0.2");
	look_up_again(second);
	assert_int_equal(fake_sessions(fake), 1);
	close_session(&sess);
}

static void test_name_that_cannot_be_looked_up(void **state)
{
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ENOENT);
	bed_said("there is no host '" NAME "'");
	fail_with(EAI_AGAIN);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_EREMOTEIO);
	bed_said("looking up the host '" NAME "'");
	/* And can be now. */
	clear_records();
	add_record("127.0.0.2");
	open_session(&sess);
	close_session(&sess);
}

/* Refuses all until the name server has been asked once more. */
static enum verdict refuse_until_asked(struct turn *turn, void *context)
{
	return turn->message.frame.kind == FRAME_HELLO && questions() < 2 ? HANG_UP : GO_ON;
}

/* A name server that fails takes nothing away that is known already. */
static void test_name_that_is_not_known_any_more(void **state)
{
	struct vaccel_session other;

	add_record("127.0.0.2");
	open_session(&sess);
	fail_with(EAI_AGAIN);
	fake_script(fake, refuse_until_asked, NULL);
	fake_disconnect(fake);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(questions(), 2);
	open_session(&other);
	assert_int_equal(fake_sessions(fake), 2);
	close_session(&other);
	close_session(&sess);
}

static void *call_noop(void *context)
{
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	return NULL;
}

static void test_nobody_waits_for_another_ones_question(void **state)
{
	struct vaccel_session other;
	pthread_t thread;

	add_record("127.0.0.2");
	open_session(&sess);
	hold_answers(true);
	fake_script(fake, refuse_until_asked, NULL);
	fake_disconnect(fake);
	assert_int_equal(pthread_create(&thread, NULL, call_noop, NULL), 0);
	await_questions(2);
	open_session(&other);
	assert_int_equal(vaccel_noop(&other), VACCEL_OK);
	pthread_join(thread, NULL);
	assert_int_equal(questions(), 2);
	sem_post(&may_answer);
	await_answers(2);
	close_session(&other);
	close_session(&sess);
}

/* A name server that takes its time */

static void begin_with_timeout(const char *ms)
{
	setenv("VACCEL_TIMEOUT_MS", ms, 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	add_record("127.0.0.2");
	hold_answers(true);
}

static void fail_in_time(int64_t ms)
{
	int64_t began = time_now();

	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ETIMEDOUT);
	assert_in_range(time_now() - began, ms * MILLISECOND, ms * MILLISECOND + SLACK);
	bed_said("no answer of the name server in time");
}

static void test_deadline_covers_a_look_up(void **state)
{
	begin_with_timeout("1000");
	fail_in_time(1000);
	fail_in_time(1000);
	sem_post(&may_answer);
	await_answers(1);
	open_session(&sess);
	assert_int_equal(questions(), 1);
	close_session(&sess);
}

static void test_look_up_without_a_deadline(void **state)
{
	begin_with_timeout("0");
	fail_in_time(10000);
	sem_post(&may_answer);
	open_session(&sess);
	close_session(&sess);
}

/* Since nobody is at the second one, names are looked up again soon. */
static void test_agents_that_are_known_are_used_meanwhile(void **state)
{
	struct vaccel_session other;

	add_record("127.0.0.2");
	add_record("127.0.0.4");
	open_session(&sess);
	hold_answers(true);
	while (questions() < 2) {
		open_session(&other);
		close_session(&other);
	}
	fake_disconnect(fake);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	open_session(&other);
	close_session(&other);
	close_session(&sess);
	sem_post(&may_answer);
	await_answers(2);
}

/* Where all that are known have been given up, the look-up is worth the wait. */
static void test_look_up_is_awaited_where_none_is_left(void **state)
{
	const struct timespec a_while = {.tv_sec = 1, .tv_nsec = (long)(100 * MILLISECOND)};

	add_record("127.0.0.2");
	open_session(&sess);
	fake_listen(fake, false);
	fake_disconnect(fake);
	assert_int_equal(vaccel_noop(&sess), VACCEL_EREMOTEIO);
	clear_records();
	add_record("127.0.0.3");
	nanosleep(&a_while, NULL);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(fake_sessions(second), 1);
	fake_listen(fake, true);
	close_session(&sess);
}

/* What it brings is for nobody. */
static void test_cleanup_in_a_look_up(void **state)
{
	begin_with_timeout("100");
	fail_in_time(100);
	assert_int_equal(vaccel_cleanup(), VACCEL_OK);
	unsetenv("VACCEL_TIMEOUT_MS");
	hold_answers(false);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	open_session(&sess);
	assert_int_equal(questions(), 2);
	clear_records();
	sem_post(&may_answer);
	await_answers(1);
	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	close_session(&sess);
}

/* The child begins a thread of its own, which the thread sanitizer does not like by itself. */
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

static void test_fork_in_a_look_up(void **state)
{
	int status;
	pid_t child;

	begin_with_timeout("1000");
	fail_in_time(1000);
	hold_answers(false);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		alarm(STUCK_S);
		_exit(vaccel_session_init(&sess, 0) || vaccel_noop(&sess) || questions() != 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	sem_post(&may_answer);
	await_answers(1);
	open_session(&sess);
	assert_int_equal(questions(), 1);
	close_session(&sess);
}

static void test_more_records_than_are_looked_at(void **state)
{
	char addresses[128];

	for (int i = 1; i < SERVERS_MAX; i++) {
		char number[16];

		snprintf(number, sizeof(number), "127.0.1.%d", i);
		add_record(number);
	}
	add_record("127.0.0.2");
	add_record("127.0.0.3");
	fake_set_load(fake, 900);
	open_session(&sess);
	assert_int_equal(fake_sessions(fake), 1);
	close_session(&sess);
	/* Nor one more address. */
	snprintf(addresses, sizeof(addresses), "tcp://" NAME ":%s,%s", port, fake_address(second));
	bed_set("VACCEL_RPC_ADDRESS", addresses);
	assert_int_equal(fake_sessions(fake), 1);
	assert_int_equal(fake_messages(second, FRAME_HELLO), 0);
	close_session(&sess);
}

/* As many as there may be, of which only the last one is there. */
static void add_records(int network, const char *last)
{
	for (int i = 1; i < SERVERS_MAX; i++) {
		char number[16];

		snprintf(number, sizeof(number), "127.0.%d.%d", network, i);
		add_record(number);
	}
	add_record(last);
}

/* However many addresses a name has had. */
static void test_records_that_are_all_replaced(void **state)
{
	add_records(1, "127.0.0.2");
	open_session(&sess);
	assert_int_equal(fake_sessions(fake), 1);
	for (int round = 2; round < 6; round++) {
		struct fake *here = round % 2 ? fake : second, *there = round % 2 ? second : fake;

		clear_records();
		add_records(round, round % 2 ? "127.0.0.2" : "127.0.0.3");
		look_up_again(there);
		assert_int_equal(fake_sessions(here), 1);
	}
	close_session(&sess);
}

/* No connection is kept to one that is not named any more and has no session. */
static void test_connection_to_a_record_that_goes(void **state)
{
	struct vaccel_session other;
	int64_t began;

	/* Since nobody is at the last one, names are looked up again soon. */
	add_record("127.0.0.2");
	add_record("127.0.0.3");
	add_record("127.0.0.4");
	fake_set_load(second, 900);
	open_session(&sess);
	assert_int_equal(fake_connections(second), 1);
	clear_records();
	add_record("127.0.0.2");
	add_record("127.0.0.4");
	for (began = time_now(); fake_connections(second) && time_now() - began < SLACK;) {
		open_session(&other);
		close_session(&other);
	}
	fake_await_connections(second, 0);
	assert_int_equal(fake_sessions(fake), 1);
	close_session(&sess);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_all_that_a_name_stands_for),
		TEST(test_equal_loads_are_spread),
		TEST(test_next_one_on_failure_and_back),
		TEST(test_name_that_leads_elsewhere_now),
		TEST(test_record_that_goes_and_comes_back),
		TEST(test_name_that_cannot_be_looked_up),
		TEST(test_name_that_is_not_known_any_more),
		TEST(test_nobody_waits_for_another_ones_question),
		TEST(test_more_records_than_are_looked_at),
		TEST(test_deadline_covers_a_look_up),
		TEST(test_look_up_without_a_deadline),
		TEST(test_agents_that_are_known_are_used_meanwhile),
		TEST(test_look_up_is_awaited_where_none_is_left),
		TEST(test_cleanup_in_a_look_up),
		TEST(test_fork_in_a_look_up),
		TEST(test_records_that_are_all_replaced),
		TEST(test_connection_to_a_record_that_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
