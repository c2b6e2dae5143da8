// SPDX-License-Identifier: Apache-2.0
/*
 * How threads wait: one that does without a timer gives its connection back. What comes of it if
 * there is none. And how a server ends: no thread is made any more that nobody would wait for.
 */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "transport/link.h"

void __real_link_shut_down(struct link *link);
void __wrap_link_shut_down(struct link *link);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*main)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*main)(void *), void *context);

int __real_pthread_kill(pthread_t thread, int signal);
int __wrap_pthread_kill(pthread_t thread, int signal);
int __real_epoll_ctl(int epoll, int how, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int how, int fd, struct epoll_event *event);

#define PATIENCE (60 * SECOND)

/* More than after which a thread waits without a timer. */
#define MANY 8

static pthread_t tester;
static atomic_bool ends;
static atomic_uint made;
static atomic_bool no_threads;
static sem_t arrived;

/* The thread that waits for connections has seen it, and is about to do what it does then. */
void __wrap_link_shut_down(struct link *link)
{
	bool is_first = pthread_equal(pthread_self(), tester) && !atomic_exchange(&ends, true);

	__real_link_shut_down(link);
	if (is_first)
		sem_wait(&arrived);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	if (atomic_load(&ends) && !pthread_equal(pthread_self(), tester))
		sem_post(&arrived);
	return __real_pthread_mutex_lock(mutex);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*main)(void *), void *context)
{
	if (atomic_load(&ends))
		atomic_fetch_add(&made, 1);
	if (atomic_load(&no_threads))
		return EAGAIN;
	return __real_pthread_create(thread, attributes, main, context);
}

static _Atomic(struct connection *) connection;
static atomic_uint kills;

int __wrap_pthread_kill(pthread_t thread, int signal)
{
	atomic_fetch_add(&kills, 1);
	return __real_pthread_kill(thread, signal);
}

int __wrap_epoll_ctl(int epoll, int how, int fd, struct epoll_event *event)
{
	if (event->data.ptr)
		atomic_store(&connection, event->data.ptr);
	return __real_epoll_ctl(epoll, how, fd, event);
}

static void ping(struct program *program)
{
	struct message message;

	program_send_frame(program, FRAME_PING, 1);
	program_receive(program, &message);
	assert_int_equal(message.frame.kind, FRAME_PONG);
}

/* Until no thread has it. */
static void watch_until_armed(struct bed *bed, int64_t until)
{
	struct pollfd watcher = {.fd = server_fd(bed->server), .events = POLLIN};

	/* Whoever waits without a timer has woken it. */
	assert_int_equal(poll(&watcher, 1, (int)(PATIENCE / MILLISECOND)), 1);
	while (!atomic_load(&atomic_load(&connection)->armed)) {
		assert_true(time_now() < until);
		poll(&watcher, 1, server_watch(bed->server));
	}
	/* Whoever has it next may wait where nobody watches. */
	assert_false(atomic_load(&connection)->link->is_timed_outside);
	while (server_watch(bed->server) >= 0)
		assert_true(time_now() < until);
}

static void test_thread_that_waits_without_a_timer(void **state)
{
	int64_t until = time_now() + PATIENCE;
	struct program program;
	struct rlimit usual;
	struct bed bed;

	/* Others of the same user have as many signals waiting as he may have. */
	assert_int_equal(getrlimit(RLIMIT_SIGPENDING, &usual), 0);
	assert_int_equal(prlimit(0, RLIMIT_SIGPENDING, &(struct rlimit){0, usual.rlim_max}, NULL),
			 0);
	bed_init(&bed);
	bed_start(&bed);
	bed_stop_watcher(&bed);
	program_connect(&program, &bed, NULL);
	while (server_watch(bed.server) >= 0)
		;
	/* A client that is slow to ask again is waited for with one. */
	do {
		for (int i = 0; i < MANY; i++)
			ping(&program);
		watch_until_armed(&bed, until);
	} while (!atomic_load(&kills) && time_now() < until);
	assert_true(atomic_load(&kills) > 0);
	ping(&program);
	bed_start_watcher(&bed);
	bed_stop(&bed);
	program_close(&program);
	assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &usual), 0);
}

/* The rest is waited for by the epoll set, though nobody watches. */
static void test_message_that_comes_slowly(void **state)
{
	const unsigned char some[8] = {0};
	int64_t until = time_now() + PATIENCE;
	struct program program;
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed);
	bed_stop_watcher(&bed);
	program_connect(&program, &bed, NULL);
	for (int i = 0; i < MANY; i++)
		ping(&program);
	assert_int_equal(write(link_fd(program.link), some, sizeof(some)), sizeof(some));
	while (!atomic_load(&atomic_load(&connection)->armed))
		assert_true(time_now() < until);
	bed_start_watcher(&bed);
	bed_stop(&bed);
	program_close(&program);
}

/* Nobody who asks is idle. */
static void test_busy_client(void **state)
{
	struct program program;
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	ping(&program);
	atomic_store(&atomic_load(&connection)->idle, 1);
	ping(&program);
	assert_int_not_equal(atomic_load(&atomic_load(&connection)->idle), 1);
	bed_stop(&bed);
	program_close(&program);
}

/* Nor who has just come. */
static void test_new_client(void **state)
{
	int64_t before = time_now();
	struct connection *fresh;
	struct link *link;
	struct bed bed;
	int fds[2];

	bed_init(&bed);
	bed_start(&bed);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(link_adopt(&carrier_unix, fds[0], NULL, &link), VACCEL_OK);
	assert_int_equal(connection_new(&bed.worker, link, "a test", &bed.listener, &fresh),
			 VACCEL_OK);
	assert_true(atomic_load(&fresh->idle) >= before);
	connection_unref(fresh);
	close(fds[1]);
	bed_stop(&bed);
}

/* Nor who had to wait for a call's turn, as long as that takes. */
static void test_client_that_waits_for_its_turn(void **state)
{
	struct program program, other;
	struct gate gate, waiting;
	uint64_t request, second;
	struct connection *late;
	struct bed bed;

	gate_init(&gate);
	gate_init(&waiting);
	bed_init(&bed);
	bed.setup.policy.calls = 1;
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	program_open(&other, &bed);
	late = atomic_load(&connection);
	assert_int_equal(program_hello(&other, NULL, NULL, 0, NULL), VACCEL_OK);
	second = gate_send(&waiting, &other, program_session(&other));
	while (!queue_waiting(&bed.worker.calls) || !atomic_load(&late->armed))
		sched_yield();
	atomic_store(&late->idle, 1);
	gate_open(&gate);
	gate_wait(&waiting);
	gate_open(&waiting);
	assert_int_equal(gate_reply(&waiting, &other, second), VACCEL_OK);
	assert_int_not_equal(atomic_load(&late->idle), 1);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	bed_stop(&bed);
	program_close(&program);
	program_close(&other);
	gate_release(&gate);
	gate_release(&waiting);
}

/* Nor who is slow to take an answer. */
static void test_client_that_takes_its_time(void **state)
{
	const size_t nr = 4 << 20;
	int32_t *numbers = calloc(nr, sizeof(*numbers));
	struct vaccel_fpga_arraycopy_args args = {.a = {numbers, nr}, .out = {numbers, nr}};
	struct pollfd answer = {.events = POLLIN};
	struct program program;
	struct connection *slow;
	struct bed bed;
	int64_t begun;

	assert_non_null(numbers);
	bed_init(&bed);
	bed_start(&bed);
	program_connect(&program, &bed, NULL);
	slow = atomic_load(&connection);
	program_send(&program, program_session(&program), &vaccel_op_fpga_arraycopy, &args);
	answer.fd = link_fd(program.link);
	assert_int_equal(poll(&answer, 1, (int)(PATIENCE / MILLISECOND)), 1);
	/* The rest of it has no room yet. */
	begun = time_now();
	while (time_about_now() < begun)
		sched_yield();
	assert_int_equal(program_reply(&program, program.request, &vaccel_op_fpga_arraycopy, &args),
			 VACCEL_OK);
	while (atomic_load(&slow->refs) != 1 || !atomic_load(&slow->armed))
		sched_yield();
	assert_true(atomic_load(&slow->idle) >= begun);
	bed_stop(&bed);
	program_close(&program);
	free(numbers);
}

static void test_server_without_a_thread(void **state)
{
	struct server *server;
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed);
	atomic_store(&no_threads, true);
	assert_int_equal(server_new(&bed.worker, &server), VACCEL_ENOMEM);
	assert_non_null(strstr(vaccel_error_text(), "cannot make a thread"));
	atomic_store(&no_threads, false);
	bed.worker.server = bed.server;
	bed_stop(&bed);
}

/* The only one is in a call, and another can be made while that goes on. */
static void test_thread_that_could_not_be_made(void **state)
{
	struct program program, other;
	struct gate gate;
	struct bed bed;
	uint64_t request;

	gate_init(&gate);
	bed_init(&bed);
	bed_start(&bed);
	atomic_store(&no_threads, true);
	program_connect(&program, &bed, NULL);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	bed_watch(&bed);
	atomic_store(&no_threads, false);
	program_connect(&other, &bed, NULL);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	bed_stop(&bed);
	program_close(&program);
	program_close(&other);
	gate_release(&gate);
}

static void test_no_thread_is_made_at_the_end(void **state)
{
	struct program program;
	struct bed bed;

	tester = pthread_self();
	sem_init(&arrived, 0, 0);
	bed_init(&bed);
	bed_start(&bed);
	program_open(&program, &bed);
	bed_stop(&bed);
	program_close(&program);
	assert_int_equal(made, 0);
	sem_destroy(&arrived);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_that_waits_without_a_timer),
		cmocka_unit_test(test_message_that_comes_slowly),
		cmocka_unit_test(test_busy_client),
		cmocka_unit_test(test_new_client),
		cmocka_unit_test(test_client_that_waits_for_its_turn),
		cmocka_unit_test(test_client_that_takes_its_time),
		cmocka_unit_test(test_server_without_a_thread),
		cmocka_unit_test(test_thread_that_could_not_be_made),
		cmocka_unit_test(test_no_thread_is_made_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
