// SPDX-License-Identifier: Apache-2.0
/* Numbers are whole; a unit may follow, and must where a bare number could be mistaken. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <vaccel/error.h>

#include "agent/config/units.h"
#include "base/util.h"

struct suffix {
	const char *name;
	uint64_t factor;
};

static const struct suffix counts[] = {{"", 1}, {}};

static const struct suffix bytes[] = {
	{"B", 1},
	{"KiB", UINT64_C(1) << 10},
	{"MiB", UINT64_C(1) << 20},
	{"GiB", UINT64_C(1) << 30},
	{"TiB", UINT64_C(1) << 40},
	{},
};

static const struct suffix times[] = {
	{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {},
};

static const struct {
	const struct suffix *suffixes;
	const char *example;
} units[] = {
	[UNIT_COUNT] = {counts, "16"},
	[UNIT_BYTES] = {bytes, "512MiB or 4GiB"},
	[UNIT_TIME] = {times, "500ms, 30s, 5min or 1h"},
};

int number_parse(const char *text, enum unit unit, uint64_t most, uint64_t *ret_number)
{
	const struct suffix *suffix = units[unit].suffixes;
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(text, &end, 10);
	/* strtoull() would take a sign, and spaces before it. */
	if (errno || text[0] < '0' || text[0] > '9')
		return vaccel_fail(VACCEL_EINVAL, "'%s' is no number; write for example %s", text,
				   units[unit].example);
	end += strspn(end, " ");
	while (suffix->name && strcasecmp(suffix->name, end))
		suffix++;
	/* Nothing is nothing in any unit. */
	if (!suffix->name && (number || *end))
		return vaccel_fail(VACCEL_EINVAL, "'%s' %s; write for example %s", text,
				   unit == UNIT_COUNT ? "is no whole number"
						      : "has no unit that is known",
				   units[unit].example);
	if (suffix->name && number > most / suffix->factor)
		return vaccel_fail(VACCEL_EINVAL, "'%s' is too much; the most is %" PRIu64 "%s",
				   text, most / suffix->factor, suffix->name);
	*ret_number = suffix->name ? number * suffix->factor : 0;
	return VACCEL_OK;
}

int switch_parse(const char *text, bool *ret_on)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]))
			continue;
		*ret_on = i % 2;
		return VACCEL_OK;
	}
	return vaccel_fail(VACCEL_EINVAL, "'%s' is neither true nor false", text);
}

int mode_parse(const char *text, mode_t *ret_mode)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end || mode > 0777)
		return vaccel_fail(VACCEL_EINVAL, "'%s' is no mode; write for example 0660", text);
	*ret_mode = (mode_t)mode;
	return VACCEL_OK;
}
