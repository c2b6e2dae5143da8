// SPDX-License-Identifier: Apache-2.0
/* Lists of ids: order, gaps, a million, readers beside a writer. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "nomem.h"
#include "object/id_list.h"

#define MILLION	   1000000
#define CHURN	   100000
#define STEADY	   10
#define NR_READERS 3

static void assert_ids(const struct id_list *list, size_t nr, const vaccel_id_t *ids)
{
	size_t position = 0;

	assert_int_equal(id_list_count(list), nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(id_list_next(list, &position), ids[i]);
	assert_int_equal(id_list_next(list, &position), 0);
	assert_int_equal(id_list_next(list, &position), 0);
}

static void test_empty(void **state)
{
	struct id_list list = {NULL};

	assert_ids(&list, 0, NULL);
	assert_false(id_list_has(&list, 1));
	assert_false(id_list_has(&list, 0));
	assert_false(id_list_remove(&list, 1));
	id_list_clear(&list);
}

static void test_order_and_twice(void **state)
{
	struct id_list list = {NULL};
	const vaccel_id_t ids[] = {7, 3, INT64_MAX, 1, 2, 900};

	for (size_t i = 0; i < 6; i++)
		assert_int_equal(id_list_add(&list, ids[i]), VACCEL_OK);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(id_list_add(&list, ids[i]), VACCEL_OK);
	assert_ids(&list, 6, ids);
	assert_true(id_list_has(&list, 3));
	assert_false(id_list_has(&list, 4));
	assert_false(id_list_has(&list, 0));
	assert_false(id_list_has(&list, -7));
	id_list_clear(&list);
	assert_ids(&list, 0, NULL);
}

static void test_removed_ids_leave_the_order(void **state)
{
	struct id_list list = {NULL};

	for (vaccel_id_t id = 1; id <= 5; id++)
		id_list_add(&list, id);
	assert_true(id_list_remove(&list, 1));
	assert_false(id_list_remove(&list, 1));
	assert_true(id_list_remove(&list, 3));
	assert_ids(&list, 3, (vaccel_id_t[]){2, 4, 5});
	/* One that comes back comes last. */
	id_list_add(&list, 1);
	assert_ids(&list, 4, (vaccel_id_t[]){2, 4, 5, 1});
	id_list_clear(&list);
	/* And a list that was cleared can be used again. */
	id_list_add(&list, 8);
	assert_ids(&list, 1, (vaccel_id_t[]){8});
	id_list_clear(&list);
}

/* Full to the brim, then removals only: closing the gaps must not ask for more room. */
static void test_gaps_in_a_full_list(void **state)
{
	for (size_t size = 1; size <= 256; size++) {
		struct id_list list = {NULL};

		for (vaccel_id_t id = 1; id <= (vaccel_id_t)size; id++)
			id_list_add(&list, id);
		for (vaccel_id_t id = 1; id <= (vaccel_id_t)size; id++) {
			size_t position = 0;

			assert_int_equal(id_list_next(&list, &position), id);
			assert_true(id_list_remove(&list, id));
		}
		assert_ids(&list, 0, NULL);
		id_list_clear(&list);
	}
}

static void test_a_walk_survives_changes(void **state)
{
	struct id_list list = {NULL};
	size_t position = 0;

	for (vaccel_id_t id = 1; id <= 100; id++)
		id_list_add(&list, id);
	for (vaccel_id_t id = 1; id <= 50; id++) {
		assert_int_equal(id_list_next(&list, &position), id);
		assert_true(id_list_remove(&list, id));
	}
	for (vaccel_id_t id = 101; id <= 1000; id++)
		id_list_add(&list, id);
	for (vaccel_id_t id = 51; id <= 1000; id++)
		assert_int_equal(id_list_next(&list, &position), id);
	assert_int_equal(id_list_next(&list, &position), 0);
	id_list_clear(&list);
}

/* Ids that come and go for ever take no more memory: no allocation is needed any more. */
static void test_coming_and_going_takes_no_memory(void **state)
{
	struct id_list list = {NULL};

	for (vaccel_id_t id = 1; id <= 40; id++)
		id_list_add(&list, id);
	nomem_after(0);
	for (vaccel_id_t id = 41; id <= CHURN; id++) {
		assert_true(id_list_remove(&list, id - 40));
		assert_int_equal(id_list_add(&list, id), VACCEL_OK);
	}
	nomem_after(-1);
	assert_int_equal(id_list_count(&list), 40);
	id_list_clear(&list);
}

static void test_no_memory(void **state)
{
	struct id_list list = {NULL};

	nomem_after(0);
	assert_int_equal(id_list_add(&list, 1), VACCEL_ENOMEM);
	nomem_after(-1);
	assert_ids(&list, 0, NULL);
	for (vaccel_id_t id = 1; id <= 4; id++)
		assert_int_equal(id_list_add(&list, id), VACCEL_OK);
	nomem_after(0);
	assert_int_equal(id_list_add(&list, 5), VACCEL_ENOMEM);
	nomem_after(-1);
	assert_ids(&list, 4, (vaccel_id_t[]){1, 2, 3, 4});
	id_list_clear(&list);
}

/* If anything were quadratic this would take minutes. */
static void test_a_million(void **state)
{
	struct id_list list = {NULL};
	size_t position = 0;

	for (vaccel_id_t id = 1; id <= MILLION; id++)
		assert_int_equal(id_list_add(&list, id * 3), VACCEL_OK);
	assert_int_equal(id_list_count(&list), MILLION);
	for (vaccel_id_t id = 1; id <= MILLION; id++) {
		assert_int_equal(id_list_next(&list, &position), id * 3);
		assert_false(id_list_has(&list, id * 3 + 1));
	}
	for (vaccel_id_t id = 1; id < MILLION; id++) {
		assert_true(id_list_has(&list, id * 3));
		assert_true(id_list_remove(&list, id * 3));
	}
	/* Nor do the gaps stand in the way of the first. */
	for (int i = 0; i < MILLION / 5; i++) {
		position = 0;
		assert_int_equal(id_list_next(&list, &position), (vaccel_id_t)MILLION * 3);
	}
	assert_ids(&list, 1, (vaccel_id_t[]){(vaccel_id_t)MILLION * 3});
	id_list_clear(&list);
}

struct shared {
	struct id_list list;
	_Atomic bool done;
};

/* Ids 1 to STEADY stay; a reader sees each of them, in order, whatever else comes and goes. */
static void *read_steady(void *context)
{
	struct shared *shared = context;

	while (!atomic_load(&shared->done)) {
		vaccel_id_t id, expected = 1;
		size_t position = 0;

		while ((id = id_list_next(&shared->list, &position)))
			if (id <= STEADY && id != expected++)
				return (void *)"a steady id is missing or out of order";
		if (expected != STEADY + 1)
			return (void *)"a steady id is missing at the end";
		for (id = 1; id <= STEADY; id++)
			if (!id_list_has(&shared->list, id))
				return (void *)"has() misses a steady id";
	}
	return NULL;
}

static void test_readers_beside_a_writer(void **state)
{
	struct shared shared = {.done = false};
	pthread_t readers[NR_READERS];
	vaccel_id_t next = STEADY + 1;

	/* Steady ones lie between some that go at once, so that they are moved. */
	for (vaccel_id_t id = 1; id <= STEADY; id++) {
		id_list_add(&shared.list, 1000000 + id);
		id_list_add(&shared.list, id);
	}
	for (size_t i = 0; i < NR_READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_steady, &shared), 0);
	for (vaccel_id_t id = 1; id <= STEADY; id++)
		assert_true(id_list_remove(&shared.list, 1000000 + id));
	/* Every few of these all are moved together. */
	for (int i = 0; i < CHURN; i++, next++) {
		assert_int_equal(id_list_add(&shared.list, next), VACCEL_OK);
		assert_true(id_list_remove(&shared.list, next));
	}
	atomic_store(&shared.done, true);
	for (size_t i = 0; i < NR_READERS; i++) {
		void *complaint;

		pthread_join(readers[i], &complaint);
		if (complaint)
			fail_msg("%s", (char *)complaint);
	}
	id_list_clear(&shared.list);
}

/* A writer that a forked child has not was at moving ids together. */
static void test_a_fork_amid_a_change(void **state)
{
	const vaccel_id_t ids[] = {4, 5};
	struct id_list list = {NULL};

	assert_int_equal(id_list_add(&list, 4), VACCEL_OK);
	assert_int_equal(id_list_add(&list, 5), VACCEL_OK);
	id_list_after_fork(&list);
	assert_ids(&list, 2, ids);
	atomic_fetch_add(&list.version, 1);
	id_list_after_fork(&list);
	assert_ids(&list, 0, NULL);
	assert_int_equal(id_list_add(&list, 5), VACCEL_OK);
	assert_ids(&list, 1, &ids[1]);
	id_list_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_order_and_twice),
		cmocka_unit_test(test_removed_ids_leave_the_order),
		cmocka_unit_test(test_gaps_in_a_full_list),
		cmocka_unit_test(test_a_walk_survives_changes),
		cmocka_unit_test(test_coming_and_going_takes_no_memory),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_a_million),
		cmocka_unit_test(test_readers_beside_a_writer),
		cmocka_unit_test(test_a_fork_amid_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
