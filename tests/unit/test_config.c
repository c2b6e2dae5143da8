// SPDX-License-Identifier: Apache-2.0
/* struct vaccel_config: defaults, copies, the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/config.h>
#include <vaccel/error.h>

static void assert_defaults(const struct vaccel_config *config)
{
	assert_null(config->plugins);
	assert_int_equal(config->log_level, VACCEL_LOG_ERROR);
	assert_null(config->log_file);
	assert_false(config->profiling_enabled);
	assert_false(config->version_ignore);
}

static void test_init_copies_and_release_restores(void **state)
{
	char plugins[] = "noop", file[] = "/tmp/log";
	struct vaccel_config config;

	assert_int_equal(vaccel_config_init(&config, plugins, VACCEL_LOG_DEBUG, file, true, true),
			 VACCEL_OK);
	plugins[0] = file[0] = 'x';
	assert_string_equal(config.plugins, "noop");
	assert_string_equal(config.log_file, "/tmp/log");
	assert_int_equal(config.log_level, VACCEL_LOG_DEBUG);
	assert_true(config.profiling_enabled);
	assert_true(config.version_ignore);
	vaccel_config_print_debug(&config);
	vaccel_config_print_debug(NULL);
	assert_int_equal(vaccel_config_release(&config), VACCEL_OK);
	assert_defaults(&config);
	assert_int_equal(vaccel_config_release(&config), VACCEL_OK);
}

static void test_new_and_delete(void **state)
{
	struct vaccel_config *config, *copy;

	assert_int_equal(vaccel_config_new(&config, NULL, VACCEL_LOG_WARN, NULL, false, true),
			 VACCEL_OK);
	assert_null(config->plugins);
	assert_int_equal(vaccel_config_from(&copy, config), VACCEL_OK);
	assert_int_equal(copy->log_level, VACCEL_LOG_WARN);
	assert_true(copy->version_ignore);
	assert_int_equal(vaccel_config_delete(copy), VACCEL_OK);
	assert_int_equal(vaccel_config_delete(config), VACCEL_OK);
}

static void test_environment(void **state)
{
	struct vaccel_config config, *allocated;

	setenv("VACCEL_PLUGINS", "cpu:noop", 1);
	setenv("VACCEL_LOG_LEVEL", "3", 1);
	setenv("VACCEL_LOG_FILE", "/dev/null", 1);
	setenv("VACCEL_PROFILING_ENABLED", "1", 1);
	assert_int_equal(vaccel_config_init_from_env(&config), VACCEL_OK);
	assert_string_equal(config.plugins, "cpu:noop");
	assert_int_equal(config.log_level, VACCEL_LOG_INFO);
	assert_string_equal(config.log_file, "/dev/null");
	assert_true(config.profiling_enabled);
	vaccel_config_release(&config);
	unsetenv("VACCEL_PLUGINS");
	unsetenv("VACCEL_LOG_FILE");
	unsetenv("VACCEL_PROFILING_ENABLED");
	assert_int_equal(vaccel_config_from_env(&allocated), VACCEL_OK);
	assert_string_equal(allocated->plugins, "auto");
	vaccel_config_delete(allocated);
	setenv("VACCEL_LOG_LEVEL", "7", 1);
	allocated = NULL;
	assert_int_equal(vaccel_config_from_env(&allocated), VACCEL_EINVAL);
	assert_null(allocated);
	assert_int_equal(vaccel_config_init_from_env(&config), VACCEL_EINVAL);
	unsetenv("VACCEL_LOG_LEVEL");
}

static void test_nonsense(void **state)
{
	struct vaccel_config config = {.log_level = VACCEL_LOG_INFO};
	struct vaccel_config *made = NULL;

	assert_int_equal(vaccel_config_init(NULL, "", VACCEL_LOG_INFO, NULL, false, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init(&config, "", (vaccel_log_level_t)0, NULL, false, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init(&config, "", VACCEL_LOG_MAX, NULL, false, false),
			 VACCEL_EINVAL);
	assert_int_equal(config.log_level, VACCEL_LOG_INFO);
	assert_int_equal(vaccel_config_new(NULL, "", VACCEL_LOG_INFO, NULL, false, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_config_new(&made, "", VACCEL_LOG_MAX, NULL, false, false),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init_from_env(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_from_env(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init_from(NULL, &config), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_init_from(&config, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_from(NULL, &config), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_from(&made, NULL), VACCEL_EINVAL);
	assert_null(made);
	assert_int_equal(vaccel_config_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_config_delete(NULL), VACCEL_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_copies_and_release_restores),
		cmocka_unit_test(test_new_and_delete),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
