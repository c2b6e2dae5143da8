// SPDX-License-Identifier: Apache-2.0
/* A client's sessions and resources by their ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/worker/client/table.h"
#include "base/util.h"

/* Threads that make some at once may be overtaken on the way. */
static void test_ids_that_come_out_of_order(void **state)
{
	static const int64_t ids[] = {2, 7, 5, 9, 3, 1};
	struct table table = {0};
	int objects[10];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(table_add(&table, ids[i], &objects[ids[i]]), VACCEL_OK);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_ptr_equal(table_find(&table, ids[i]), &objects[ids[i]]);
	assert_null(table_find(&table, 4));
	assert_ptr_equal(table_remove(&table, 5), &objects[5]);
	assert_null(table_remove(&table, 5));
	assert_ptr_equal(table_find(&table, 7), &objects[7]);
	table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_that_come_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
