/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients: programs, each with the sessions and resources that it has made. A
 * client may have several connections, which say its token; with the last of
 * them goes all that it has. What is another's cannot be found: each client looks
 * in its own tables.
 */
#ifndef VACCEL_AGENT_WORKER_CLIENT_CLIENT_H
#define VACCEL_AGENT_WORKER_CLIENT_CLIENT_H

#include <vaccel/session.h>

#include "agent/worker/client/table.h"
#include "agent/worker/worker.h"

struct resource;
struct upload;

struct client {
	struct worker *worker;
	struct client *next; /* worker->lock */
	unsigned int refs;   /* worker->lock; connections */
	uint64_t number;     /* for the log */
	unsigned char token[TOKEN_SIZE];
	char program[48];

	pthread_mutex_t lock; /* the tables */
	struct table sessions;
	struct table resources;
	pthread_mutex_t upload_lock; /* uploads; held while they are written */
	struct upload *uploads;
};

/* A session of libvaccel's. It is closed when it is neither in the client's table nor in use. */
struct session {
	int64_t id;
	struct client *client;
	struct vaccel_session vaccel;
	_Atomic uint32_t uses;	/* the table's and the calls'; SESSION_CLOSED */
	_Atomic uint32_t keeps; /* who may still look at this struct */
};

/* A new client, counted once. */
int client_new(struct worker *worker, const char *program, struct client **ret_client);

/* The one that has the token, counted once more. EACCES. */
int client_join(struct worker *worker, const unsigned char token[TOKEN_SIZE],
		struct client **ret_client);
void client_unref(struct client *client);

int session_open(struct client *client, uint32_t hint, int64_t *ret_id);
int session_update(struct client *client, int64_t id, uint32_t hint);

/* Calls that run in it go on; it ends with them. */
int session_close(struct client *client, int64_t id);

/*
 * The client's session for a call, until session_leave(). *@last is the one that the connection
 * used last, kept so that the next call finds it without a lock; forgotten with session_forget().
 * ESESS.
 */
int session_use(struct client *client, int64_t id, struct session **last,
		struct session **ret_session);
void session_leave(struct session *session);
void session_forget(struct session **last);

#endif
