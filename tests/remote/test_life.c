// SPDX-License-Identifier: Apache-2.0
/* What programs do: threads, fork and exit, with calls under way. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed.h"

#define THREADS	 8
#define ROUNDS	 200
#define RESTARTS 10
#define FORKS	 40
#define STUCK_S	 30

/* One call with an answer of its own; whether that is right. */
static bool copies(int number)
{
	char from[64], to[64] = "";
	struct vaccel_arg read = {.buf = from, .size = sizeof(from)};
	struct vaccel_arg write = {.buf = to, .size = sizeof(to)};

	memset(from, number, sizeof(from));
	snprintf(from, sizeof(from), "%d", number);
	return !vaccel_exec(&sess, "lib", "f", &read, 1, &write, 1) &&
	       !memcmp(from, to, sizeof(from));
}

/* Threads */

static atomic_int next_number;
static atomic_int wrong;
static atomic_bool enough;

static void *call_often(void *context)
{
	for (int i = 0; i < ROUNDS; i++)
		if (!copies(atomic_fetch_add(&next_number, 1)))
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void *call_until_enough(void *context)
{
	while (!atomic_load(&enough))
		call_often(NULL);
	return NULL;
}

static void start(pthread_t thread[THREADS], void *(*run)(void *))
{
	atomic_store(&wrong, 0);
	atomic_store(&enough, false);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run, NULL), 0);
}

static void stop(pthread_t thread[THREADS])
{
	atomic_store(&enough, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

static void test_threads_share_a_session(void **state)
{
	pthread_t thread[THREADS];

	start(thread, call_often);
	stop(thread);
	assert_int_equal(fake_calls(fake, &vaccel_op_exec), THREADS * ROUNDS);
	/* One for each call under way, kept for the next ones. */
	assert_in_range(fake_messages(fake, FRAME_HELLO), 1, THREADS);
	assert_int_equal(fake_connections(fake), fake_messages(fake, FRAME_HELLO));
	assert_int_equal(fake_sessions(fake), 1);
}

static atomic_uint returned[THREADS]; /* calls of each thread */

static void *noop_until_enough(void *context)
{
	static atomic_uint threads;
	unsigned int self = atomic_fetch_add(&threads, 1) % THREADS;

	while (!atomic_load(&enough)) {
		if (vaccel_noop(&sess)) {
			print_message("%s\n", vaccel_error_text());
			atomic_fetch_add(&wrong, 1);
		}
		atomic_fetch_add(&returned[self], 1);
	}
	return NULL;
}

/* Those that are under way now. */
static void await_returns(void)
{
	unsigned int before[THREADS];

	for (int i = 0; i < THREADS; i++)
		before[i] = atomic_load(&returned[i]);
	for (int i = 0; i < THREADS; i++)
		while (atomic_load(&returned[i]) == before[i])
			sched_yield();
}

/*
 * All notice at once, one of them makes the session anew, and no call is lost: each meets one
 * restart at most, after which it is sent again.
 */
static void test_threads_outlive_agents(void **state)
{
	pthread_t thread[THREADS];

	start(thread, noop_until_enough);
	for (unsigned int i = 1; i <= RESTARTS; i++) {
		fake_await_calls(fake, &vaccel_op_noop, i * 100 * THREADS);
		fake_restart(fake, 0, "");
		await_returns();
	}
	fake_await_calls(fake, &vaccel_op_noop, fake_calls(fake, &vaccel_op_noop) + THREADS);
	stop(thread);
	assert_int_equal(fake_sessions(fake), 1);
	/* Once for each agent, or twice if that ended in the middle of it. */
	assert_in_range(fake_calls(fake, &vaccel_op_session_open), RESTARTS, 2 * (RESTARTS + 1));
}

/* Fork */

static bool is_child;

/* What a thread held that the child of a fork has not looks lost there. */
int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return is_child;
}

/* What the process came to. */
static int end_of(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static pid_t fork_to_call(void (*leave)(int))
{
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child)
		return child;
	is_child = true;
	alarm(STUCK_S);
	leave(copies(1) && !vaccel_noop(&sess) ? 7 : 8);
	abort();
}

static void child_leaves_the_parent_its_own(void (*leave)(int))
{
	vaccel_id_t id = sess.remote_id;

	assert_true(copies(1));
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 1);
	assert_int_equal(WEXITSTATUS(end_of(fork_to_call(leave))), 7);
	fake_await_connections(fake, 1);
	assert_true(copies(2));
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 2);
	assert_int_equal(fake_connections(fake), 1);
	assert_int_equal(fake_calls(fake, &vaccel_op_session_open), 2);
	assert_int_equal(fake_calls(fake, &vaccel_op_session_close), 0);
	assert_int_equal(sess.remote_id, id);
}

static void test_fork_with_an_open_session(void **state)
{
	child_leaves_the_parent_its_own(exit);
}

static void test_fork_of_a_child_that_is_cut_short(void **state)
{
	child_leaves_the_parent_its_own(_exit);
}

static void close_all(int status)
{
	status = vaccel_session_release(&sess) || vaccel_cleanup() ? 9 : status;
	_exit(status);
}

/* It ends what it has, at its own connection. */
static void test_fork_of_a_child_that_cleans_up(void **state)
{
	assert_true(copies(1));
	assert_int_equal(WEXITSTATUS(end_of(fork_to_call(close_all))), 7);
	fake_await_connections(fake, 1);
	assert_true(copies(2));
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 2);
	assert_int_equal(fake_sessions(fake), 1);
}

static void test_forks_among_calls(void **state)
{
	pthread_t thread[THREADS];
	int status = 0, forks = 0;

	start(thread, call_until_enough);
	for (; forks < FORKS && (!forks || status == 7 << 8); forks++)
		status = end_of(fork_to_call(_exit));
	stop(thread);
	assert_int_equal(status, 7 << 8);
	assert_true(copies(1));
	/* One for each child, and those that the parent still has. */
	fake_await_connections(fake, THREADS);
	assert_int_equal(fake_messages(fake, FRAME_HELLO), forks + fake_connections(fake));
	assert_int_equal(fake_sessions(fake), 1);
}

static sem_t child_has_ended;

/* The answer is on its way for as long as that takes. */
static enum verdict await_child(struct turn *turn, struct trick *trick)
{
	sem_wait(&child_has_ended);
	return GO_ON;
}

static struct vaccel_resource res;
static char text[] = "abc";

static void *sync_once(void *context)
{
	if (vaccel_resource_sync(&res, &sess))
		atomic_fetch_add(&wrong, 1);
	return NULL;
}

/* Whether a child can use all that a thread of its parent's is using. */
static void leave_after_all(int status)
{
	struct vaccel_session other;
	bool does = !vaccel_resource_sync(&res, &sess) && !vaccel_session_init(&other, 0) &&
		    !vaccel_resource_register(&res, &other) &&
		    !vaccel_resource_unregister(&res, &sess) && !vaccel_noop(&other) &&
		    !vaccel_session_release(&other) && !vaccel_resource_release(&res);

	close_all(does ? status : 9);
}

/* Who waits for bytes keeps the resource, but no child waiting for a thread that it has not. */
static void test_fork_while_a_resource_travels(void **state)
{
	struct trick trick = {&vaccel_op_resource_sync, 1, await_child};
	pthread_t thread;
	int status;

	atomic_store(&wrong, 0);
	sem_init(&child_has_ended, 0, 0);
	assert_int_equal(
		vaccel_resource_init_from_buf(&res, text, 3, VACCEL_RESOURCE_DATA, "d", true),
		VACCEL_OK);
	assert_int_equal(vaccel_resource_register(&res, &sess), VACCEL_OK);
	fake_script(fake, bed_trick, &trick);
	assert_int_equal(pthread_create(&thread, NULL, sync_once, NULL), 0);
	fake_await_calls(fake, &vaccel_op_resource_sync, 1);
	status = end_of(fork_to_call(leave_after_all));
	sem_post(&child_has_ended);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(status, 7 << 8);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(vaccel_resource_release(&res), VACCEL_OK);
	sem_destroy(&child_has_ended);
}

/* A thread that connects while its process forks */

struct greeting {
	sem_t go_on;
};

static enum verdict greet_later(struct turn *turn, void *context)
{
	struct greeting *greeting = context;

	if (turn->message.frame.kind == FRAME_HELLO)
		sem_wait(&greeting->go_on);
	return GO_ON;
}

static void *open_another(void *context)
{
	struct vaccel_session *session = context;

	assert_int_equal(vaccel_session_init(session, 0), VACCEL_OK);
	return NULL;
}

/* The connection ends with the parent's, however long the child lives. */
static void test_fork_while_a_thread_connects(void **state)
{
	struct vaccel_session other;
	struct greeting greeting;
	pthread_t thread;
	pid_t child;

	sem_init(&greeting.go_on, 0, 0);
	fake_disconnect(fake);
	fake_script(fake, greet_later, &greeting);
	assert_int_equal(pthread_create(&thread, NULL, open_another, &other), 0);
	fake_await_messages(fake, FRAME_HELLO, 2);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		alarm(2 * STUCK_S);
		for (;;)
			pause();
	}
	sem_post(&greeting.go_on);
	pthread_join(thread, NULL);
	fake_script(fake, NULL, NULL);
	assert_int_equal(vaccel_session_release(&other), VACCEL_OK);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	fake_await_connections(fake, 0);
	kill(child, SIGKILL);
	assert_int_equal(end_of(child), SIGKILL);
	sem_destroy(&greeting.go_on);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
}

/* Exit */

/* Lets nothing through until all its threads are in calls; then ends the program's wait. */
static enum verdict hold_all(struct turn *turn, void *context)
{
	if (turn_op(turn) == &vaccel_op_noop)
		return DONE;
	if (turn_op(turn) == &vaccel_op_minmax)
		fake_await_calls(turn->fake, &vaccel_op_noop, THREADS);
	return GO_ON;
}

static int end_of_program(const char *how)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		alarm(STUCK_S);
		execl(EXITING, EXITING, how, NULL);
		_exit(127);
	}
	return end_of(child);
}

static void test_exit_with_calls_under_way(void **state)
{
	static const char *const ways[] = {"exit", "return", "thread", "_exit", "late"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct fake *first = fake;

		fake = fake_start();
		setenv("VACCEL_RPC_ADDRESS", fake_address(fake), 1);
		/* All wait for answers. */
		fake_script(fake, hold_all, NULL);
		assert_int_equal(end_of_program(ways[i]), 3 << 8);
		fake_await_connections(fake, 0);
		/* All are at something. */
		fake_script(fake, NULL, NULL);
		for (int round = 0; round < 10; round++)
			assert_int_equal(end_of_program(ways[i]), 3 << 8);
		fake_await_connections(fake, 0);
		assert_int_equal(fake_sessions(fake), 0);
		fake_stop(fake);
		fake = first;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_begin, bed_end)
	const struct CMUnitTest tests[] = {
		TEST(test_threads_share_a_session),
		TEST(test_threads_outlive_agents),
		TEST(test_fork_with_an_open_session),
		TEST(test_fork_of_a_child_that_is_cut_short),
		TEST(test_fork_of_a_child_that_cleans_up),
		TEST(test_forks_among_calls),
		TEST(test_fork_while_a_thread_connects),
		TEST(test_fork_while_a_resource_travels),
		TEST(test_exit_with_calls_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
