/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people write them: "30s", "4GiB", "0660", "yes". EINVAL says how to. */
#ifndef VACCEL_AGENT_CONFIG_UNITS_H
#define VACCEL_AGENT_CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum unit {
	UNIT_COUNT,
	UNIT_BYTES, /* B KiB MiB GiB TiB */
	UNIT_TIME   /* ms s min h, as milliseconds */
};

/* Up to @most. */
int number_parse(const char *text, enum unit unit, uint64_t most, uint64_t *ret_number);
int switch_parse(const char *text, bool *ret_on);
int mode_parse(const char *text, mode_t *ret_mode);

#endif
