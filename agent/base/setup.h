/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agent.yaml says, as the parts of the agent use it. Units are in the
 * names; defaults are those of default_policy in setup.c. docs/man/vaccel-agent.yaml.5
 * has a line for each member that can be set.
 */
#ifndef VACCEL_AGENT_BASE_SETUP_H
#define VACCEL_AGENT_BASE_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TENANT_NAME_MAX 64

struct names {
	char **at;
	unsigned int count;
};

/* What the tenants of a listener may do. Limits hold for a tenant, unless said otherwise. */
struct policy {
	char *name;
	struct names ops; /* by name; none named: all but exec and exec_with_resource */
	struct names
		plugins; /* to load, in this order; none named: what `auto` lists, without remote */
	struct names exec_libraries; /* paths or names that exec may load; none: exec is refused */
	struct names exec_uploads;   /* SHA-256 in hex of libraries, or "any"; none: refused */
	uint64_t sessions;
	uint64_t connections;
	uint64_t memory;	  /* bytes that the worker may have: data, and mapped regions */
	uint64_t content;	  /* bytes that stored resources may take on disk */
	uint64_t payload;	  /* bytes of one message */
	uint32_t calls;		  /* at once */
	uint32_t queue;		  /* calls that may wait; one more is VACCEL_EBUSY */
	uint32_t deadline_ms;	  /* longest time of one call; 0: none */
	uint32_t idle_timeout_ms; /* of a connection without a call; 0: none */
	uint32_t worker_idle_ms;  /* of a worker without a connection; 0: it stays */
	uint32_t spin;		  /* connections that may spin at once; 0: none may */
};

struct models {
	char *path; /* directory of models that stay over restarts: NAME/…, read only; or NULL */
	uint64_t memory; /* bytes that loaded models may take in a worker; 0: only policy.memory
			    counts */
	struct names preload; /* names below @path, loaded into each worker as it starts */
};

enum log_format { LOG_TEXT, LOG_JSON };

struct log_setup {
	int level; /* a vaccel_log_level_t */
	enum log_format format;
};

/* How a former worker of this tenant ended. */
struct fate {
	uint64_t epoch;
	int status; /* a VACCEL_E* code */
	char text[128];
};
#define FATES_MAX 8

/* All that a worker needs to know; from the supervisor as its first message. */
struct worker_setup {
	char *tenant;
	char *directory; /* the tenant's own, private; run-time files and stored content go there */
	uint64_t epoch;
	struct policy policy;
	struct models models;
	struct log_setup log;
	struct fate fates[FATES_MAX]; /* those with epoch 0 are empty */
};

/* The setup as bytes in a memfd, and back: for the supervisor and its children. */
int worker_setup_write(const struct worker_setup *setup, int *ret_fd);
int worker_setup_read(int fd, struct worker_setup *ret_setup);
void worker_setup_release(struct worker_setup *setup);

/* Whether two such memory files, or -1 for none, say the same; false where that cannot be read. */
bool setup_is_same(int one, int other);

/* What a process that serves a listener's connections must know of it; files by their content. */
struct listener_setup {
	char *cert;	 /* PEM; NULL where there is no TLS to do, as all three */
	char *key;	 /* PEM */
	char *client_ca; /* PEM; NULL: no certificate is asked for */
	char *token;	 /* what a client's HELLO must bear; NULL: nothing */
};

int listener_setup_write(const struct listener_setup *setup, int *ret_fd);
int listener_setup_read(int fd, struct listener_setup *ret_setup);
void listener_setup_release(struct listener_setup *setup);

extern const struct policy default_policy;
void policy_release(struct policy *policy);
void names_release(struct names *names);

#endif
