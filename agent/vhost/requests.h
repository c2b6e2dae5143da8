/* SPDX-License-Identifier: Apache-2.0 */
/* Between messages.c, which reads messages and answers them, and requests.c, which acts on them. */
#ifndef VACCEL_AGENT_VHOST_REQUESTS_H
#define VACCEL_AGENT_VHOST_REQUESTS_H

#include "agent/vhost/messages.h"

enum fds { NO_FD, ONE_FD, SOME_FDS };

struct rule {
	const char *name;
	size_t least, most; /* bytes of its body */
	enum fds fds;
	bool answers;	   /* has an answer of its own */
	uint64_t protocol; /* that must have been agreed on, or 0 */
	/* What is not VACCEL_OK ends the connection. */
	int (*act)(struct backend *backend);
};

/* NULL: there is no such request. */
const struct rule *rule_of(uint32_t request);

/* Its own words, for who reads the log of a machine's monitor that does not work. */
int refuse(const char *request, const char *why);

/* Unmaps the memory for what is under way, if it is ours. */
void leave_inflight(struct backend *backend);

/* Passes @fd if >= 0. */
int send_answer(struct backend *backend, const void *body, size_t size, int fd);
int answer_number(struct backend *backend, uint64_t number);

#endif
