// SPDX-License-Identifier: Apache-2.0
/* Chooses the plugins itself, whatever the environment says, and lists them. */
#include "example.h"

int main(int argc, char **argv)
{
	const struct vaccel_plugin *plugin;
	struct vaccel_config config;
	struct vaccel_session sess;

	if (argc != 2)
		usage("config PLUGIN[:PLUGIN]...");
	TRY(vaccel_config_init(&config, argv[1], VACCEL_LOG_WARN, NULL, false, false));
	TRY(vaccel_bootstrap_with_config(&config));
	TRY(vaccel_config_release(&config));

	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		printf("plugin %s: %s\n", plugin->info->name, plugin->info->sentence);
	TRY(vaccel_session_init(&sess, 0));
	printf("a session prefers %s\n", sess.plugin->info->name);
	TRY(vaccel_session_release(&sess));
	TRY(vaccel_cleanup());
	return EXIT_SUCCESS;
}
