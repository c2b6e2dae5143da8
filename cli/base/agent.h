/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the agent of this host how it does, over its admin socket. */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include <json-c/json_object.h>

/*
 * Its document, see vaccel-agent(8); to be put. @path: the socket, NULL for those that an agent
 * uses by default. Complains and returns NULL if nobody answers there.
 */
struct json_object *agent_ask(const char *path);

/* Members of it. What is not there, or is of another type, is 0 or "". */
double agent_number(struct json_object *object, const char *key);
const char *agent_text(struct json_object *object, const char *key);
struct json_object *agent_list(struct json_object *object, const char *key);
size_t agent_list_length(struct json_object *object, const char *key);

/* "vaccel-agent 0.9.0, process 77, serving for 3 h 12 min" */
void agent_put_summary(struct json_object *document);

#endif
