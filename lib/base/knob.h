/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own knobs: every variable of the environment that it reads is a row here. */
#ifndef VACCEL_BASE_KNOB_H
#define VACCEL_BASE_KNOB_H

#include <vaccel/plugin.h>

enum knob {
	KNOB_PLUGINS,
	KNOB_LOG_LEVEL,
	KNOB_LOG_FILE,
	KNOB_PROFILING_ENABLED,
	KNOB_VERSION_IGNORE,
	KNOB_BOOTSTRAP_ENABLED,
	KNOB_CLEANUP_ENABLED,
	KNOB_RPC_ADDRESS,
	KNOB_PLUGIN_DIR,
	KNOB_DATA_DIR,
	KNOB_URL_MAX_BYTES,
	KNOB_URL_TIMEOUT_S,
	KNOB_XDG_RUNTIME_DIR,
	KNOB_TMPDIR,
	KNOB_COUNT
};

const char *knob_text(enum knob knob);
bool knob_bool(enum knob knob);
int64_t knob_number(enum knob knob);

/* Whether the variable, or its old name, is set in the environment. */
bool knob_is_set(enum knob knob);

/* EINVAL, with the value and what it may be, if the environment's value makes no sense. */
int knob_check(const struct vaccel_knob *knob);
int knob_check_all(void);

/* Once in a process for each: when the log is where, and as loud as, the configuration says. */
void knob_warn_of_old_names(void);

#endif
