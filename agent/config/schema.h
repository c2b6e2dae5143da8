/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.yaml as libcyaml reads it: every key that there is, and the text that is
 * given for each. Keys with a unit stay text here; convert.c knows their units.
 */
#ifndef VACCEL_AGENT_CONFIG_SCHEMA_H
#define VACCEL_AGENT_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "agent/base/setup.h"

struct raw_listener {
	char *address, *tenant, *mode, *policy;
	char *cert, *key, *client_ca, *token_file;
	char *insecure;
};

/* Lists; and numbers with their unit and their member of struct policy. */
#define POLICY_LISTS(X) X(ops) X(plugins) X(exec_libraries) X(exec_uploads)
#define POLICY_NUMBERS(X)                           \
	X(sessions, UNIT_COUNT, sessions)           \
	X(connections, UNIT_COUNT, connections)     \
	X(memory, UNIT_BYTES, memory)               \
	X(content, UNIT_BYTES, content)             \
	X(payload, UNIT_BYTES, payload)             \
	X(calls, UNIT_COUNT, calls)                 \
	X(queue, UNIT_COUNT, queue)                 \
	X(deadline, UNIT_TIME, deadline_ms)         \
	X(idle_timeout, UNIT_TIME, idle_timeout_ms) \
	X(worker_idle, UNIT_TIME, worker_idle_ms)   \
	X(spin, UNIT_COUNT, spin)

struct raw_policy {
#define MEMBER(key, ...) struct names key;
	POLICY_LISTS(MEMBER)
#undef MEMBER
#define MEMBER(key, ...) char *key;
	POLICY_NUMBERS(MEMBER)
#undef MEMBER
};

struct raw_models {
	char *path, *memory;
	struct names preload;
};

struct raw_admin {
	char *socket, *mode;
};

struct raw_metrics {
	char *address;
};

struct raw_log {
	char *level, *format;
};

struct raw_config {
	struct raw_listener *listeners;
	unsigned int nr_listeners;
	struct raw_policy *policies; /* in the order of the document */
	struct raw_models models;
	struct raw_admin admin;
	struct raw_metrics metrics;
	struct raw_log log;
	char *drain;
};

/* The keys of the document, whose policies have no names here, and those of each policy. */
extern const cyaml_schema_field_t config_fields[], policy_fields[];

/* The same with the names that the policies of one document have. */
struct schema {
	cyaml_schema_field_t *top;
	cyaml_schema_field_t *policies;
	unsigned int nr_policies;
	cyaml_schema_value_t value; /* of the whole document */
};

/* @policies: the mapping of that name, or NULL. The names are the document's memory. */
int schema_make(yaml_document_t *document, const yaml_node_t *policies, struct schema *ret_schema);
void schema_release(struct schema *schema);

#endif
