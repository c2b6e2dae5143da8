// SPDX-License-Identifier: Apache-2.0
/* How a server ends: no thread is made any more that nobody would wait for. */
#include "bed.h"

#include <pthread.h>
#include <semaphore.h>

#include "transport/link.h"

void __real_link_shut_down(struct link *link);
void __wrap_link_shut_down(struct link *link);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*main)(void *), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*main)(void *), void *context);

static pthread_t tester;
static atomic_bool ends;
static atomic_uint made;
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
	return __real_pthread_create(thread, attributes, main, context);
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
		cmocka_unit_test(test_no_thread_is_made_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
