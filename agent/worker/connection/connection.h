/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of a client. It is counted: by its read side, which is armed in
 * the server's epoll set or owned by one thread, and by each request of it that is
 * under way. Any thread may send.
 */
#ifndef VACCEL_AGENT_WORKER_CONNECTION_CONNECTION_H
#define VACCEL_AGENT_WORKER_CONNECTION_CONNECTION_H

#include "agent/worker/connection/request.h"

struct connection {
	struct worker *worker;
	const struct listener_setup *listener; /* NULL: nothing is asked for */
	struct link *link;
	_Atomic unsigned int refs;
	atomic_bool armed; /* nobody owns the read side but the epoll set */

	/* The server's list, under its lock */
	struct connection *next, **link_to;

	/* Of the read side's owner */
	struct client *client; /* NULL before HELLO */
	struct session *last_session;
	struct borrower *borrower; /* from HELLO on, if the carrier has regions; never changed */
	struct message message;
	uint64_t last_request; /* the largest number that a message has had, but for CANCEL */
	bool begun;	       /* the payload of @message is on its way */
	int no_room; /* and is skipped, by the quota or for lack of memory; 0: there is room */
	void *payload;
	uint64_t charged;
	struct iovec piece;

	_Atomic int64_t due;  /* something must come until then; FOREVER: nothing */
	_Atomic int64_t idle; /* nothing has happened since */
	atomic_bool told_to_go;
	atomic_bool is_stranger; /* has not said yet who it is */

	/* If it spins */
	bool spins;
	uint32_t spin_us;
	struct borrowed mailbox; /* the region that is one */
	void *mailbox_memory;

	char peer[64];
};

/* Takes @link; the one who asks has the read side. */
int connection_new(struct worker *worker, struct link *link, const char *peer,
		   const struct listener_setup *listener, struct connection **ret_connection);
void connection_ref(struct connection *connection);
void connection_unref(struct connection *connection);

/*
 * Reads a message, and acts on what that came to. By the read side's owner. VACCEL_EAGAIN: there
 * was none before @until.
 */
int connection_read(struct connection *connection, int64_t until);
enum turn connection_act(struct connection *connection, int read, struct bench *bench);

/* Before the read side waits, maybe for long: gives memory back, and sets when what must come. */
void connection_rest(struct connection *connection);

/* TLS ends here, and not at the front. */
bool connection_is_tls(const struct connection *connection);

/* It is a stranger no longer. True: it was one until now. Any thread. */
bool connection_no_stranger(struct connection *connection);

/* Whether the peer has been silent for longer than it may. Any thread. */
bool connection_is_overdue(const struct connection *connection, int64_t now);

/*
 * What the encoder holds, NULL for a frame alone. The link ends where this fails;
 * whoever reads it sees that.
 */
void connection_send(struct connection *connection, struct frame *frame,
		     const struct encoder *encoder, int64_t now);

/* Tells the client once to go elsewhere, as far as that does not take long. */
void connection_dismiss(struct connection *connection);

/* Warns of one who is refused, though not of each of a flood. */
void connection_warn(const struct connection *connection, const char *words);

/* Answers a HELLO. Returns false if the connection is not to be had. */
bool connection_hello(struct connection *connection, const struct message *message, void *payload,
		      struct bench *bench);

#endif
