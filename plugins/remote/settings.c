// SPDX-License-Identifier: Apache-2.0
/* See settings.h. Values have been checked by the library when it loaded the plugin. */
#include "remote/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "transport/transport.h"

/* clang-format off */
const struct vaccel_knob knobs[KNOB_COUNT] = {
	[KNOB_TIMEOUT] = {"VACCEL_TIMEOUT_MS", "0",
		"longest time of a remote call in milliseconds, reconnecting included; 0: none",
		VACCEL_KNOB_NUMBER, 0, INT32_MAX},
	[KNOB_SPIN] = {"VACCEL_SPIN_US", "0",
		"how long to watch for an answer in shared memory before sleeping, in microseconds, where the agent permits it; 0: not at all",
		VACCEL_KNOB_NUMBER, 0, 1000000},
	[KNOB_TLS_CERT] = {"VACCEL_TLS_CERT", NULL,
		"PEM file with the certificate that names this program to an agent at a tls:// address"},
	[KNOB_TLS_KEY] = {"VACCEL_TLS_KEY", NULL, "PEM file with its key"},
	[KNOB_TLS_CA] = {"VACCEL_TLS_CA", NULL,
		"PEM file of who may sign an agent's certificate; unset: whom the system trusts"},
	[KNOB_TOKEN_FILE] = {"VACCEL_TOKEN_FILE", NULL,
		"file with the token that an agent asks for, if it does"},
};
/* clang-format on */

struct settings settings;

/* The address is the library's own knob, since it decides which plugin is asked first. */
static const char *address_set(void)
{
	const struct vaccel_knob *knob;

	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++)
		if (!strcmp(knob->name, "VACCEL_RPC_ADDRESS"))
			return vaccel_knob_text(knob);
	return NULL;
}

int settings_read(void)
{
	const char *set = address_set();
	bool is_set = set && *set;
	const char *token_file = vaccel_knob_text(&knobs[KNOB_TOKEN_FILE]);

	settings = (struct settings){
		.addresses = is_set ? strdup(set) : NULL,
		.timeout_ns = vaccel_knob_number(&knobs[KNOB_TIMEOUT]) * MILLISECOND,
		.spin_us = (uint32_t)vaccel_knob_number(&knobs[KNOB_SPIN]),
		.token_file = token_file ? strdup(token_file) : NULL,
	};
	if (!settings.addresses == !is_set && !settings.token_file == !token_file)
		return VACCEL_OK;
	settings_release();
	return vaccel_fail(VACCEL_ENOMEM, "no memory for the settings of the remote plugin");
}

void settings_release(void)
{
	free(settings.addresses);
	free(settings.token_file);
	settings = (struct settings){0};
}

int64_t deadline_from_now(void)
{
	return settings.timeout_ns ? time_now() + settings.timeout_ns : FOREVER;
}

int not_in_time(const char *who, const char *what)
{
	if (!settings.timeout_ns)
		return vaccel_fail(VACCEL_ETIMEDOUT, "%s %s in time", who, what);
	return vaccel_fail(VACCEL_ETIMEDOUT, "%s %s in time; %s is %" PRId64, who, what,
			   knobs[KNOB_TIMEOUT].name, settings.timeout_ns / MILLISECOND);
}
