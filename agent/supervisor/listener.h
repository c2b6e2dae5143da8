/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, and what processes that serve their connections must know of each. */
#ifndef VACCEL_AGENT_SUPERVISOR_LISTENER_H
#define VACCEL_AGENT_SUPERVISOR_LISTENER_H

#include "agent/supervisor/supervisor.h"

struct listener {
	struct listener *next;
	unsigned int refs; /* the supervisor's while it is open, and those of connections */
	uint32_t number;   /* never used again */
	struct supervisor *supervisor;
	struct config *config; /* counted; @how is its */
	const struct listener_config *how;
	int setup; /* a memfd of listener_setup_write(); -1: nothing to know */
	struct source source;
	struct timer pause;
	bool owns_name; /* its socket file, if it has one, goes with it */
	bool accepting; /* is in the loop */
};

/* An accepted connection on its way to a process. */
struct arrival {
	struct arrival *next;
	struct listener *listener; /* counted */
	struct ipc_message message;
	int fd;
};

/*
 * Opens what @config lists and closes what it does not; what is in both stays open.
 * All or nothing: if one cannot be opened, those before stay as they were.
 */
int listeners_apply(struct supervisor *supervisor, struct config *config);

/* As address_listen(); says so where what is in the way is this agent's own. */
int listen_anew(const struct supervisor *supervisor, const struct address *address, mode_t mode,
		int *ret_fd);

/* What those who serve a listener's connections must know, read from its files; -1: nothing. */
int listener_read_files(const struct listener_config *how, int *ret_setup);

/* Nothing is accepted until this. */
void listeners_begin(struct supervisor *supervisor);
void listeners_close(struct supervisor *supervisor);

/* Whether the kernel says who a peer is. */
bool listener_names_user(const struct listener_config *how);

/* Whether connections by it are TLS, whoever does that. */
bool listener_does_tls(const struct listener_config *how);

/* Whether the front serves it: TLS whose certificates name the tenants. */
bool listener_is_relayed(const struct listener_config *how);

struct listener *listener_by_number(struct supervisor *supervisor, uint32_t number);

/* The one of @list with the socket that @fd is, too; NULL: there is none. */
const struct listener *listener_of_socket(const struct listener *list, int fd);

/* Those that are relayed, while the front can take nothing. */
void listeners_hold_relayed(struct supervisor *supervisor, bool hold);

/* Takes @fd, also when it fails. */
int arrival_new(struct listener *listener, const char *carrier, const char *peer, int fd,
		struct arrival **ret_arrival);
void arrival_delete(struct arrival *arrival);

#endif
