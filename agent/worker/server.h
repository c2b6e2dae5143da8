/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that take turns at all connections: whoever finds a message reads it,
 * runs it, replies, and stays a moment with that connection, since the next
 * request often follows at once.
 */
#ifndef VACCEL_AGENT_WORKER_SERVER_H
#define VACCEL_AGENT_WORKER_SERVER_H

#include "agent/worker/connection/connection.h"

/* A thread stays that long with a connection, if another one waits for the others. */
#define LINGER_NS (2 * MILLISECOND)

int server_new(struct worker *worker, struct server **ret_server);

/* Ends all connections, and waits for the calls that run. */
void server_delete(struct server *server);

/* Takes the connection. */
void server_add(struct server *server, struct connection *connection);

/* Has a thread run a request whose turn has come. */
void server_post(struct server *server, struct request *request);

/*
 * The watcher: one thread which calls server_watch() when server_fd() is readable or
 * the time that it returned last is over, in ms as for poll(). While calls run it sees
 * to those that take long, and sleeps when nothing has happened for a while;
 * server_wake() wakes it, at the start of a call.
 */
int server_fd(const struct server *server);
int server_watch(struct server *server);
void server_wake(struct server *server);

/* So many at most. */
unsigned int server_threads(const struct policy *policy);
uint64_t server_strangers(const struct policy *policy);

/* How many of them may be there by TLS, of whom each takes more memory. */
uint64_t server_strangers_tls(const struct policy *policy);

/* Whether a backend is at work. */
bool server_is_busy(const struct server *server);

/* Tells clients to go. True as soon as all is answered that was asked. */
bool server_drain(struct server *server);

#endif
