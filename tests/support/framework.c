// SPDX-License-Identifier: Apache-2.0
/* See framework.h. */
#include "framework.h"

#include <unistd.h>

struct vaccel_session session;

int load_plugin(void)
{
	/* Another one, if the tests run through an agent. */
	const char *plugins = getenv("VACCEL_PLUGINS");
	struct vaccel_config config = {
		.plugins = (char *)(plugins ? plugins : FRAMEWORK),
		.log_level = VACCEL_LOG_ERROR,
	};
	int ret = vaccel_bootstrap_with_config(&config);

	if (!ret)
		assert_int_equal(vaccel_session_init(&session, 0), VACCEL_OK);
	return ret;
}

void reload(void)
{
	assert_int_equal(load_plugin(), VACCEL_OK);
}

int fixture_setup(void **state)
{
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	return load_plugin();
}

/* What is unset moves what is behind it. */
static void unset_knobs(void)
{
	char name[64];

	for (char **at = environ; *at;) {
		if (strncmp(*at, KNOBS, strlen(KNOBS)) != 0) {
			at++;
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*at, "="), *at);
		unsetenv(name);
	}
}

int fixture_teardown(void **state)
{
	unset_knobs();
	vaccel_session_release(&session);
	vaccel_cleanup();
	return 0;
}
