// SPDX-License-Identifier: Apache-2.0
/* See files.h. Whatever goes wrong here fails the test. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

int scratch_setup(void **state)
{
	char path[] = "/tmp/vaccel-plugins-XXXXXX";

	if (!mkdtemp(path))
		return -1;
	*state = realpath(path, NULL);
	setenv("VACCEL_PLUGIN_DIR", *state, 1);
	return *state ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

int scratch_teardown(void **state)
{
	int ret = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	vaccel_cleanup();
	unsetenv("VACCEL_PLUGIN_DIR");
	free(*state);
	return ret;
}

const char *path_in(const char *dir, const char *name)
{
	static char paths[2][4096];
	static int turn;
	char *path = paths[turn ^= 1];

	assert_true(snprintf(path, sizeof(paths[0]), "%s/%s", dir, name) < (int)sizeof(paths[0]));
	return path;
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void copy_file(const char *from, const char *to)
{
	char buf[65536];
	size_t size;
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");

	assert_non_null(in);
	assert_non_null(out);
	while ((size = fread(buf, 1, sizeof(buf), in)))
		assert_int_equal(fwrite(buf, 1, size, out), size);
	assert_int_equal(fclose(in) | fclose(out), 0);
}

void install_fake(const char *dir, const char *name, bool with_manifest)
{
	char file[256];

	snprintf(file, sizeof(file), "libvaccel-%s.so", name);
	copy_file(path_in(FAKE_DIR, file), path_in(dir, file));
	if (!with_manifest)
		return;
	snprintf(file, sizeof(file), "libvaccel-%s.manifest", name);
	copy_file(path_in(FAKE_DIR, file), path_in(dir, file));
}

bool is_mapped(const char *part)
{
	char line[4096];
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	while (!found && fgets(line, sizeof(line), maps))
		found = strstr(line, part) != NULL;
	fclose(maps);
	return found;
}

int boot(const char *plugins)
{
	struct vaccel_config config;
	int ret;

	assert_int_equal(
		vaccel_config_init(&config, plugins, VACCEL_LOG_ERROR, "/dev/null", false, false),
		VACCEL_OK);
	ret = vaccel_bootstrap_with_config(&config);
	vaccel_config_release(&config);
	return ret;
}

const char *plugin_names(void)
{
	static char names[1024];
	const struct vaccel_plugin *plugin;

	names[0] = '\0';
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++) {
		size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, "%s%s", i ? " " : "",
			 plugin->info->name);
	}
	return names;
}

int who_answers(struct vaccel_session *sess, int n)
{
	double in[16] = {0}, out[16], min = 0, max = 0;
	int ret = vaccel_minmax(sess, in, n, -1, 1, out, &min, &max);

	return ret ? -ret : (int)min;
}
