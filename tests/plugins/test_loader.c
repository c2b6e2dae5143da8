// SPDX-License-Identifier: Apache-2.0
/*
 * Which plugins there are after a bootstrap, when their files are loaded, and
 * what is said of those that cannot be. Plugins stay mapped for the life of a
 * process, so each test works on copies in a directory of its own.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"

static void test_a_plugin_goes_by_many_names(void **state)
{
	char list[16384];

	install_fake(*state, "alpha", true);
	assert_int_equal(symlink(path_in(*state, "libvaccel-alpha.so"),
				 path_in(*state, "libvaccel-link.so")),
			 0);
	assert_int_equal(
		link(path_in(*state, "libvaccel-alpha.so"), path_in(*state, "libvaccel-hard.so")),
		0);
	assert_int_equal(boot("alpha"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha");
	assert_int_equal(boot("libvaccel-alpha.so"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha");
	assert_int_equal(boot(path_in(*state, "libvaccel-alpha.so")), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha");

	snprintf(list, sizeof(list),
		 "::alpha:link:hard:libvaccel-alpha.so:%s:%s/../%s/libvaccel-link.so:",
		 path_in(*state, "libvaccel-alpha.so"), (char *)*state, strrchr(*state, '/') + 1);
	assert_int_equal(boot(list), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha");
}

static void test_a_list_keeps_its_order(void **state)
{
	install_fake(*state, "alpha", true);
	install_fake(*state, "beta", true);
	install_fake(*state, "cpu", true);
	install_fake(*state, "debug", true);
	assert_int_equal(boot("debug:cpu:beta:alpha"), VACCEL_OK);
	assert_string_equal(plugin_names(), "debug cpu beta alpha");
}

static void test_a_directory_brings_all_but_debug(void **state)
{
	install_fake(*state, "beta", false);
	install_fake(*state, "debug", false);
	install_fake(*state, "cpu", false);
	install_fake(*state, "alpha", false);
	install_fake(*state, "picky", true);
	write_file(path_in(*state, "libvaccel-text.so"), "no library at all\n");
	write_file(path_in(*state, "libvaccel.so"), "no plugin's name\n");
	write_file(path_in(*state, "README"), "nor this\n");
	assert_int_equal(boot(*state), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha beta picky cpu");
}

static void test_where_things_lie(void **state)
{
	size_t library_length;

	assert_string_equal(vaccel_plugindir(), *state);
	setenv("VACCEL_DATA_DIR", "/some/where", 1);
	assert_string_equal(vaccel_datadir(), "/some/where");
	unsetenv("VACCEL_DATA_DIR");
	unsetenv("VACCEL_PLUGIN_DIR");
	/* Both in the tree of libvaccel.so, wherever that is. */
	assert_string_equal(strrchr(vaccel_plugindir(), '/'), "/vaccel");
	library_length = (size_t)(strrchr(vaccel_plugindir(), '/') - vaccel_plugindir());
	assert_int_equal(strncmp(vaccel_datadir(), vaccel_plugindir(), library_length), 0);
	assert_non_null(strstr(vaccel_datadir() + library_length, "../share/vaccel"));
	assert_ptr_equal(vaccel_datadir(), vaccel_datadir());
}

static void test_no_plugins(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot(NULL), VACCEL_OK);
	assert_null(vaccel_plugin_at(0));
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ENOTSUP);
	assert_says("no plugin is loaded");
	assert_int_equal(boot(""), VACCEL_OK);
	assert_null(vaccel_plugin_at(0));
	assert_int_equal(boot(":"), VACCEL_OK);
	assert_null(vaccel_plugin_at(0));
}

static void test_auto_loads_what_is_needed(void **state)
{
	struct vaccel_session sess;
	const struct vaccel_plugin *plugin;

	install_fake(*state, "cpu", true);
	install_fake(*state, "alpha", true);
	install_fake(*state, "beta", true);
	install_fake(*state, "debug", true);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha beta cpu");
	plugin = vaccel_plugin_at(1);
	assert_int_equal(plugin->info->type, VACCEL_PLUGIN_FPGA);
	assert_string_equal(plugin->info->version, "1.2.3");
	assert_string_equal(plugin->info->sentence, "is there for tests");

	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_FPGA), VACCEL_OK);
	assert_string_equal(sess.plugin->info->name, "beta");
	assert_int_equal(vaccel_fpga_vadd(&sess, (float[]){1}, (float[]){1}, (float[]){1}, 1, 1),
			 VACCEL_ENOTSUP);
	assert_says("fpga_vectoradd");
	assert_false(is_mapped(*state));
	assert_int_equal(who_answers(&sess, 1), 2);
	assert_true(is_mapped(path_in(*state, "libvaccel-beta.so")));
	assert_false(is_mapped(path_in(*state, "libvaccel-alpha.so")));
	assert_false(is_mapped(path_in(*state, "libvaccel-cpu.so")));
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_auto_without_manifests(void **state)
{
	install_fake(*state, "beta", false);
	install_fake(*state, "debug", false);
	install_fake(*state, "alpha", true);
	install_fake(*state, "cpu", false);
	write_file(path_in(*state, "libvaccel-cpu.manifest"), "vaccel-plugin 77\nname cpu\n");
	write_file(path_in(*state, "libvaccel-text.so"), "no library at all\n");
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha beta cpu");
	assert_false(is_mapped(path_in(*state, "libvaccel-alpha.so")));
	assert_true(is_mapped(path_in(*state, "libvaccel-beta.so")));
	assert_true(is_mapped(path_in(*state, "libvaccel-cpu.so")));
}

static void test_auto_beside_a_plugin_by_name(void **state)
{
	install_fake(*state, "alpha", true);
	install_fake(*state, "debug", true);
	assert_int_equal(boot("debug:auto"), VACCEL_OK);
	assert_string_equal(plugin_names(), "debug alpha");
}

static void test_auto_of_nothing(void **state)
{
	struct vaccel_session sess;

	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ENOTSUP);
	assert_says(*state);
	setenv("VACCEL_PLUGIN_DIR", "/nowhere/at/all", 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ENOTSUP);
	assert_says("in the directory '/nowhere/at/all'; set VACCEL_PLUGIN_DIR to where");
	/* Who wants none is not told of it. */
	assert_int_equal(boot(""), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_ENOTSUP);
	assert_says("no plugin is loaded; set VACCEL_PLUGINS");
}

/* A manifest may say more than the plugin, as after half an update. */
static void test_a_manifest_that_promises_too_much(void **state)
{
	struct vaccel_session sess;

	install_fake(*state, "alpha", true);
	install_fake(*state, "beta", true);
	write_file(path_in(*state, "libvaccel-alpha.manifest"),
		   "vaccel-plugin 1\nname alpha\nversion 1\ntype 0x2\nfuture thing\n\nop noop\n"
		   "op minmax\nop nobody_knows\n");
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(vaccel_noop(&sess), VACCEL_ENOTSUP);
	assert_says("noop");
	assert_int_equal(who_answers(&sess, 1), 1);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

/* A failed bootstrap is every session's error, until one succeeds. */
static void check_refused(const char *plugins, int code, const char *words)
{
	struct vaccel_session sess;

	assert_int_equal(boot(plugins), code);
	assert_says(words);
	assert_false(vaccel_is_initialized());
	assert_null(vaccel_plugin_at(0));
	assert_int_equal(vaccel_session_init(&sess, 0), code);
	assert_says(words);
}

static void test_what_cannot_be_loaded(void **state)
{
	char long_name[400];

	install_fake(*state, "alpha", true);
	check_refused("nothere", VACCEL_ENOENT, "libvaccel-nothere.so");
	check_refused("alpha:nothere", VACCEL_ENOENT, "libvaccel-nothere.so");
	check_refused("/no/where/libvaccel-alpha.so", VACCEL_ENOENT, "/no/where");
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	check_refused(long_name, VACCEL_ENOENT, "too long");
	write_file(path_in(*state, "libvaccel-text.so"), "no library at all, but long enough\n");
	check_refused("text", VACCEL_ENOENT, "libvaccel-text.so");
	assert_int_equal(mkdir(path_in(*state, "empty"), 0700), 0);
	check_refused(path_in(*state, "empty"), VACCEL_ENOENT, "no plugins");
	assert_int_equal(boot("alpha"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha");
}

/* Whoever can write to the directory that a program is started in has no say in what it loads. */
static void test_the_current_directory_is_not_searched(void **state)
{
	char before[4096];

	/* Under names that the linker does not find where the tests' plugins were built. */
	install_fake(*state, "alpha", false);
	assert_int_equal(mkdir(path_in(*state, "libvaccel-folder.so"), 0700), 0);
	copy_file(path_in(*state, "libvaccel-alpha.so"),
		  path_in(*state, "libvaccel-folder.so/libvaccel-beta.so"));
	assert_int_equal(
		rename(path_in(*state, "libvaccel-alpha.so"), path_in(*state, "libvaccel-here.so")),
		0);
	setenv("VACCEL_PLUGIN_DIR", "/nowhere", 1);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(*state), 0);
	check_refused("here", VACCEL_ENOENT, "libvaccel-here.so");
	check_refused("libvaccel-here.so", VACCEL_ENOENT, "libvaccel-here.so");
	check_refused("folder", VACCEL_ENOENT, "libvaccel-folder.so");
	assert_int_equal(boot("./libvaccel-here.so:./libvaccel-folder.so"), VACCEL_OK);
	assert_string_equal(plugin_names(), "alpha alpha");
	assert_int_equal(chdir(before), 0);
}

static void test_a_plugin_cut_short(void **state)
{
	static const off_t sizes[] = {0, 1, 64};
	const char *path;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		install_fake(*state, "alpha", false);
		path = path_in(*state, "libvaccel-alpha.so");
		assert_int_equal(truncate(path, sizes[i]), 0);
		check_refused("alpha", VACCEL_ENOENT, "libvaccel-alpha.so");
	}
	/* Where it still looks like a library at its beginning */
	for (off_t size = 500; size <= 4000; size += 500) {
		install_fake(*state, "alpha", false);
		path = path_in(*state, "libvaccel-alpha.so");
		assert_int_equal(truncate(path, size), 0);
		check_refused("alpha", VACCEL_ENOENT, "cut short");
	}
}

static void test_what_is_no_file(void **state)
{
	assert_int_equal(mkfifo(path_in(*state, "libvaccel-pipe.so"), 0600), 0);
	alarm(20);
	check_refused("pipe", VACCEL_ENOENT, "not a file");
	alarm(0);
	check_refused("/dev/null", VACCEL_ENOENT, "not a file");
}

static void test_a_plugin_whose_init_fails(void **state)
{
	struct vaccel_session sess;

	install_fake(*state, "broken", true);
	check_refused("broken", VACCEL_ENODEV, "on holiday");
	/* One that gives neither words nor a code of ours */
	install_fake(*state, "silent", true);
	check_refused("silent", VACCEL_EIO, "plugin silent could not start");
	/* Under auto it is only listed, and the call that needs it hears of it: each time. */
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(who_answers(&sess, 1), -VACCEL_ENOTSUP);
		assert_says("on holiday");
	}
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	/* Which says more than that there is no agent; one that is there does it. */
	install_fake(*state, "remote", true);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(who_answers(&sess, 1), -VACCEL_ENOTSUP);
	assert_says("on holiday");
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	setenv("VACCEL_RPC_ADDRESS", "unix:///nowhere", 1);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(who_answers(&sess, 1), 6);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
	unsetenv("VACCEL_RPC_ADDRESS");
	/* Where another can do it, that one does. */
	install_fake(*state, "cpu", true);
	assert_int_equal(boot("auto"), VACCEL_OK);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	assert_int_equal(who_answers(&sess, 1), 3);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_a_plugin_of_another_version(void **state)
{
	install_fake(*state, "old", true);
	check_refused("old", VACCEL_ELIBBAD, "0.8.1");
	setenv("VACCEL_PLUGINS", "old", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_ELIBBAD);
	setenv("VACCEL_VERSION_IGNORE", "1", 1);
	assert_int_equal(vaccel_bootstrap(), VACCEL_OK);
	assert_string_equal(plugin_names(), "old");
	unsetenv("VACCEL_PLUGINS");
	unsetenv("VACCEL_VERSION_IGNORE");
}

static void test_a_knob_that_makes_no_sense(void **state)
{
	install_fake(*state, "alpha", true);
	setenv("VACCEL_FAKE_LEVEL", "77", 1);
	check_refused("alpha", VACCEL_EINVAL, "VACCEL_FAKE_LEVEL");
	setenv("VACCEL_FAKE_LEVEL", "7", 1);
	assert_int_equal(boot("alpha"), VACCEL_OK);
	assert_string_equal(vaccel_knob_text(&vaccel_plugin_at(0)->knobs[0]), "7");
	unsetenv("VACCEL_FAKE_LEVEL");
}

static void test_loading_at_run_time(void **state)
{
	struct vaccel_session sess;

	install_fake(*state, "alpha", true);
	install_fake(*state, "beta", true);
	install_fake(*state, "broken", true);
	assert_int_equal(vaccel_plugin_load("alpha"), VACCEL_ESESS);
	assert_int_equal(boot(NULL), VACCEL_OK);
	assert_int_equal(vaccel_plugin_load(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_load(""), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_load("nothere"), VACCEL_ENOENT);
	assert_int_equal(vaccel_plugin_load("broken"), VACCEL_ENODEV);
	assert_int_equal(vaccel_plugin_load("beta"), VACCEL_OK);
	assert_int_equal(vaccel_plugin_load("libvaccel-beta.so"), VACCEL_OK);
	assert_string_equal(plugin_names(), "beta");

	assert_int_equal(vaccel_session_init(&sess, VACCEL_PLUGIN_GPU), VACCEL_OK);
	assert_int_equal(who_answers(&sess, 1), 2);
	assert_int_equal(vaccel_plugin_parse_and_load(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_plugin_parse_and_load("alpha:nothere:cpu"), VACCEL_ENOENT);
	assert_string_equal(plugin_names(), "beta alpha");
	/* The session finds that the new one fits its hint better. */
	assert_int_equal(who_answers(&sess, 1), 1);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void *load_slow(void *code)
{
	*(int *)code = vaccel_plugin_load("slow");
	return NULL;
}

static void *call_slow(void *number)
{
	struct vaccel_session sess;

	if (!vaccel_session_init(&sess, 0)) {
		*(int *)number = who_answers(&sess, 1);
		vaccel_session_release(&sess);
	}
	return NULL;
}

/* A child may load others, and hears that this one cannot be had. Gone at once, as by exec. */
static void be_child(bool listed)
{
	struct vaccel_session sess;
	bool well;

	alarm(60);
	well = !vaccel_session_init(&sess, 0);
	if (well && listed)
		well = who_answers(&sess, 1) == -VACCEL_ENOTSUP &&
		       strstr(vaccel_error_text(), "when this process was forked");
	well = well && !vaccel_plugin_load("cpu") && who_answers(&sess, 1) == (listed ? 3 : 1) &&
	       !vaccel_session_release(&sess) && !vaccel_cleanup();
	_exit(!well);
}

static void fork_while(const char *dir, void *(*load)(void *), bool listed)
{
	int result = -1, status;
	pthread_t thread;
	pid_t child;

	assert_int_equal(pthread_create(&thread, NULL, load, &result), 0);
	close(open(path_in(dir, "loading"), O_RDONLY | O_CLOEXEC));
	child = fork();
	if (!child)
		be_child(listed);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(open(path_in(dir, "go-on"), O_WRONLY | O_CLOEXEC));
	pthread_join(thread, NULL);
	assert_int_equal(status, 0);
	assert_int_equal(result, listed ? 10 : VACCEL_OK);
}

static void test_a_fork_while_a_plugin_is_loaded(void **state)
{
	install_fake(*state, "alpha", true);
	install_fake(*state, "slow", true);
	assert_int_equal(mkfifo(path_in(*state, "loading"), 0600), 0);
	assert_int_equal(mkfifo(path_in(*state, "go-on"), 0600), 0);
	assert_int_equal(boot("alpha"), VACCEL_OK);
	install_fake(*state, "cpu", true);
	fork_while(*state, load_slow, false);
	assert_int_equal(remove(path_in(*state, "libvaccel-alpha.so")), 0);
	assert_int_equal(remove(path_in(*state, "libvaccel-cpu.so")), 0);
	assert_int_equal(boot("auto"), VACCEL_OK);
	install_fake(*state, "cpu", true);
	fork_while(*state, call_slow, true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_plugin_goes_by_many_names),
		TEST(a_list_keeps_its_order),
		TEST(a_directory_brings_all_but_debug),
		TEST(where_things_lie),
		TEST(no_plugins),
		TEST(auto_loads_what_is_needed),
		TEST(auto_without_manifests),
		TEST(auto_beside_a_plugin_by_name),
		TEST(auto_of_nothing),
		TEST(a_manifest_that_promises_too_much),
		TEST(what_cannot_be_loaded),
		TEST(the_current_directory_is_not_searched),
		TEST(a_plugin_cut_short),
		TEST(what_is_no_file),
		TEST(a_plugin_whose_init_fails),
		TEST(a_plugin_of_another_version),
		TEST(a_knob_that_makes_no_sense),
		TEST(loading_at_run_time),
		TEST(a_fork_while_a_plugin_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
