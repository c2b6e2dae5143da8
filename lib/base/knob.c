// SPDX-License-Identifier: Apache-2.0
/*
 * Knobs: settings from the environment. This is the one file that reads it, and
 * it does not in a program with more rights than who starts it. A knob is a row of
 * a table, the library's here or a plugin's own; parsing, checking and listing
 * follow from the row. Values are read afresh at each use, since programs set
 * variables before a second bootstrap.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <vaccel/log.h>

#include "base/knob.h"
#include "base/util.h"

/* clang-format off */
static const struct vaccel_knob rows[KNOB_COUNT] = {
	[KNOB_PLUGINS] = {"VACCEL_PLUGINS", "auto",
		"plugins to load, ':' between them: names, file names, paths, directories; empty for none"},
	[KNOB_LOG_LEVEL] = {"VACCEL_LOG_LEVEL", "1",
		"what the log shows: 1 errors, 2 warnings too, 3 information, 4 debugging",
		VACCEL_KNOB_NUMBER, 1, 4},
	[KNOB_LOG_FILE] = {"VACCEL_LOG_FILE", NULL, "file that the log is appended to; unset: stderr"},
	[KNOB_PROFILING_ENABLED] = {"VACCEL_PROFILING_ENABLED", "0",
		"measure every operation and log the sums", VACCEL_KNOB_BOOL},
	[KNOB_VERSION_IGNORE] = {"VACCEL_VERSION_IGNORE", "0",
		"load plugins built against another version of vaccel", VACCEL_KNOB_BOOL},
	[KNOB_BOOTSTRAP_ENABLED] = {"VACCEL_BOOTSTRAP_ENABLED", "1",
		"bootstrap by itself when the library is loaded", VACCEL_KNOB_BOOL},
	[KNOB_CLEANUP_ENABLED] = {"VACCEL_CLEANUP_ENABLED", "1",
		"clean up by itself at exit", VACCEL_KNOB_BOOL},
	[KNOB_RPC_ADDRESS] = {"VACCEL_RPC_ADDRESS", NULL,
		"addresses of agents, ',' between them; where it is set the remote plugin goes first"},
	[KNOB_PLUGIN_DIR] = {"VACCEL_PLUGIN_DIR", NULL,
		"where plugins lie; unset: vaccel/ beside libvaccel.so"},
	[KNOB_DATA_DIR] = {"VACCEL_DATA_DIR", NULL,
		"where vaccel's data lie; unset: share/vaccel of libvaccel.so's tree"},
	[KNOB_URL_MAX_BYTES] = {"VACCEL_URL_MAX_BYTES", "4294967296",
		"largest file that is downloaded for a resource, in bytes",
		VACCEL_KNOB_NUMBER, 1, INT64_MAX},
	[KNOB_URL_TIMEOUT_S] = {"VACCEL_URL_TIMEOUT_S", "300",
		"longest time that a download may take, in seconds", VACCEL_KNOB_NUMBER, 1, 86400},
	[KNOB_XDG_RUNTIME_DIR] = {"XDG_RUNTIME_DIR", NULL,
		"directory under which run-time files go; unset, or not ours alone: a private one under TMPDIR"},
	[KNOB_TMPDIR] = {"TMPDIR", "/tmp", "directory for temporary files"},
};

/* clang-format on */

/* Names that older versions used, and whether their one warning is out. */
static struct {
	const char *old;
	const char *name;
	atomic_flag warned;
} old_names[] = {
	{"VACCEL_BACKENDS", "VACCEL_PLUGINS", ATOMIC_FLAG_INIT},
	{"VACCEL_DEBUG_LEVEL", "VACCEL_LOG_LEVEL", ATOMIC_FLAG_INIT},
	{"VACCEL_IGNORE_VERSION", "VACCEL_VERSION_IGNORE", ATOMIC_FLAG_INIT},
	{"VACCEL_EXEC_DLCLOSE", "VACCEL_EXEC_DLCLOSE_ENABLED", ATOMIC_FLAG_INIT},
};

/* The environment's value by the name, or by the old one, and by which of them. */
static const char *from_environment(const char *name, const char **ret_by)
{
	const char *value = secure_getenv(name);

	*ret_by = name;
	for (size_t i = 0; !value && i < ARRAY_SIZE(old_names); i++)
		if (!strcmp(old_names[i].name, name) && (value = secure_getenv(old_names[i].old)))
			*ret_by = old_names[i].old;
	return value;
}

void knob_warn_of_old_names(void)
{
	/* A warning that the log does not show is not given up for it. */
	if (__atomic_load_n(&vaccel_log_threshold, __ATOMIC_RELAXED) < VACCEL_LOG_WARN)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(old_names); i++)
		if (secure_getenv(old_names[i].old) && !secure_getenv(old_names[i].name) &&
		    !atomic_flag_test_and_set(&old_names[i].warned))
			vaccel_warn("%s is an old name; use %s", old_names[i].old,
				    old_names[i].name);
}

const char *vaccel_knob_text(const struct vaccel_knob *knob)
{
	const char *by;
	const char *value = from_environment(knob->name, &by);

	return value ? value : knob->fallback;
}

static bool parse_bool(const char *value, bool *ret_on)
{
	static const char *const on[] = {"1", "true", "yes", "on"};
	static const char *const off[] = {"0", "false", "no", "off"};

	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		if (!strcasecmp(value, on[i]) || !strcasecmp(value, off[i])) {
			*ret_on = !strcasecmp(value, on[i]);
			return true;
		}
	}
	return false;
}

static bool parse_number(const struct vaccel_knob *knob, const char *value, int64_t *ret_number)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || end == value || *end || number < knob->least || number > knob->most)
		return false;
	*ret_number = number;
	return true;
}

bool vaccel_knob_bool(const struct vaccel_knob *knob)
{
	const char *value = vaccel_knob_text(knob);
	bool on = false;

	if (value && !parse_bool(value, &on) && knob->fallback)
		parse_bool(knob->fallback, &on);
	return on;
}

int64_t vaccel_knob_number(const struct vaccel_knob *knob)
{
	const char *value = vaccel_knob_text(knob);
	int64_t number = knob->least;

	if (value && !parse_number(knob, value, &number) && knob->fallback)
		parse_number(knob, knob->fallback, &number);
	return number;
}

int knob_check(const struct vaccel_knob *knob)
{
	const char *by;
	const char *value = from_environment(knob->name, &by);
	int64_t number;
	bool on;

	if (!value)
		return VACCEL_OK;
	if (knob->type == VACCEL_KNOB_BOOL && !parse_bool(value, &on))
		return vaccel_fail(VACCEL_EINVAL, "%s is '%.40s'; set it to 1 or 0", by, value);
	if (knob->type == VACCEL_KNOB_NUMBER && !parse_number(knob, value, &number))
		return vaccel_fail(VACCEL_EINVAL,
				   "%s is '%.40s'; set it to a whole number from %" PRId64
				   " to %" PRId64,
				   by, value, knob->least, knob->most);
	return VACCEL_OK;
}

int knob_check_all(void)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < KNOB_COUNT; i++)
		ret = knob_check(&rows[i]);
	return ret;
}

const struct vaccel_knob *vaccel_knob_at(size_t index)
{
	return index < KNOB_COUNT ? &rows[index] : NULL;
}

const char *vaccel_knob_source(const struct vaccel_knob *knob)
{
	const char *by;

	return from_environment(knob->name, &by) ? by : NULL;
}

const char *knob_text(enum knob knob)
{
	return vaccel_knob_text(&rows[knob]);
}

bool knob_bool(enum knob knob)
{
	return vaccel_knob_bool(&rows[knob]);
}

int64_t knob_number(enum knob knob)
{
	return vaccel_knob_number(&rows[knob]);
}

bool knob_is_set(enum knob knob)
{
	return vaccel_knob_source(&rows[knob]) != NULL;
}
