// SPDX-License-Identifier: Apache-2.0
/*
 * write-manifest PLUGIN.so: prints the manifest of a plugin, the few lines that
 * lib/plugin/manifest.h shows. It is run when plugins are built. The names of
 * operations are taken from their signatures, so that this needs no libvaccel
 * of its own beside the one that the plugin brings along.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/plugin.h>

static const struct vaccel_plugin *open_plugin(const char *path)
{
	void *handle;
	const struct vaccel_plugin *plugin;

	/* Loading a plugin must not look for other plugins. */
	setenv("VACCEL_BOOTSTRAP_ENABLED", "0", 1);
	handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	plugin = handle ? dlsym(handle, "vaccel_plugin") : NULL;
	if (!plugin)
		fprintf(stderr, "write-manifest: %s\n", dlerror());
	return plugin;
}

static void print_ops(const struct vaccel_plugin *plugin)
{
	if (plugin->run_any) {
		puts("op *");
		return;
	}
	for (size_t i = 0; i < plugin->nr_ops; i++) {
		const char *signature = plugin->ops[i].signature;

		printf("op %.*s\n", (int)strcspn(signature, ":"), signature);
	}
}

int main(int argc, char **argv)
{
	const struct vaccel_plugin *plugin = argc == 2 ? open_plugin(argv[1]) : NULL;

	if (!plugin) {
		fprintf(stderr, "usage: write-manifest PLUGIN.so\n");
		return EXIT_FAILURE;
	}
	puts("vaccel-plugin 1");
	printf("name %s\nversion %s\ntype %#x\n", plugin->info->name, plugin->info->version,
	       plugin->info->type);
	if (plugin->info->sentence)
		printf("sentence %s\n", plugin->info->sentence);
	print_ops(plugin);
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
