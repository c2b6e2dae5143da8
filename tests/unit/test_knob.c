// SPDX-License-Identifier: Apache-2.0
/* Knobs: values, fallbacks, old names, and what makes no sense. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/knob.h"

static void test_fallbacks(void **state)
{
	assert_string_equal(knob_text(KNOB_PLUGINS), "auto");
	assert_int_equal(knob_number(KNOB_LOG_LEVEL), 1);
	assert_null(knob_text(KNOB_LOG_FILE));
	assert_false(knob_bool(KNOB_PROFILING_ENABLED));
	assert_true(knob_bool(KNOB_CLEANUP_ENABLED));
	assert_false(knob_is_set(KNOB_PLUGINS));
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		bool on;
	} words[] = {{"1", true},   {"0", false},  {"true", true}, {"FALSE", false},
		     {"Yes", true}, {"no", false}, {"on", true},   {"off", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		setenv("VACCEL_PROFILING_ENABLED", words[i].text, 1);
		assert_int_equal(knob_bool(KNOB_PROFILING_ENABLED), words[i].on);
		assert_int_equal(knob_check_all(), VACCEL_OK);
	}
	unsetenv("VACCEL_PROFILING_ENABLED");
	setenv("VACCEL_PLUGINS", "", 1);
	assert_string_equal(knob_text(KNOB_PLUGINS), "");
	assert_true(knob_is_set(KNOB_PLUGINS));
	unsetenv("VACCEL_PLUGINS");
}

/* What makes no sense is refused by name, and reads as the fallback where nobody checked. */
static void test_nonsense(void **state)
{
	static const struct {
		const char *name;
		const char *value;
	} cases[] = {{"VACCEL_LOG_LEVEL", "0"},
		     {"VACCEL_LOG_LEVEL", "5"},
		     {"VACCEL_LOG_LEVEL", "two"},
		     {"VACCEL_LOG_LEVEL", "1x"},
		     {"VACCEL_LOG_LEVEL", ""},
		     {"VACCEL_DEBUG_LEVEL", "9"},
		     {"VACCEL_VERSION_IGNORE", "maybe"},
		     {"VACCEL_URL_TIMEOUT_S", "-1"},
		     {"VACCEL_URL_MAX_BYTES", "99999999999999999999"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv(cases[i].name, cases[i].value, 1);
		assert_int_equal(knob_check_all(), VACCEL_EINVAL);
		assert_non_null(strstr(vaccel_error_text(), cases[i].name));
		assert_int_equal(knob_number(KNOB_LOG_LEVEL), 1);
		assert_false(knob_bool(KNOB_VERSION_IGNORE));
		unsetenv(cases[i].name);
	}
	assert_int_equal(knob_check_all(), VACCEL_OK);
}

static void test_old_names(void **state)
{
	const struct vaccel_knob *plugins = vaccel_knob_at(KNOB_PLUGINS);

	assert_null(vaccel_knob_source(plugins));
	setenv("VACCEL_BACKENDS", "noop", 1);
	assert_string_equal(vaccel_knob_text(plugins), "noop");
	assert_string_equal(vaccel_knob_source(plugins), "VACCEL_BACKENDS");
	setenv("VACCEL_PLUGINS", "cpu", 1);
	assert_string_equal(vaccel_knob_text(plugins), "cpu");
	assert_string_equal(vaccel_knob_source(plugins), "VACCEL_PLUGINS");
	unsetenv("VACCEL_BACKENDS");
	unsetenv("VACCEL_PLUGINS");
	setenv("VACCEL_DEBUG_LEVEL", "4", 1);
	assert_int_equal(knob_number(KNOB_LOG_LEVEL), 4);
	unsetenv("VACCEL_DEBUG_LEVEL");
	setenv("VACCEL_IGNORE_VERSION", "1", 1);
	assert_true(knob_bool(KNOB_VERSION_IGNORE));
	unsetenv("VACCEL_IGNORE_VERSION");
}

/* Each row can be listed: a name of ours or a common one, and a sentence. */
static void test_table(void **state)
{
	for (size_t i = 0; i < KNOB_COUNT; i++) {
		const struct vaccel_knob *knob = vaccel_knob_at(i);

		assert_non_null(knob);
		assert_non_null(knob->name);
		assert_true(strlen(knob->sentence) > 10);
	}
	assert_null(vaccel_knob_at(KNOB_COUNT));
}

/* What the copy of this program does that belongs to root, started by somebody else. */
static int tell_if_obeyed(void)
{
	if (!getauxval(AT_SECURE))
		return 77;
	return knob_is_set(KNOB_PLUGINS) || strcmp(knob_text(KNOB_TMPDIR), "/tmp") != 0;
}

static void copy_program(const char *to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	assert_true(from >= 0 && fd >= 0);
	while (sendfile(fd, from, NULL, 1 << 20) > 0)
		;
	assert_int_equal(fchmod(fd, 04755), 0);
	close(from);
	close(fd);
}

/* Who starts a setuid program must not choose what code it loads, nor where it writes. */
static void test_more_rights_than_the_caller(void **state)
{
	char dir[] = "/tmp/vaccel-knob-XXXXXX", path[64];
	int status;
	pid_t child;

	if (geteuid()) {
		print_message("only root can be somebody else\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/test", dir);
	copy_program(path);
	child = fork();
	if (!child) {
		if (setuid(65534))
			_exit(77);
		execle(path, path, "tell", NULL,
		       (const char *[]){"VACCEL_PLUGINS=/evil", "TMPDIR=/evil", NULL});
		_exit(77);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(unlink(path) | rmdir(dir), 0);
	assert_true(WIFEXITED(status));
	/* No setuid programs there, or no other user. */
	if (WEXITSTATUS(status) == 77) {
		print_message("there are no setuid programs, or no other user\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallbacks),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_old_names),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_more_rights_than_the_caller),
	};

	if (argc > 1)
		return tell_if_obeyed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
