// SPDX-License-Identifier: Apache-2.0
/* The table of live objects: look-ups, removal that waits, a million ids, many threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "nomem.h"
#include "object/table.h"

#define MILLION	   1000000
#define NR_OWNERS  3
#define NR_READERS 3
#define ROUNDS	   10000

static void test_insert_get_remove(void **state)
{
	struct table table = TABLE_INIT;
	struct table_entry *entry, *found;
	vaccel_id_t id;
	int object;

	assert_null(table_get(&table, 1));
	assert_int_equal(table_insert(&table, &object, &id, &entry), VACCEL_OK);
	assert_int_equal(id, 1);
	assert_int_equal(table_count(&table), 1);
	assert_int_equal(table_refs(entry), 0);

	found = table_get(&table, id);
	assert_ptr_equal(found, entry);
	assert_ptr_equal(atomic_load(&found->object), &object);
	assert_int_equal(table_refs(entry), 1);
	table_ref(entry);
	assert_int_equal(table_refs(entry), 2);
	table_unref(&table, entry);
	table_unref(&table, entry);

	assert_null(table_get(&table, 0));
	assert_null(table_get(&table, -1));
	assert_null(table_get(&table, 2));
	assert_null(table_get(&table, INT64_MAX));
	table_remove(&table, entry);
	assert_null(table_get(&table, id));
	assert_int_equal(table_count(&table), 0);
	table_clear(&table);
}

static void test_ids_go_on_after_clear(void **state)
{
	struct table table = TABLE_INIT;
	struct table_entry *entry;
	vaccel_id_t id;
	int object;

	for (vaccel_id_t i = 1; i <= 200; i++) {
		assert_int_equal(table_insert(&table, &object, &id, &entry), VACCEL_OK);
		assert_int_equal(id, i);
	}
	table_clear(&table);
	assert_null(table_get(&table, 7));
	assert_int_equal(table_insert(&table, &object, &id, &entry), VACCEL_OK);
	assert_int_equal(id, 201);
	assert_ptr_equal(table_get(&table, 201), entry);
	table_clear(&table);
}

static bool count_up_to_three(void *object, void *context)
{
	(*(int *)object)++;
	return ++*(int *)context < 3;
}

static void test_each_stops_when_told(void **state)
{
	struct table table = TABLE_INIT;
	struct table_entry *entry;
	int objects[5] = {0}, visits = 0, seen = 0;
	vaccel_id_t id;

	table_each(&table, count_up_to_three, &visits);
	assert_int_equal(visits, 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(table_insert(&table, &objects[i], &id, &entry), VACCEL_OK);
	table_each(&table, count_up_to_three, &visits);
	assert_int_equal(visits, 3);
	for (size_t i = 0; i < 5; i++)
		seen += objects[i];
	assert_int_equal(seen, 3);
	table_clear(&table);
}

static void test_no_memory(void **state)
{
	struct table table = TABLE_INIT;
	struct table_entry *entry = NULL;
	vaccel_id_t id = 0;
	int object;

	for (long passes = 0; passes < 2; passes++) {
		nomem_after(passes);
		assert_int_equal(table_insert(&table, &object, &id, &entry), VACCEL_ENOMEM);
		nomem_after(-1);
		assert_int_equal(id, 0);
		assert_null(entry);
		assert_int_equal(table_count(&table), 0);
	}
	assert_int_equal(table_insert(&table, &object, &id, &entry), VACCEL_OK);
	assert_int_equal(id, 1);
	table_clear(&table);
}

static void test_a_million(void **state)
{
	struct table_entry **entries = calloc(MILLION, sizeof(struct table_entry *));
	struct table table = TABLE_INIT;
	vaccel_id_t id;

	assert_non_null(entries);
	for (vaccel_id_t i = 0; i < MILLION; i++) {
		assert_int_equal(table_insert(&table, &entries[i], &id, &entries[i]), VACCEL_OK);
		assert_int_equal(id, i + 1);
	}
	assert_int_equal(table_count(&table), MILLION);
	for (vaccel_id_t i = 0; i < MILLION; i++) {
		struct table_entry *entry = table_get(&table, i + 1);

		assert_ptr_equal(entry, entries[i]);
		assert_ptr_equal(atomic_load(&entry->object), &entries[i]);
		table_unref(&table, entry);
	}
	for (vaccel_id_t i = 0; i < MILLION; i++)
		if (i % 1000)
			table_remove(&table, entries[i]);
	for (vaccel_id_t i = 0; i < MILLION; i += 1000)
		assert_ptr_equal(table_get(&table, i + 1), entries[i]);
	assert_null(table_get(&table, 2));
	table_clear(&table);
	free(entries);
}

struct waiting {
	struct table table;
	struct table_entry *entry;
	_Atomic bool removed;
};

static void *remove_it(void *context)
{
	struct waiting *waiting = context;

	table_remove(&waiting->table, waiting->entry);
	atomic_store(&waiting->removed, true);
	return NULL;
}

/* The remover is known to be waiting once the id is unknown. */
static void test_remove_waits_for_references(void **state)
{
	struct waiting waiting = {.table = TABLE_INIT};
	struct table_entry *held;
	pthread_t thread;
	vaccel_id_t id;
	int object;

	assert_int_equal(table_insert(&waiting.table, &object, &id, &waiting.entry), VACCEL_OK);
	held = table_get(&waiting.table, id);
	assert_non_null(held);
	assert_int_equal(pthread_create(&thread, NULL, remove_it, &waiting), 0);
	for (struct table_entry *again; (again = table_get(&waiting.table, id)); sched_yield())
		table_unref(&waiting.table, again);
	assert_false(atomic_load(&waiting.removed));
	assert_ptr_equal(atomic_load(&held->object), &object);
	table_unref(&waiting.table, held);
	pthread_join(thread, NULL);
	assert_true(atomic_load(&waiting.removed));
	table_clear(&waiting.table);
}

/* What owners insert: alive as long as it may be reached, and knowing its id. */
struct object {
	_Atomic vaccel_id_t id;
	_Atomic bool alive;
};

struct race {
	struct table table;
	_Atomic vaccel_id_t newest;
	_Atomic bool done;
};

static void *own_objects(void *context)
{
	struct race *race = context;

	for (int i = 0; i < ROUNDS; i++) {
		struct object object = {.alive = true};
		struct table_entry *entry;
		vaccel_id_t id;

		if (table_insert(&race->table, &object, &id, &entry))
			return (void *)"cannot insert";
		atomic_store(&object.id, id);
		atomic_store(&race->newest, id);
		table_remove(&race->table, entry);
		/* From here on nobody may look at the object. */
		atomic_store(&object.alive, false);
	}
	return NULL;
}

static void *look_up(void *context)
{
	struct race *race = context;

	while (!atomic_load(&race->done)) {
		vaccel_id_t newest = atomic_load(&race->newest);

		for (vaccel_id_t id = newest; id > newest - 4; id--) {
			struct table_entry *entry = table_get(&race->table, id);
			struct object *object;
			vaccel_id_t its_id;
			bool alive;

			if (!entry)
				continue;
			object = atomic_load(&entry->object);
			its_id = atomic_load(&object->id);
			alive = atomic_load(&object->alive);
			table_unref(&race->table, entry);
			if (!alive)
				return (void *)"an object was found after its end";
			if (its_id && its_id != id)
				return (void *)"another object was found";
		}
	}
	return NULL;
}

static void test_look_ups_beside_removals(void **state)
{
	struct race race = {.table = TABLE_INIT};
	pthread_t owners[NR_OWNERS], readers[NR_READERS];
	void *complaint = NULL, *one;

	for (size_t i = 0; i < NR_READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, look_up, &race), 0);
	for (size_t i = 0; i < NR_OWNERS; i++)
		assert_int_equal(pthread_create(&owners[i], NULL, own_objects, &race), 0);
	for (size_t i = 0; i < NR_OWNERS; i++) {
		pthread_join(owners[i], &one);
		complaint = complaint ? complaint : one;
	}
	atomic_store(&race.done, true);
	for (size_t i = 0; i < NR_READERS; i++) {
		pthread_join(readers[i], &one);
		complaint = complaint ? complaint : one;
	}
	if (complaint)
		fail_msg("%s", (char *)complaint);
	assert_int_equal(table_count(&race.table), 0);
	table_clear(&race.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insert_get_remove),
		cmocka_unit_test(test_ids_go_on_after_clear),
		cmocka_unit_test(test_each_stops_when_told),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_a_million),
		cmocka_unit_test(test_remove_waits_for_references),
		cmocka_unit_test(test_look_ups_beside_removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
