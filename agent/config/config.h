/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent has been told to do, by a file or by its command line. It is
 * checked whole before any of it is used, and never changes: a reload makes another.
 */
#ifndef VACCEL_AGENT_CONFIG_CONFIG_H
#define VACCEL_AGENT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/base/setup.h"
#include "transport/transport.h"

/* One that a key names, to be read later. */
struct named_file {
	char *path;  /* NULL: none */
	char *where; /* the key stands, for words: "agent.yaml:3: listeners[0].cert" */
};

struct listener_config {
	struct address address;
	char *where;  /* the address stands, for words, as of a named file */
	char *tenant; /* NULL: whoever the peer's uid or certificate says */
	const struct policy *policy;
	mode_t mode; /* of a socket file */
	struct named_file cert, key, client_ca, token_file;
	bool insecure; /* others may listen in and pretend */
};

struct config {
	unsigned int refs;
	struct listener_config *listeners;
	unsigned int nr_listeners;
	struct policy *policies;
	unsigned int nr_policies;
	struct models models;
	char *admin_socket; /* NULL: below the directory for run-time files */
	char *admin_where;  /* it stands, for words */
	mode_t admin_mode;
	struct address metrics; /* carrier NULL: none */
	struct log_setup log;
	uint32_t drain_ms; /* longest time that a worker which is to end may take */
};

/* EINVAL: the words tell the file, the line, the key, and what to write instead. */
int config_load(const char *file, struct config **ret_config);

/* As a file that says the same: @text in YAML, @name for words. */
int config_parse(const char *name, const char *text, size_t size, struct config **ret_config);

struct config *config_ref(struct config *config);
void config_unref(struct config *config);

/* NULL if there is none. */
const struct policy *config_policy(const struct config *config, const char *name);

/* Fit for a tenant or a policy: 1 to 63 of A-Z a-z 0-9 . _ - that do not begin with '.'. */
bool name_is_valid(const char *name);

/* "uid-7": of users, whom only the kernel names. */
bool name_is_of_user(const char *name);

#endif
