// SPDX-License-Identifier: Apache-2.0
/* What the command line may say, and the words for what it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "agent/config/arguments.h"

#define NOBODY 65534

static void test_the_command_line(void **state)
{
	char *const addresses[] = {
		(char *)"unix:///a.sock",
		(char *)"tcp://127.0.0.1:80",
		(char *)"tcp://0.0.0.0:81,tenant=it's,insecure=true",
		(char *)"tcp://127.0.0.1:82,tenant=t",
	};
	struct config *config;

	assert_int_equal(config_from_arguments(NULL, 0, NULL, &config), VACCEL_OK);
	assert_string_equal(config->listeners[0].address.text, "unix:///run/vaccel/agent.sock");
	config_unref(config);

	/* A user's own is where that user's programs look. */
	unsetenv("RUNTIME_DIRECTORY");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	if (!geteuid())
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(config_from_arguments(NULL, 0, NULL, &config), VACCEL_OK);
	assert_int_equal(seteuid(getuid()), 0);
	setenv("RUNTIME_DIRECTORY", "/run/vaccel", 1);
	assert_string_equal(config->listeners[0].address.text,
			    "unix:///run/user/7/vaccel/agent.sock");
	config_unref(config);

	assert_int_equal(
		config_from_arguments(addresses, 2, "plugins=noop:/x/liba.so,log_level=4", &config),
		VACCEL_OK);
	assert_null(config->listeners[0].tenant);
	assert_string_equal(config->listeners[1].tenant, "default");
	assert_int_equal(config->listeners[1].policy->plugins.count, 2);
	assert_string_equal(config->listeners[1].policy->plugins.at[1], "/x/liba.so");
	assert_int_equal(config->log.level, VACCEL_LOG_DEBUG);
	config_unref(config);

	assert_int_equal(config_from_arguments(&addresses[2], 1, NULL, &config), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(),
			       "command line: listeners[0].tenant: 'it's' is no name"));
	assert_int_equal(config_from_arguments(&addresses[3], 1, "", &config), VACCEL_OK);
	assert_string_equal(config->listeners[0].tenant, "t");
	config_unref(config);
}

static void test_wrong_command_lines(void **state)
{
	static const char *const rows[][3] = {
		{"unix:///a,tenant", NULL, "'tenant' is no KEY=VALUE"},
		{"unix:///a,", NULL, "'' is no KEY=VALUE"},
		{"unix:///a,tennant=a", NULL, "did you mean 'tenant'?"},
		{"unix:///a", "log_level=9", "log.level: '9' is none of"},
		{"unix:///a", "log_file=/x", "knows plugins and log_level, not 'log_file=/x'"},
		{"", NULL, "is no address"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *address = (char *)rows[i][0];
		struct config *config;

		assert_int_equal(config_from_arguments(&address, 1, rows[i][1], &config),
				 VACCEL_EINVAL);
		assert_non_null(strstr(vaccel_error_text(), rows[i][2]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_command_line),
		cmocka_unit_test(test_wrong_command_lines),
	};

	/* As for a service, whoever runs the test. */
	setenv("RUNTIME_DIRECTORY", "/run/vaccel", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
