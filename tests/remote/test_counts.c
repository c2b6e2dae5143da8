// SPDX-License-Identifier: Apache-2.0
/*
 * How often something is loaded, by the plugin's insides: an operation that loads may have other
 * arguments than the model, and what unloads has none of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/util.h"
#include "remote/session.h"

/* Two clients: here it is called, elsewhere what is kept would be done again. */
#define HERE	  1
#define ELSEWHERE 2

struct args {
	struct vaccel_resource *model;
	uint32_t where; /* a load's */
};

static const struct vaccel_field fields[] = {
	{.name = "model",
	 .dir = VACCEL_DIR_IN,
	 .kind = VACCEL_KIND_RESOURCE,
	 .offset = offsetof(struct args, model)},
	{.name = "where",
	 .dir = VACCEL_DIR_IN,
	 .kind = VACCEL_KIND_ONE,
	 .offset = offsetof(struct args, where),
	 .size = sizeof(uint32_t)},
};

static const struct vaccel_op load = {.name = "some_model_load", .fields = fields, .nr_fields = 2};
static const struct vaccel_op unload = {
	.name = "some_model_unload", .fields = fields, .nr_fields = 1};
static const struct vaccel_op other = {
	.name = "other_model_load", .fields = fields, .nr_fields = 2};

static struct vaccel_resource model = {.id = 7};
static struct resource resource = {.res = &model};
static struct registration registration = {.resource = &resource};
static struct session session = {.registrations = &registration};

static void note(const struct vaccel_op *op, uint32_t where, bool is_sure)
{
	load_note(&session, op, &(struct args){&model, where}, HERE, is_sure);
}

static size_t forget(bool is_sure)
{
	return load_forget(&session, &unload, &(struct args){&model, 0}, HERE, is_sure);
}

static int end(void **state)
{
	loads_release(&resource);
	return 0;
}

static void test_what_may_be_left_stays_while_a_load_counts(void **state)
{
	note(&load, 1, true);
	note(&load, 1, false);
	note(&load, 2, true);
	assert_int_equal(forget(true), 0);
	assert_true(resource_has_undone(&resource, ELSEWHERE));
	assert_int_equal(forget(true), 1);
	assert_null(resource.loads);
}

static void test_an_unload_that_may_be_missing_is_not_forgotten(void **state)
{
	note(&load, 1, true);
	note(&load, 2, true);
	assert_int_equal(forget(false), 0);
	assert_int_equal(forget(false), 2);
	assert_null(resource.loads);
	assert_int_equal(forget(false), 1);
}

/* A load of which nobody knows whether it ran, and that is not the program's, is first. */
static void test_what_counts_is_undone(void **state)
{
	note(&load, 1, false);
	note(&load, 2, true);
	assert_int_equal(forget(true), 1);
	assert_false(resource_has_undone(&resource, ELSEWHERE));
	assert_null(resource.loads);
}

static void test_other_operations_count_for_themselves(void **state)
{
	note(&other, 1, true);
	note(&load, 1, true);
	note(&load, 1, false);
	assert_int_equal(forget(true), 1);
	assert_true(resource_has_undone(&resource, ELSEWHERE));
	assert_int_equal(forget(true), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, end)
	const struct CMUnitTest tests[] = {
		TEST(test_what_may_be_left_stays_while_a_load_counts),
		TEST(test_an_unload_that_may_be_missing_is_not_forgotten),
		TEST(test_what_counts_is_undone),
		TEST(test_other_operations_count_for_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
