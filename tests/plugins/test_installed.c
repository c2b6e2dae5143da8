// SPDX-License-Identifier: Apache-2.0
/* What a program is told of the plugins of an installation and of those it uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

struct notes {
	char names[256];
	const struct vaccel_op *op;
	size_t offers; /* how many offer it */
};

static void note(void *context, const struct vaccel_plugin *plugin)
{
	struct notes *notes = context;

	assert_non_null(strstr(vaccel_plugin_path(plugin), plugin->info->name));
	assert_null(vaccel_plugin_failure(plugin));
	assert_int_equal(plugin->size, 0);
	strcat(strcat(notes->names, plugin->info->name), " ");
	notes->offers += vaccel_plugin_offers(plugin, notes->op);
}

static void test_installed_plugins_are_seen_and_not_loaded(void **state)
{
	struct notes notes = {.op = vaccel_op_by_number(VACCEL_OP_MINMAX)};

	install_fake(*state, "cpu", true);
	install_fake(*state, "alpha", true);
	install_fake(*state, "debug", true);
	install_fake(*state, "beta", false);
	setenv("VACCEL_PLUGIN_DIR", *state, 1);
	assert_int_equal(vaccel_plugin_installed(note, &notes), VACCEL_OK);
	unsetenv("VACCEL_PLUGIN_DIR");
	assert_string_equal(notes.names, "alpha beta debug cpu ");
	/* Without a manifest nobody knows. */
	assert_int_equal(notes.offers, 3);
	assert_false(is_mapped(*state));
}

static void test_no_plugins_are_installed(void **state)
{
	struct notes notes = {0};

	setenv("VACCEL_PLUGIN_DIR", *state, 1);
	assert_int_equal(vaccel_plugin_installed(note, &notes), VACCEL_ENOENT);
	unsetenv("VACCEL_PLUGIN_DIR");
	assert_says(*state);
	assert_int_equal(vaccel_plugin_installed(NULL, NULL), VACCEL_EINVAL);
}

static void test_what_is_told_of_a_plugin(void **state)
{
	const struct vaccel_op *op = vaccel_op_by_number(VACCEL_OP_MINMAX);

	install_fake(*state, "alpha", false);
	assert_int_equal(boot(path_in(*state, "libvaccel-alpha.so")), VACCEL_OK);
	assert_string_equal(vaccel_plugin_path(vaccel_plugin_at(0)),
			    path_in(*state, "libvaccel-alpha.so"));
	assert_null(vaccel_plugin_failure(vaccel_plugin_at(0)));
	assert_true(vaccel_plugin_offers(vaccel_plugin_at(0), op));
	assert_false(vaccel_plugin_offers(vaccel_plugin_at(0), vaccel_op_at(0)));

	assert_null(vaccel_plugin_path(NULL));
	assert_null(vaccel_plugin_failure(NULL));
	assert_false(vaccel_plugin_offers(NULL, op));
	assert_false(vaccel_plugin_offers(vaccel_plugin_at(0), NULL));
}

static void test_a_failure_stays_with_the_plugin(void **state)
{
	install_fake(*state, "broken", true);
	setenv("VACCEL_PLUGIN_DIR", *state, 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	unsetenv("VACCEL_PLUGIN_DIR");
	assert_null(vaccel_plugin_failure(vaccel_plugin_at(0)));
	assert_int_equal(vaccel_plugin_load(vaccel_plugin_path(vaccel_plugin_at(0))),
			 VACCEL_ENODEV);
	assert_string_equal(vaccel_plugin_failure(vaccel_plugin_at(0)), vaccel_error_text());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_installed_plugins_are_seen_and_not_loaded,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_no_plugins_are_installed, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_what_is_told_of_a_plugin, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_a_failure_stays_with_the_plugin, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
