// SPDX-License-Identifier: Apache-2.0
/* Old plugins keep working; what is no plugin, or one of another ABI, is refused in words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static void check_frozen(struct vaccel_session *sess, bool whole)
{
	double in[2] = {1, 2}, out[2], min, max;
	struct vaccel_class *top;
	size_t nr;

	assert_int_equal(vaccel_minmax(sess, in, 2, 10, 20, out, &min, &max), VACCEL_OK);
	assert_true(out[0] == 31 && out[1] == 32);
	/* What the smaller one has behind its end is not looked at. */
	assert_true(min == whole);
	assert_true(max == (whole ? 1 : -VACCEL_ENOTSUP));
	assert_int_equal(vaccel_image_classify_top(sess, "\3", 1, 2, &top, &nr), VACCEL_OK);
	assert_int_equal(nr, 2);
	assert_true(top[1].index == 1 && top[1].probability == 3);
	assert_string_equal(top[1].label, "z");
	free(top);
	assert_int_equal(vaccel_noop(sess), VACCEL_ENOTSUP);
}

static void check_abi1(const char *name, bool whole)
{
	struct vaccel_session sess;
	const struct vaccel_plugin *plugin;

	assert_int_equal(boot(name), VACCEL_OK);
	plugin = vaccel_plugin_at(0);
	assert_string_equal(plugin->info->name, "frozen");
	assert_string_equal(plugin->info->sentence, "was built long ago");
	assert_string_equal(plugin->knobs[0].name, "VACCEL_FROZEN");
	assert_int_equal(plugin->knobs[0].most, 9);
	assert_int_equal(vaccel_session_init(&sess, 0), VACCEL_OK);
	check_frozen(&sess, whole);
	assert_int_equal(vaccel_session_release(&sess), VACCEL_OK);
}

static void test_plugins_of_abi_1(void **state)
{
	check_abi1("abi1", true);
	check_abi1("abi1-small", false);
}

static void check_refused(const char *name, int code, const char *words)
{
	assert_int_equal(boot(name), code);
	assert_says(words);
	assert_says(name);
	assert_null(vaccel_plugin_at(0));
}

static void test_what_is_no_plugin_of_this_abi(void **state)
{
	char text[] = "/tmp/vaccel-text-XXXXXX";

	check_refused("abi2", VACCEL_ELIBBAD, "not a plugin of ABI 1; build it against");
	check_refused("abi-tiny", VACCEL_ELIBBAD, "not a plugin of ABI 1");
	check_refused("abi-huge", VACCEL_ELIBBAD, "not a plugin of ABI 1");
	check_refused("anonymous", VACCEL_ELIBBAD, "does not say who it is");
	check_refused("needy", VACCEL_ENOENT, "libgone-since.so");
	assert_says("install what is missing");
	check_refused("libgone.so", VACCEL_ELIBBAD, "exports no vaccel_plugin");
	close(mkstemp(text));
	write_file(text, "A text file, as somebody may have downloaded it by mistake, of some "
			 "length, with nothing in it that a dynamic linker would take.\n");
	check_refused(text, VACCEL_ENOENT, "invalid ELF header");
	remove(text);
}

/* A refused plugin leaves nothing behind that the next bootstrap would meet. */
static void test_after_a_refusal(void **state)
{
	check_refused("abi2", VACCEL_ELIBBAD, "ABI");
	check_abi1("abi1", true);
	assert_int_equal(vaccel_plugin_load("abi2"), VACCEL_ELIBBAD);
	assert_string_equal(plugin_names(), "frozen");
	vaccel_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugins_of_abi_1),
		cmocka_unit_test(test_what_is_no_plugin_of_this_abi),
		cmocka_unit_test(test_after_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
