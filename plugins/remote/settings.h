/* SPDX-License-Identifier: Apache-2.0 */
/* What the environment says, read once when the plugin is loaded. */
#ifndef VACCEL_REMOTE_SETTINGS_H
#define VACCEL_REMOTE_SETTINGS_H

#include <stdint.h>

#include <vaccel/plugin.h>

enum {
	KNOB_TIMEOUT,
	KNOB_SPIN,
	KNOB_TLS_CERT,
	KNOB_TLS_KEY,
	KNOB_TLS_CA,
	KNOB_TOKEN_FILE,
	KNOB_COUNT
};

extern const struct vaccel_knob knobs[KNOB_COUNT];

struct settings {
	char *addresses;    /* with commas between them; NULL: an agent is looked for */
	int64_t timeout_ns; /* 0: none */
	uint32_t spin_us;
	char *token_file; /* or NULL */
};

extern struct settings settings;

int settings_read(void);
void settings_release(void);

/* When a call that begins now must have returned; FOREVER without a timeout. */
int64_t deadline_from_now(void);

/* VACCEL_ETIMEDOUT, with what @who has not done in time, and which setting says how long that is.
 */
int not_in_time(const char *who, const char *what);

#endif
