/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request on its way through the worker: read off a connection, perhaps waiting
 * for its turn, then run by a thread, which replies.
 */
#ifndef VACCEL_AGENT_WORKER_CONNECTION_REQUEST_H
#define VACCEL_AGENT_WORKER_CONNECTION_REQUEST_H

#include "agent/worker/worker.h"
#include "transport/region.h"
#include "transport/transport.h"

struct connection;
struct resource;
struct session;

/* As many as any operation has. */
#define REQUEST_RESOURCES_MAX 4

struct request {
	struct request *next;	       /* in a queue */
	struct connection *connection; /* counted */
	struct frame frame;
	const struct vaccel_op *op;
	struct queue *queue;	 /* in which it has a place; NULL: none */
	struct session *session; /* in use; NULL for control operations */
	const void *head;
	void *payload;
	int fd;			    /* that came along, or -1 */
	int64_t came;		    /* when it had to wait; else 0 */
	bool reads;		    /* whoever runs it has the connection's read side */
	bool ran;		    /* a backend has been called */
	uint64_t charged;	    /* bytes of the tenant's memory */
	uint64_t lent_in, lent_out; /* of arguments and results that are not in messages */
	struct borrowed borrowed;
	struct resource *resources[REQUEST_RESOURCES_MAX];
	size_t nr_resources;
	_Alignas(CODEC_ALIGN) unsigned char own_head[]; /* where it had to wait */
};

/* What a thread works with; kept from one request to the next. */
struct bench {
	struct encoder encoder;
	struct decoder decoder;
	struct codec_hooks hooks;
	struct running *running; /* its place in the counters */
	int64_t now;		 /* as it was lately */
	_Atomic(struct connection *) lent;
};

void bench_init(struct bench *bench, struct running *running);
void bench_release(struct bench *bench);

/*
 * While a thread runs a call it keeps the read side of the connection, for anybody
 * who thinks that this takes too long to take over: the connection, or NULL. Any thread.
 */
struct connection *bench_take_over(struct bench *bench);

/* Who has taken it over did not need it after all. False: the call has ended meanwhile. */
bool bench_give_back(struct bench *bench, struct connection *connection);

/* How it goes on with the connection that a message was read off. */
enum turn {
	TURN_NEXT, /* the next message may be read */
	TURN_WAIT, /* there is none now */
	TURN_LENT, /* somebody else reads it meanwhile */
	TURN_END   /* it is of no more use */
};

/* The message that has just been read off the connection: runs it now, or has it wait. Takes
 * @payload, for which @charged bytes were taken from the tenant's memory. */
enum turn request_take(struct connection *connection, const struct message *message, void *payload,
		       uint64_t charged, struct bench *bench);

/* Refuses one that cannot even be read, with the thread's last words. */
void request_refuse(struct connection *connection, const struct frame *frame, int code,
		    struct bench *bench);

/* Runs one whose turn has come, replies and frees it. */
void request_run_waiting(struct request *request, struct bench *bench);

/* If a request of that number waits on the connection, it is answered and not run. */
void request_cancel(struct connection *connection, uint64_t number, struct bench *bench);

/* The connection has ended: nobody waits for answers there. */
void requests_drop(struct connection *connection);

#endif
